import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { backendFolder } from "./stale-lock.ts";

/**
 * Removes side files that a killed run left half written. The file backend (gocloud.dev/blob/fileblob) writes one
 * `.attrs` beside each of its files, not in one go; with an empty one every verb of Pulumi ends in "failed to load
 * checkpoint: EOF". It holds nothing that Pulumi needs, and one that is missing is no fault.
 */
export function dropBrokenSideFiles(backend: string): void {
  const folder = backendFolder(backend);
  const state = folder === undefined ? "" : join(folder, ".pulumi");
  if (!existsSync(state)) return;
  for (const file of readdirSync(state, { recursive: true, encoding: "utf8" })) {
    if (file.endsWith(".attrs") && isBroken(join(state, file))) rmSync(join(state, file), { force: true });
  }
}

function isBroken(path: string): boolean {
  try {
    const text = readFileSync(path, "utf8");
    try {
      JSON.parse(text);
      return false;
    } catch {
      return true;
    }
  } catch {
    return false; // gone meanwhile, or not ours to read
  }
}
