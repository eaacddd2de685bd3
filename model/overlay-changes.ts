import { merge } from "./overlay.ts";
import { isObject, parseFile } from "./text.ts";
import type { Json, ParsedFile, Path } from "./text.ts";
import type { SourceFile } from "./types.ts";

/** One thing in which the files with overlays differ from the first file. */
export interface OverlayChange {
  kind: "left out" | "swapped" | "added";
  path: Path;
  /** Absent where it was added. */
  before?: Json;
  /** Absent where it was left out. */
  after?: Json;
}

/** What the overlays make of the first file. Files that cannot be read differ in nothing: they are findings elsewhere. */
export function overlayChanges(files: readonly SourceFile[]): OverlayChange[] {
  const parsed = files
    .map((file) => parseFile(file).file)
    .filter((file): file is ParsedFile => file !== undefined);
  const [base] = parsed;
  if (base === undefined || parsed.length < files.length) return [];
  const before = structuredClone(base.value);
  return compare(before, merge(parsed).value, []);
}

function compare(before: Json | undefined, after: Json | undefined, path: Path): OverlayChange[] {
  if (before === undefined) return after === undefined ? [] : [{ kind: "added", path, after }];
  if (after === undefined) return [{ kind: "left out", path, before }];
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => compare(before[key], after[key], [...path, key]));
  }
  if (Array.isArray(before) && Array.isArray(after)) return compareLists(before, after, path);
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ kind: "swapped", path, before, after }];
}

/** Things with a name are compared by it; of other lists it counts what they lack and what they gain. */
function compareLists(before: Json[], after: Json[], path: Path): OverlayChange[] {
  const left = new Map(before.map((item) => [nameOf(item), item]));
  const right = new Map(after.map((item) => [nameOf(item), item]));
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((name) =>
    compare(left.get(name), right.get(name), [...path, name]),
  );
}

function nameOf(item: Json): string {
  if (isObject(item) && typeof item["name"] === "string") return item["name"];
  return typeof item === "string" ? item : JSON.stringify(item);
}

/** One line for each thing; those of a container together. */
export function formatOverlayChanges(changes: readonly OverlayChange[]): string {
  const groups = new Map<string, string[]>();
  for (const { kind, path, before, after } of changes) {
    const own = path[0] === "lxc_configs" && path.length > 2;
    const group = own ? `container ${path[1]}` : "";
    const name = path.slice(own ? 2 : 0).join(".");
    const text =
      kind === "swapped"
        ? `${name}: ${shown(before)} → ${shown(after)}`
        : kind === "added"
          ? `${name} added${path.at(-1) === after ? "" : `: ${shown(after)}`}`
          : `${name} left out`;
    groups.set(group, [...(groups.get(group) ?? []), text]);
  }
  return [...groups]
    .map(([group, texts]) => (group === "" ? texts.join("\n") : `${group}: ${texts.join("; ")}`))
    .join("\n");
}

function shown(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
