import type { Locator } from "./locate.ts";
import type { Path } from "./text.ts";
import type { Finding } from "./types.ts";

export interface Report {
  severity?: Finding["severity"];
  class?: Finding["class"];
  remedy?: string | undefined;
  /** The container concerned; taken from the path if absent, null for none. */
  ctid?: number | null | undefined;
  what?: "key" | "value";
}

/** Collects findings with the place where the value concerned was written. */
export class Findings {
  readonly list: Finding[] = [];

  add(locator: Locator, path: Path, message: string, report: Report = {}): void {
    const { remedy, ctid = ctidOf(path) } = report;
    this.list.push({
      severity: report.severity ?? "error",
      class: report.class ?? "cross-check",
      ...locator.find(path, report.what),
      message,
      ...(remedy === undefined ? {} : { remedy }),
      ...(ctid === undefined || ctid === null ? {} : { ctid }),
    });
  }

  warn(locator: Locator, path: Path, message: string, report: Report = {}): void {
    this.add(locator, path, message, { ...report, severity: "warning" });
  }

  hasErrors(): boolean {
    return this.list.some((finding) => finding.severity === "error");
  }
}

function ctidOf(path: Path): number | undefined {
  if (path[0] !== "lxc_configs" || path[1] === undefined) return undefined;
  const ctid = Number(path[1]);
  return Number.isSafeInteger(ctid) ? ctid : undefined;
}

/** By file order of first appearance, then line, column: the order in which a person walks through the file. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const files = [...new Set(findings.map((finding) => finding.file))];
  const key = (f: Finding): [number, number, number] => [files.indexOf(f.file), f.line, f.column];
  return [...findings].sort((a, b) => {
    const [fileA, lineA, columnA] = key(a);
    const [fileB, lineB, columnB] = key(b);
    return (
      fileA - fileB ||
      lineA - lineB ||
      columnA - columnB ||
      (a.message < b.message ? -1 : a.message > b.message ? 1 : 0)
    );
  });
}

/** The findings as text, grouped by container; errors first in each group. Ends without a newline. */
export function formatFindings(findings: readonly Finding[]): string {
  const sorted = sortFindings(findings);
  const groups = new Map<string, Finding[]>();
  for (const finding of sorted) {
    const title = finding.ctid === undefined ? finding.file : `container ${finding.ctid}`;
    groups.set(title, [...(groups.get(title) ?? []), finding]);
  }
  const lines: string[] = [];
  for (const [title, group] of groups) {
    lines.push(title);
    for (const finding of group.sort((a, b) => rank(a) - rank(b))) {
      const place = `${finding.file}:${finding.line}:${finding.column}`;
      lines.push(
        `  ${place} ${finding.severity} ${finding.pointer === "" ? "(whole file)" : finding.pointer}`,
      );
      lines.push(`    ${finding.message}`);
      if (finding.remedy !== undefined) lines.push(`    → ${finding.remedy}`);
    }
  }
  lines.push(summary(findings));
  return lines.join("\n");
}

function rank(finding: Finding): number {
  return finding.severity === "error" ? 0 : 1;
}

function summary(findings: readonly Finding[]): string {
  const errors = findings.filter((finding) => finding.severity === "error").length;
  const warnings = findings.length - errors;
  const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;
  return `${count(errors, "error")}, ${count(warnings, "warning")}`;
}
