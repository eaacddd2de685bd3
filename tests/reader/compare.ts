import { readers, unseen } from "./readers.ts";
import type { Facts } from "./facts.ts";

/** One row of `bin/phoenix show CTID --json`. */
export interface Effective {
  readonly key: string;
  readonly value: unknown;
}

export interface Row {
  readonly key: string;
  readonly wanted: string;
  /** What was found; `as wanted` where nothing differs. */
  readonly found: string;
  readonly same: boolean;
}

/** Compares the effective configuration of a container with what is there, key by key. */
export function compare(effective: readonly Effective[], facts: Facts): Row[] {
  const all = new Map(effective.map(({ key, value }) => [key, value]));
  return effective.map(({ key, value }) => {
    const wanted = typeof value === "string" ? value : JSON.stringify(value);
    const why = unseen[key];
    if (why !== undefined) return { key, wanted, found: `(${why})`, same: true };
    const reader = readers[key];
    // A key that nobody reads is a difference: a new one cannot slip through.
    if (!reader) return { key, wanted, found: "nothing reads this key", same: false };
    const wrong = reader(value, facts, all);
    return {
      key,
      wanted,
      found: wrong.length === 0 ? "as wanted" : wrong.join("; "),
      same: wrong.length === 0,
    };
  });
}

export const differences = (rows: readonly Row[]): Row[] => rows.filter(({ same }) => !same);

/** As a person reads it. */
export function table(ctid: number, rows: readonly Row[]): string {
  const short = (text: string): string => (text.length > 50 ? `${text.slice(0, 47)}...` : text);
  const width = Math.max(...rows.map(({ key }) => key.length));
  return rows
    .map(
      ({ key, wanted, found, same }) =>
        `${same ? " " : "≠"} ${ctid}  ${key.padEnd(width)}  ${short(wanted).padEnd(50)}  ${found}`,
    )
    .join("\n");
}
