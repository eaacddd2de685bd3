import type { Facts } from "./facts.ts";

/** @returns what differs, in words; nothing where all is as wanted */
export type Reader = (value: unknown, facts: Facts, all: ReadonlyMap<string, unknown>) => string[];

/** Says nothing where it holds. */
export const must = (holds: boolean, found: unknown): string[] =>
  holds ? [] : [typeof found === "string" ? found : JSON.stringify(found ?? null)];

/** `a=1,b=2` as a map; the first word without a name is `volume`. */
export function parts(text: string | undefined): Map<string, string> {
  return new Map(
    (text ?? "").split(",").map((part, i): [string, string] => {
      const at = part.indexOf("=");
      return at < 0 ? [i === 0 ? "volume" : part, part] : [part.slice(0, at), part.slice(at + 1)];
    }),
  );
}
