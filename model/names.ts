import type { Findings } from "./findings.ts";
import type { Locator } from "./locate.ts";
import { list, nearest } from "./schema-errors.ts";
import type { Path } from "./text.ts";

/** The finding for a name that nobody defines, with the name that was probably meant. */
export function unknownName(
  what: string,
  name: string,
  known: readonly string[],
): [string, { remedy: string }] {
  // One CTID is as near to a typing error as the next.
  const near = /^\d+$/.test(name) ? undefined : nearest(name, known);
  const remedy =
    near !== undefined
      ? `did you mean \`${near}\`?`
      : known.length > 0
        ? `known: ${list(known)}`
        : `there is none`;
  return [`there is no ${what} \`${name}\``, { remedy }];
}

/** Each name once; the later one is the one to change. */
export function noneTwice(
  what: string,
  names: readonly string[],
  pathOf: (i: number) => Path,
  locator: Locator,
  findings: Findings,
): void {
  const first = new Map<string, number>();
  names.forEach((name, i) => {
    const other = first.get(name);
    if (other === undefined) {
      first.set(name, i);
      return;
    }
    const { file, line } = locator.find(pathOf(other));
    findings.add(locator, pathOf(i), `the ${what} \`${name}\` is there twice; first in ${file}:${line}`);
  });
}
