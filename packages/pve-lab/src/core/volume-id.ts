import { ApiError } from "./route.ts";
import type { Storage } from "./storage-config.ts";

export interface VolumeId {
  readonly storage: string;
  readonly name: string;
}

/** Takes `storage:name` apart. @throws ApiError 500 `unable to parse volume ID 'x'` */
export function parseVolumeId(volid: string): VolumeId {
  const match = /^([a-z][a-z0-9\-_.]*[a-z0-9]):(.+)$/i.exec(volid);
  if (match?.[1] === undefined || match[2] === undefined)
    throw new ApiError(500, `unable to parse volume ID '${volid}'`);
  return { storage: match[1], name: match[2] };
}

/** Folders of a file storage by content type, and which file names belong to it (PVE::Storage::Plugin, documented). */
export const FILE_CONTENT: Readonly<Record<string, { folder: string; prefix: string; pattern: RegExp }>> = {
  iso: { folder: "template/iso", prefix: "iso", pattern: /\.(?:iso|img)$/i },
  vztmpl: { folder: "template/cache", prefix: "vztmpl", pattern: /\.tar\.(?:gz|xz|zst|bz2)$/i },
  backup: {
    folder: "dump",
    prefix: "backup",
    pattern: /\.(?:tgz|tar|tar\.(?:gz|lzo|zst|bz2)|vma|vma\.(?:gz|lzo|zst))$/i,
  },
  snippets: { folder: "snippets", prefix: "snippets", pattern: /./ },
  import: { folder: "import", prefix: "import", pattern: /\.(?:ova|ovf|qcow2|raw|vmdk)$/i },
};

/** Path of a file volume (`vztmpl/x.tar.zst`) on a storage with a folder. */
export function filePath(storage: Storage, name: string): string {
  const match = /^(iso|vztmpl|backup|snippets|import)\/([^/]+)$/.exec(name);
  const content = match?.[1] === undefined ? undefined : FILE_CONTENT[match[1]];
  if (!content || match?.[2] === undefined || match[2] === ".." || storage.path === undefined)
    throw new ApiError(500, `unable to parse directory volume name '${name}'`);
  return `${storage.path}/${content.folder}/${match[2]}`;
}
