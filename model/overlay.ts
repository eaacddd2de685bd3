import { apply } from "json-merge-patch";
import type { Json, ParsedFile } from "./text.ts";

/** The base with its overlays applied in order (JSON Merge Patch, RFC 7386). The base's value is used up. */
export function merge(files: readonly ParsedFile[]): Json {
  const [base, ...overlays] = files;
  if (base === undefined) return {};
  // The value was made from the text just now and is nobody else's.
  let merged: Json = base.value;
  for (const overlay of overlays) merged = apply(merged, structuredClone(overlay.value)) as Json;
  return merged;
}
