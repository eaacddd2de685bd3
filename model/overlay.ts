import { apply } from "json-merge-patch";
import { isObject } from "./text.ts";
import type { Json, ParsedFile, Path } from "./text.ts";

export interface Merged {
  value: Json;
  /** What an overlay takes out although nothing before it has it: most likely a typing error. */
  idle: { file: ParsedFile; path: Path }[];
}

/** The base with its overlays applied in order (JSON Merge Patch, RFC 7386). The base's value is used up. */
export function merge(files: readonly ParsedFile[]): Merged {
  const [base, ...overlays] = files;
  const idle: Merged["idle"] = [];
  // The value was made from the text just now and is nobody else's.
  let value: Json = base?.value ?? {};
  for (const file of overlays) {
    for (const path of idleRemovals(value, file.value)) idle.push({ file, path });
    value = apply<Json>(value, structuredClone(file.value));
  }
  return { value, idle };
}

function idleRemovals(before: Json | undefined, patch: Json, path: Path = []): Path[] {
  if (!isObject(patch)) return [];
  return Object.entries(patch).flatMap(([key, member]) => {
    const old = isObject(before) && Object.hasOwn(before, key) ? before[key] : undefined;
    if (member === null) return old === undefined ? [[...path, key]] : [];
    return idleRemovals(old, member, [...path, key]);
  });
}
