import { coloursFor } from "../lib/colours.ts";
import type { ContainerStatus, Generation } from "./look.ts";

const heads = ["CTID", "name", "state", "health", "generation", "features", "drift"];

const generation = ({ word, template, recipe }: Generation): string =>
  word === "image"
    ? "from an image"
    : `${word}${template ? ` (${template}${recipe ? `, ${recipe.slice(0, 8)}` : ""})` : ""}`;

/** The containers as a table, and below it what is off, with its reasons. */
export function statusTable(containers: readonly ContainerStatus[]): string[] {
  const rows = containers.map((one) => [
    one.ctid,
    one.name,
    one.state,
    one.health,
    generation(one.generation),
    one.features
      .map(({ name, version }) => (version === undefined ? name : `${name} ${version}`))
      .join(", ") || "-",
    one.state === "not made" ? "-" : one.drift.map(({ feature }) => feature).join(", ") || "none",
  ]);
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  const reasons = containers.flatMap(({ ctid, healthReasons, drift }) => [
    ...healthReasons.map((reason) => `  ${ctid} ${reason}`),
    ...drift.flatMap(({ feature, reasons }) => reasons.map((reason) => `  ${ctid} ${feature}: ${reason}`)),
  ]);
  return [coloursFor(process.stdout).bold(line(heads)), ...rows.map(line), ...reasons];
}

/** 2 where something is not as it should be, 0 where all is. */
export function statusCode(containers: readonly ContainerStatus[]): number {
  const good = ({ state, health, drift }: ContainerStatus): boolean =>
    state === "running" && health !== "unhealthy" && health !== "unknown" && drift.length === 0;
  return containers.every(good) ? 0 : 2;
}
