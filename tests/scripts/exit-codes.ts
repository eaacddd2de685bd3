import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface ExitCode {
  readonly code: number;
  readonly name: string;
  /** What it says about the node, one sentence. */
  readonly meaning: string;
  /** What to try next; empty where there is nothing to do. */
  readonly hint: string;
}

export const TABLE = "bin/lib/exit_codes.json";
export const GENERATED = "bin/lib/exit_codes.sh";

export function readExitCodes(root: string): ExitCode[] {
  return JSON.parse(readFileSync(join(root, TABLE), "utf8")) as ExitCode[];
}

/** The table as shell functions: they travel into guests as well, by `declare -f`. */
export function renderExitCodes(table: readonly ExitCode[]): string {
  return `# shellcheck shell=bash
# Generated from exit_codes.json by tests/scripts/generate-exit-codes.ts; edit the table, not this file.

# Prints the code of a name.
exit_code_of() {
  case $1 in
${table.map(({ name, code }) => `    ${name}) echo ${code} ;;`).join("\n")}
    *) echo 29 ;;
  esac
}

# Prints what to try after an exit of that name.
exit_hint_of() {
  case $1 in
${table
  .filter(({ hint }) => hint !== "")
  .map(({ name, hint }) => `    ${name}) echo ${quote(hint)} ;;`)
  .join("\n")}
    *) echo "" ;;
  esac
}
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
