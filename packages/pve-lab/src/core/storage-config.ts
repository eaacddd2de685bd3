import { digestOf, readTextOr, writeFileAtomic } from "./files.ts";
import { splitList } from "./lists.ts";
import { nodeName, place } from "./places.ts";
import { ApiError } from "./route.ts";
import { parseSections, writeSections, type Section } from "./section-config.ts";

/** One storage definition of /etc/pve/storage.cfg. */
export interface Storage {
  readonly id: string;
  readonly type: string;
  readonly options: Readonly<Record<string, string>>;
  readonly content: readonly string[];
  /** Folder of a `dir` storage or mount point of an `nfs` one. */
  readonly path?: string;
  /** Dataset of a `zfspool` storage. */
  readonly pool?: string;
  /** Not disabled, and not restricted to other nodes. */
  readonly enabled: boolean;
  readonly shared: boolean;
}

const FILE = "/etc/pve/storage.cfg";

/** What PVE assumes when `content` is not set. */
export const DEFAULT_CONTENT: Readonly<Record<string, string>> = {
  dir: "images,rootdir",
  nfs: "images",
  zfspool: "images,rootdir",
};

/** A fresh node's definitions. */
export const INITIAL_STORAGES = "dir: local\n\tpath /var/lib/vz\n\tcontent iso,vztmpl,backup\n\n";

function toStorage({ id, type, options }: Section): Storage {
  const path = type === "nfs" ? (options["path"] ?? `/mnt/pve/${id}`) : options["path"];
  const nodes = splitList(options["nodes"]);
  return {
    id,
    type,
    options,
    content: splitList(options["content"] ?? DEFAULT_CONTENT[type] ?? ""),
    ...(path === undefined ? {} : { path }),
    ...(options["pool"] === undefined ? {} : { pool: options["pool"] }),
    enabled: options["disable"] !== "1" && (nodes.length === 0 || nodes.includes(nodeName())),
    shared: type === "nfs" || options["shared"] === "1",
  };
}

export function readSections(): { sections: Section[]; digest: string } {
  const text = readTextOr(place(FILE), INITIAL_STORAGES);
  return { sections: parseSections(text), digest: digestOf(text) };
}

export function writeStorageSections(sections: readonly Section[]): void {
  writeFileAtomic(place(FILE), writeSections(sections));
}

export function readStorages(): Storage[] {
  return readSections().sections.map(toStorage);
}

/** @throws ApiError 500 `storage 'x' does not exist` */
export function requireStorage(id: string): Storage {
  const storage = readStorages().find((candidate) => candidate.id === id);
  if (!storage) throw new ApiError(500, `storage '${id}' does not exist`);
  return storage;
}

/** @throws ApiError 500 when it does not exist, is disabled, or not for this node */
export function requireEnabledStorage(id: string): Storage {
  const storage = requireStorage(id);
  if (storage.options["disable"] === "1") throw new ApiError(500, `storage '${id}' is disabled`);
  if (!storage.enabled) throw new ApiError(500, `storage '${id}' is not available on node '${nodeName()}'`);
  return storage;
}
