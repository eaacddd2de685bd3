import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { NodeFile } from "../image/node-file.ts";

/** Where the node's files are written, and what tells what of them is still the lab's. */
export interface Target {
  /** The writable layer of a stopped node, or the root of a running one. */
  readonly root: string;
  /** The image below, if `root` is a layer. */
  readonly lower: string | undefined;
  /** The node's writable layer in either case: a file that is not there has never been written. */
  readonly upper: string;
  /** JSON: path of an owner's file → digest of the text that the lab wrote into it last. */
  readonly record: string;
}

const digestOf = (text: string | Buffer): string => createHash("sha256").update(text).digest("hex");

/** Creates parents with the modes that they have in the image below, since an overlay shows the upper layer's. */
export function makeParents(root: string, lower: string | undefined, file: string): void {
  const parts = path
    .dirname(file)
    .split("/")
    .filter((part) => part !== "");
  let current = "";
  for (const part of parts) {
    current += `/${part}`;
    const target = root + current;
    if (existsSync(target)) continue;
    const below = lower === undefined ? undefined : lower + current;
    const mode =
      below !== undefined && existsSync(below)
        ? statSync(below).mode & 0o7777
        : part === ".ssh"
          ? 0o700
          : 0o755;
    mkdirSync(target);
    chmodSync(target, mode);
  }
}

function kindOf(file: string): "file" | "link" | "none" {
  try {
    return lstatSync(file).isSymbolicLink() ? "link" : "file";
  } catch {
    return "none";
  }
}

/** Whether the node's owner has changed a file of hers since the lab wrote it: then it stays as it is. */
function isOwners(file: NodeFile, { upper }: Target, written: string | undefined): boolean {
  if (file.owners !== true) return false;
  const there = upper + file.path;
  const kind = kindOf(there);
  return kind === "link" || (kind === "file" && digestOf(readFileSync(there)) !== written);
}

/** Writes files into a node, but for those that its owner has changed. */
export function placeFiles(files: readonly NodeFile[], target: Target): void {
  const { root, lower, record } = target;
  const written = existsSync(record)
    ? (JSON.parse(readFileSync(record, "utf8")) as Record<string, string>)
    : {};
  for (const file of files) {
    if (isOwners(file, target, written[file.path])) continue;
    makeParents(root, lower, file.path);
    if (kindOf(root + file.path) === "link") rmSync(root + file.path);
    writeFileSync(root + file.path, file.text, { mode: file.mode });
    chmodSync(root + file.path, file.mode);
    if (file.owners === true) written[file.path] = digestOf(file.text);
  }
  writeFileSync(record, `${JSON.stringify(written, undefined, 2)}\n`);
}
