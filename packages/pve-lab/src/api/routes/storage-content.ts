import { readdirSync, rmSync, statSync, type Stats } from "node:fs";
import { isMissing } from "../../core/files.ts";
import { ApiError, type Context, type Route } from "../../core/route.ts";
import { requireEnabledStorage, type Storage } from "../../core/storage-config.ts";
import { FILE_CONTENT, filePath, parseVolumeId } from "../../core/volume-id.ts";
import { freeVolume, listVolumes, resolveVolumePath, type VolumeInfo } from "../../volumes/index.ts";
import { asText } from "../../core/text.ts";

interface FileVolume {
  readonly volid: string;
  readonly content: string;
  readonly format: string;
  readonly size: number;
  readonly ctime: number;
  readonly vmid?: number;
}

/** What PVE calls a file's format: its last extension, archives by their compression. */
function formatOf(content: string, name: string): string {
  const archive = /\.(?:tar|vma)\.(gz|xz|zst|bz2|lzo)$/.exec(name)?.[1];
  if (content === "vztmpl") return `t${archive ?? "ar"}`;
  if (content === "backup") return /\.(tgz|tar(?:\.\w+)?|vma(?:\.\w+)?)$/.exec(name)?.[1] ?? "tar";
  if (content === "snippets") return "snippet";
  return /\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? "raw";
}

function describeFile(storage: Storage, content: string, name: string, stats: Stats): FileVolume {
  const vmid = /^vzdump-(?:lxc|qemu)-(\d+)-/.exec(name)?.[1];
  return {
    volid: `${storage.id}:${FILE_CONTENT[content]?.prefix ?? content}/${name}`,
    content,
    format: formatOf(content, name),
    size: stats.size,
    ctime: Math.floor(stats.ctimeMs / 1000),
    ...(content === "backup" && vmid !== undefined ? { vmid: Number(vmid) } : {}),
  };
}

/** Files of one content type on a storage with a folder. */
function listFiles(storage: Storage, content: string): FileVolume[] {
  const rule = FILE_CONTENT[content];
  if (!rule || storage.path === undefined) return [];
  const folder = `${storage.path}/${rule.folder}`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  return names.sort().flatMap((name) => {
    const stats = statSync(`${folder}/${name}`, { throwIfNoEntry: false });
    return stats?.isFile() && rule.pattern.test(name) ? [describeFile(storage, content, name, stats)] : [];
  });
}

export async function listContent(
  storage: Storage,
  content?: string,
  vmid?: number,
): Promise<(FileVolume | VolumeInfo)[]> {
  const asked = storage.content.filter((one) => content === undefined || one === content);
  const files = asked.flatMap((one) => listFiles(storage, one));
  const guests = asked.includes("rootdir") || asked.includes("images") ? await listVolumes(storage) : [];
  const volumes = guests.filter((volume) => content === undefined || volume.content === content);
  return [...files, ...volumes].filter((volume) => vmid === undefined || volume.vmid === vmid);
}

/** What a caller without rights over the whole storage may see: templates and its own guests' volumes. */
function maySee(context: Context, storage: string, volume: FileVolume | VolumeInfo): boolean {
  if (context.allowed(`/storage/${storage}`, ["Datastore.Allocate"])) return true;
  if (
    volume.content === "vztmpl" ||
    volume.content === "iso" ||
    volume.content === "snippets" ||
    volume.content === "import"
  )
    return true;
  if (volume.vmid === undefined) return context.allowed(`/storage/${storage}`, ["Datastore.Allocate"]);
  return volume.content === "backup"
    ? context.allowed(`/vms/${volume.vmid}`, ["VM.Backup"])
    : context.allowed(`/vms/${volume.vmid}`, ["VM.Config.Disk", "VM.Audit"], true);
}

async function list(context: Context): Promise<unknown> {
  const { parameters: p } = context;
  const storage = requireEnabledStorage(asText(p["storage"]));
  const content = typeof p["content"] === "string" ? p["content"] : undefined;
  const vmid = typeof p["vmid"] === "number" ? p["vmid"] : undefined;
  const volumes = await listContent(storage, content, vmid);
  return volumes.filter((volume) => maySee(context, storage.id, volume));
}

/** `volume` may come with or without the storage's name. */
function volumeIdOf({ parameters }: Context): { storage: Storage; name: string; volid: string } {
  const id = asText(parameters["storage"]);
  const text = asText(parameters["volume"]);
  const volid = text.includes(":") ? text : `${id}:${text}`;
  const { storage, name } = parseVolumeId(volid);
  if (storage !== id)
    throw new ApiError(400, "Parameter verification failed.", {
      storage: `storage ID mismatch ('${storage}' != '${id}')`,
    });
  return { storage: requireEnabledStorage(id), name, volid };
}

const isFileName = (name: string): boolean => /^(?:iso|vztmpl|backup|snippets|import)\//.test(name);

async function attributes(context: Context): Promise<unknown> {
  const { storage, name, volid } = volumeIdOf(context);
  const path = await resolveVolumePath(volid);
  const found = (await listContent(storage)).find((volume) => volume.volid === volid);
  if (!found) throw new ApiError(500, `volume_size_info on '${volid}' failed - no such volume`);
  if (!maySee(context, storage.id, found))
    context.requirePrivileges(`/storage/${storage.id}`, ["Datastore.Allocate"]);
  const used = "used" in found ? found.used : undefined;
  return {
    path,
    size: found.size,
    used: used ?? found.size,
    format: isFileName(name) ? formatOf(found.content, name) : found.format,
  };
}

function remove(context: Context): string {
  const { storage, name, volid } = volumeIdOf(context);
  const owner = /^(?:base-|vm-|subvol-|basevol-)(\d+)-|\/(?:vm|base)-(\d+)-|vzdump-(?:lxc|qemu)-(\d+)-/
    .exec(name)
    ?.slice(1)
    .find(Boolean);
  const isBackupOfOwn =
    name.startsWith("backup/") && owner !== undefined && context.allowed(`/vms/${owner}`, ["VM.Backup"]);
  if (isBackupOfOwn) context.requirePrivileges(`/storage/${storage.id}`, ["Datastore.AllocateSpace"]);
  else context.requirePrivileges(`/storage/${storage.id}`, ["Datastore.Allocate"]);
  if (isFileName(name)) {
    const path = filePath(storage, name);
    if (!statSync(path, { throwIfNoEntry: false }))
      throw new ApiError(500, `unable to remove '${volid}' - no such volume`);
  }
  return context.startTask(
    "imgdel",
    owner === undefined ? storage.id : `${owner}@${storage.id}`,
    async (log) => {
      if (isFileName(name)) rmSync(filePath(storage, name));
      else await freeVolume(volid);
      log(`Removed volume '${volid}'`);
    },
  );
}

const path = "/nodes/{node}/storage/{storage}/content";
export const storageContentRoutes: Route[] = [
  { method: "GET", path, evidence: "observed", handler: list },
  { method: "GET", path: `${path}/{volume}`, evidence: "documented", handler: attributes },
  { method: "DELETE", path: `${path}/{volume}`, evidence: "observed", handler: remove },
];
