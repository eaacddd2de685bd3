import { coloursFor } from "../lib/colours.ts";
import type { Finding } from "./inspect.ts";

const words = { drift: "drift", error: "error", unchecked: "cannot be checked", clean: "clean" };

/** The findings that are not clean as a table: container, feature, reason. */
export function driftTable(findings: readonly Finding[]): string[] {
  const rows = findings
    .filter(({ verdict }) => verdict !== "clean")
    .flatMap(({ container, feature, inherited, verdict, reasons }) =>
      (reasons.length > 0 ? reasons : [words[verdict]]).map((reason, index) => ({
        container: index === 0 ? container : "",
        feature: index === 0 ? `${feature}${inherited ? " (inherited)" : ""}` : "",
        reason: verdict === "drift" ? reason : `${words[verdict]}: ${reason}`,
      })),
    );
  if (rows.length === 0) return [];
  const width = (key: "container" | "feature") => Math.max(key.length, ...rows.map((row) => row[key].length));
  const line = (container: string, feature: string, reason: string) =>
    `${container.padEnd(width("container"))}  ${feature.padEnd(width("feature"))}  ${reason}`;
  return [
    coloursFor(process.stdout).bold(line("container", "feature", "reason")),
    ...rows.map((row) => line(row.container, row.feature, row.reason)),
  ];
}

/** 2 where something drifted, else 1 where something could not be told, else 0. */
export function exitCode(findings: readonly Finding[]): number {
  if (findings.some(({ verdict }) => verdict === "drift")) return 2;
  return findings.some(({ verdict }) => verdict === "error") ? 1 : 0;
}
