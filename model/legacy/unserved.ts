import known from "./unserved-keys.json" with { type: "json" };
import { patternOf, walk } from "../schema-walk.ts";
import type { Schema } from "../schema-walk.ts";
import type { Path } from "../text.ts";
import type { Rewriter } from "./rewriter.ts";

const sets = { hypervisor: new Set(known.hypervisor), lxc: new Set(known.lxc) };

/** Keys that some revision of the replaced systems knew and that are not served: named, then left out. */
export function dropUnserved(rewriter: Rewriter, file: "hypervisor" | "lxc", schema: Schema): void {
  const found: Path[] = [];
  walk(schema, rewriter.root, (path, sub) => {
    if (sub === undefined && sets[file].has(general(path))) found.push(path);
  });
  for (const path of found) {
    const message = `\`${String(path.at(-1))}\` is a key of an earlier system that is not served: it has no effect`;
    rewriter.drop(path, message, "left out");
  }
}

/** Names that a person chose are `*` in the list. */
function general(path: Path): string {
  const chosen = path[0] === "shared_volumes" || path[0] === "shared_zfs_volumes";
  return patternOf(chosen && path.length > 2 ? [path[0] ?? "", "*", ...path.slice(2)] : path);
}
