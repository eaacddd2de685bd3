/** The one file of the model that touches the disk. */
import { accessSync, constants, readdirSync, readFileSync, statSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import type { SourceFile, Sources } from "./types.ts";

export interface FileNames {
  /** Base first, then overlays; relative to `root` or absolute. */
  hypervisor: string[];
  lxc: string[];
  /** Folders with features beside those of the repository. */
  features?: string[];
}

/**
 * Reads the configuration, the manifests and the names of the scripts. Never throws: what cannot be read is handed on
 * as `SourceFile.problem` and becomes a finding of class `file`.
 * @param root the repository
 */
export function readSources(root: string, names: FileNames): Sources {
  const read = (path: string): SourceFile => readText(root, path);
  const folders = ["bin/lxc", "bin/hypervisor", ...(names.features ?? [])];
  const features: SourceFile[] = [];
  const scripts: string[] = [];
  for (const folder of folders) {
    const own = folder.startsWith("bin/");
    const listing = listFolder(root, folder);
    if (typeof listing === "string") {
      if (!own) features.push({ path: folder, text: "", problem: listing });
      continue;
    }
    for (const name of listing) {
      const path = join(folder, name);
      const isManifest = name.endsWith(".json");
      if (isManifest && (own || hasScript(listing, name))) features.push(read(path));
      else if (!isManifest && (name.endsWith(".sh") || isExecutable(resolve(root, path)))) scripts.push(path);
    }
  }
  const apps = listFolder(root, "bin/apps");
  if (typeof apps !== "string") scripts.push(...apps.map((name) => join("bin/apps", name)));
  return { hypervisor: names.hypervisor.map(read), lxc: names.lxc.map(read), features, scripts };
}

function readText(root: string, path: string): SourceFile {
  const absolute = resolve(root, path);
  const shown = isAbsolute(path) && !relative(root, path).startsWith("..") ? relative(root, path) : path;
  try {
    return { path: shown, text: readFileSync(absolute, "utf8") };
  } catch (error) {
    return { path: shown, text: "", problem: reason(error, "the file") };
  }
}

/** Plain files in a folder, sorted, or why there are none to be had. */
function listFolder(root: string, folder: string): string[] | string {
  const absolute = resolve(root, folder);
  try {
    const names = readdirSync(absolute).sort();
    return names.filter(
      (name) => statSync(join(absolute, name), { throwIfNoEntry: false })?.isFile() === true,
    );
  } catch (error) {
    return reason(error, "the folder");
  }
}

function hasScript(listing: readonly string[], manifest: string): boolean {
  const stem = manifest.replace(/\.json$/, "");
  return listing.includes(stem) || listing.includes(`${stem}.sh`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function reason(error: unknown, what: string): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reasons: Record<string, string> = {
    ENOENT: `${what} does not exist`,
    EACCES: `${what} may not be read`,
    EISDIR: `${what} is a folder`,
    ENOTDIR: `${what} is no folder`,
  };
  return reasons[code] ?? `${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
