import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createHash, randomBytes } from "node:crypto";

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

/** The file's text, or `fallback` when there is no such file. */
export function readTextOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return fallback;
    throw error;
  }
}

/** Replaces the file as a whole, so that a reader never sees half of it. Creates missing folders. */
export function writeFileAtomic(path: string, text: string, mode = 0o640): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.tmp.${process.pid}.${randomBytes(3).toString("hex")}`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, path);
}

/** PVE's digest of a configuration file: SHA-1 over its bytes, hexadecimal. */
export function digestOf(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
