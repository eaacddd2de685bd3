import type { Node } from "jsonc-parser";
import { lineAndColumn, toPointer } from "./text.ts";
import type { ParsedFile, Path } from "./text.ts";

export interface Place {
  file: string;
  line: number;
  column: number;
  pointer: string;
}

/** Finds where a value of the merged configuration was written: the last file that has it wins, as in the merge. */
export class Locator {
  readonly #files: readonly ParsedFile[];
  readonly #moved: { to: Path; from: Path }[] = [];

  constructor(files: readonly ParsedFile[]) {
    this.#files = files;
  }

  /** From now on what is found at `to` is reported where it was written: at `from`. */
  moved(to: Path, from: Path): void {
    this.#moved.unshift({ to, from });
  }

  /** @param what "key" points at the key of a member, "value" (default) at its value. */
  find(path: Path, what: "key" | "value" = "value"): Place {
    const written = this.#written(path);
    // What is missing has no place of its own: then the nearest thing around it.
    for (let length = written.length; length >= 0; length--) {
      const part = written.slice(0, length);
      for (const file of [...this.#files].reverse()) {
        const node = nodeAt(file.tree, part);
        if (node === undefined) continue;
        const isKey = (what === "key" || length < written.length) && node.parent?.type === "property";
        const shown: Node = isKey ? (node.parent.children?.[0] ?? node) : node;
        return { file: file.path, ...lineAndColumn(file.text, shown.offset), pointer: toPointer(part) };
      }
    }
    return { file: this.#files[0]?.path ?? "", line: 1, column: 1, pointer: "" };
  }

  /** Newest move first; each can rest on an older one, never on itself or a newer. */
  #written(path: Path, from = 0): Path {
    for (let i = from; i < this.#moved.length; i++) {
      const move = this.#moved[i];
      if (move === undefined || move.to.length > path.length) continue;
      if (move.to.every((part, k) => String(part) === String(path[k]))) {
        return this.#written([...move.from, ...path.slice(move.to.length)], i + 1);
      }
    }
    return path;
  }
}

/** A part is a key of an object or a position in an array, whatever it is written as. */
function nodeAt(tree: Node, path: Path): Node | undefined {
  let node: Node | undefined = tree;
  for (const part of path) {
    if (node?.type === "array") node = node.children?.[Number(part)];
    else if (node?.type === "object") {
      const member: Node | undefined = node.children?.find(
        (child) => child.children?.[0]?.value === String(part),
      );
      node = member?.children?.[1];
    } else return undefined;
  }
  return node;
}
