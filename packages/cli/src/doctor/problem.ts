/** One thing that stands in the way (error), or that a person should know before (warning). */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly what: string;
  /** What to do about it: a command, or a few words. */
  readonly remedy: string;
}

export const error = (what: string, remedy: string): Problem => ({ severity: "error", what, remedy });
export const warning = (what: string, remedy: string): Problem => ({ severity: "warning", what, remedy });

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes as a person reads them. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 10 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ""}`;
}
