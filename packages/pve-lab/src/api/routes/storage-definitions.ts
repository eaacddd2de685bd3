import { execFile } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { promisify } from "node:util";
import { readTextOr } from "../../core/files.ts";
import { withLock } from "../../core/locks.ts";
import { splitList } from "../../core/lists.ts";
import { ApiError, type Context, type Parameters, type Route } from "../../core/route.ts";
import type { Section } from "../../core/section-config.ts";
import {
  DEFAULT_CONTENT,
  readSections,
  readStorages,
  writeStorageSections,
  type Storage,
} from "../../core/storage-config.ts";
import { FILE_CONTENT } from "../../core/volume-id.ts";
import { activateStorage } from "../../volumes/index.ts";
import { asText } from "../../core/text.ts";

const execute = promisify(execFile);

interface Kind {
  /** Options of this type; `fixed` ones are set at creation only. */
  readonly required: readonly string[];
  readonly fixed: readonly string[];
  readonly optional: readonly string[];
  readonly content: readonly string[];
}

const COMMON = ["content", "nodes", "disable", "bwlimit"];
const FOLDERS = ["format", "prune-backups", "max-protected-backups", "preallocation", "content-dirs"];
const FILES = ["images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none"];
const CREATION = ["create-base-path", "create-subdirs", "mkdir"];

/** The storage types of a node without a cluster that the lab really keeps (PVE::Storage::*Plugin, documented). */
const KINDS: Readonly<Record<string, Kind>> = {
  dir: {
    required: ["path"],
    fixed: ["path"],
    optional: [...COMMON, ...FOLDERS, ...CREATION, "shared", "is_mountpoint"],
    content: FILES,
  },
  nfs: {
    required: ["server", "export"],
    fixed: ["server", "export", "path"],
    optional: [...COMMON, ...FOLDERS, ...CREATION, "options"],
    content: FILES,
  },
  zfspool: {
    required: ["pool"],
    fixed: ["pool"],
    optional: [...COMMON, "blocksize", "sparse", "mountpoint"],
    content: ["images", "rootdir", "none"],
  },
};

/** Written as flags; PVE leaves a 0 out of `disable` and `sparse` but keeps it elsewhere. */
const NUMERIC = new Set([
  "disable",
  "sparse",
  "shared",
  "create-base-path",
  "create-subdirs",
  "mkdir",
  "max-protected-backups",
]);

/** Options are checked after the parameters, by the storage's type; PVE answers 500 for them. */
function invalid(text: string, during?: string): ApiError {
  return new ApiError(500, during === undefined ? text : `${during} storage failed: ${text}`);
}

function checkContent(kind: Kind, type: string, value: unknown): void {
  for (const content of splitList(value))
    if (!kind.content.includes(content))
      throw new ApiError(500, `storage does not support content type '${content}' (type '${type}')`);
}

/** The options of a section from verified parameters; unknown ones for its type are refused as PVE does. */
function optionsFrom(kind: Kind, parameters: Parameters, creating: boolean): Record<string, string> {
  const options: Record<string, string> = {};
  for (const [key, value] of Object.entries(parameters)) {
    if (["storage", "type", "delete", "digest"].includes(key)) continue;
    const fixed = kind.fixed.includes(key);
    if (!fixed && !kind.optional.includes(key)) throw invalid(`unexpected property '${key}'`);
    if (fixed && !creating) throw invalid(`can't change value of fixed parameter '${key}'`, "update");
    options[key] = key === "content" || key === "nodes" ? splitList(value).join(",") : asText(value);
  }
  if (creating)
    for (const key of kind.required)
      if (options[key] === undefined) throw invalid(`missing value for required option '${key}'`);
  return options;
}

/** A definition as the API shows it. */
function view(section: Section, digest: string): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(section.options))
    options[key] = NUMERIC.has(key) ? Number(value) : value;
  const content = DEFAULT_CONTENT[section.type] ?? "";
  return { storage: section.id, type: section.type, content, ...options, digest };
}

/** Makes the folder (unless told not to) and the sub-folders for its content, or says why it cannot be used. */
export function activateFolder(storage: Storage): void {
  const { path, options } = storage;
  if (path === undefined) return;
  const may = (key: string): boolean => options[key] !== "0" && options["mkdir"] !== "0";
  if (!existsSync(path) && may("create-base-path") && storage.type === "dir")
    mkdirSync(path, { recursive: true });
  if (!existsSync(path) || !statSync(path).isDirectory())
    throw new ApiError(
      500,
      `unable to activate storage '${storage.id}' - directory '${path}' does not exist or is unreachable`,
    );
  if (!may("create-subdirs")) return;
  for (const content of storage.content) {
    const folder = FILE_CONTENT[content]?.folder;
    if (folder !== undefined) mkdirSync(`${path}/${folder}`, { recursive: true });
  }
}

/** Mounts an export where the node can; PVE refuses to define a storage that it cannot reach. */
async function activateExport(storage: Storage): Promise<void> {
  const { id, path, options } = storage;
  if (path === undefined) return;
  const mounts = readTextOr("/proc/mounts", "");
  if (mounts.split("\n").some((line) => line.split(" ")[1] === path)) return;
  mkdirSync(path, { recursive: true });
  const source = `${options["server"] ?? ""}:${options["export"] ?? ""}`;
  const flags = options["options"] === undefined ? [] : ["-o", options["options"]];
  try {
    await execute("mount", ["-t", "nfs", ...flags, source, path], { timeout: 20_000 });
  } catch {
    throw new ApiError(500, `storage '${id}' is not online`);
  }
}

async function activate(id: string): Promise<void> {
  const storage = readStorages().find((candidate) => candidate.id === id);
  if (!storage?.enabled) return;
  if (storage.type === "nfs") await activateExport(storage);
  if (storage.type === "zfspool") await activateStorage(storage);
  else if (storage.type === "dir") activateFolder(storage);
}

function locked<T>(action: () => Promise<T> | T): Promise<T> {
  return withLock("storage.cfg", 10, action, "/var/lock/pve-manager/pve-storage.cfg");
}

async function create({ parameters }: Context): Promise<unknown> {
  const id = asText(parameters["storage"]);
  const type = asText(parameters["type"]);
  const kind = KINDS[type];
  if (!kind)
    throw new ApiError(
      501,
      `storage type '${type}' is described by Proxmox VE but not implemented in the lab`,
    );
  return locked(async () => {
    const { sections } = readSections();
    if (sections.some((section) => section.id === id))
      throw new ApiError(500, `create storage failed: storage ID '${id}' already defined`);
    const options = optionsFrom(kind, parameters, true);
    checkContent(kind, type, options["content"]);
    if (type === "nfs") options["path"] ??= `/mnt/pve/${id}`;
    if (type === "zfspool") options["mountpoint"] ??= `/${options["pool"] ?? ""}`;
    writeStorageSections([...sections, { type, id, options }]);
    try {
      await activate(id);
    } catch (error) {
      writeStorageSections(sections);
      const text = error instanceof Error ? error.message : String(error);
      throw new ApiError(500, `create storage failed: ${text}`);
    }
    return { storage: id, type };
  });
}

function find(sections: readonly Section[], id: string): Section {
  const section = sections.find((candidate) => candidate.id === id);
  if (!section) throw new ApiError(500, `storage '${id}' does not exist`);
  return section;
}

async function update({ parameters }: Context): Promise<unknown> {
  const id = asText(parameters["storage"]);
  return locked(() => {
    const { sections, digest } = readSections();
    if (parameters["digest"] !== undefined && parameters["digest"] !== digest)
      throw new ApiError(
        500,
        "update storage failed: detected modified configuration - file changed by other user? Try again.",
      );
    const section = find(sections, id);
    const kind = KINDS[section.type];
    if (!kind) throw new ApiError(501, `storage type '${section.type}' is not implemented in the lab`);
    const options = optionsFrom(kind, parameters, false);
    checkContent(kind, section.type, options["content"]);
    for (const key of splitList(parameters["delete"])) {
      if (kind.fixed.includes(key)) throw invalid(`unable to delete fixed option '${key}'`, "update");
      if (!kind.optional.includes(key)) throw invalid(`no such option '${key}'`, "update");
      if (options[key] !== undefined)
        throw invalid(`cannot set and delete property '${key}' at the same time!`, "update");
      Reflect.deleteProperty(section.options, key);
    }
    Object.assign(section.options, options);
    writeStorageSections(sections);
    return { storage: id, type: section.type };
  });
}

async function remove({ parameters }: Context): Promise<null> {
  const id = asText(parameters["storage"]);
  return locked(async () => {
    const { sections } = readSections();
    const { type, options } = find(sections, id);
    writeStorageSections(sections.filter((section) => section.id !== id));
    if (type === "nfs" && options["path"] !== undefined)
      await execute("umount", [options["path"]]).catch(() => undefined);
    return null;
  });
}

function list(context: Context): unknown {
  const { sections, digest } = readSections();
  const type = context.parameters["type"];
  return sections
    .filter((section) => type === undefined || section.type === type)
    .filter(({ id }) =>
      context.allowed(`/storage/${id}`, ["Datastore.Audit", "Datastore.AllocateSpace"], true),
    )
    .map((section) => view(section, digest));
}

export const storageDefinitionRoutes: Route[] = [
  { method: "GET", path: "/storage", evidence: "documented", handler: list },
  { method: "POST", path: "/storage", evidence: "observed", handler: create },
  {
    method: "GET",
    path: "/storage/{storage}",
    evidence: "observed",
    handler: ({ parameters }) => {
      const { sections, digest } = readSections();
      return view(find(sections, asText(parameters["storage"])), digest);
    },
  },
  { method: "PUT", path: "/storage/{storage}", evidence: "observed", handler: update },
  { method: "DELETE", path: "/storage/{storage}", evidence: "observed", handler: remove },
];
