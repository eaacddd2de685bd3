import { stat, truncate } from "node:fs/promises";
import { withLock } from "../core/locks.ts";
import { ApiError } from "../core/route.ts";
import { requireEnabledStorage, requireStorage, type Storage } from "../core/storage-config.ts";
import { filePath, parseVolumeId } from "../core/volume-id.ts";
import type { VolumeBackend, VolumeFeature, VolumeInfo } from "./backend.ts";
import { directoryBackend } from "./directory.ts";
import { createImage, growFileSystem, growMounted } from "./image.ts";
import { parseFileName, parseZfsName, type VolumeName } from "./names.ts";
import { CommandError, run, succeeds } from "./run.ts";
import { zfsProperty, zfsRows } from "./zfs.ts";
import { imageBytes, zfsPoolBackend } from "./zfspool.ts";

export type { VolumeInfo } from "./backend.ts";

/** Image files of guests lie on storages of these types. @throws ApiError 500 for another type */
export function backendOf(storage: Storage): VolumeBackend {
  if (storage.type === "zfspool") return zfsPoolBackend(storage);
  if (storage.type === "dir") return directoryBackend(storage);
  throw new ApiError(500, `storage '${storage.id}' (type ${storage.type}) holds no guest volumes in the lab`);
}

interface Located {
  readonly storage: Storage;
  readonly backend: VolumeBackend;
  readonly name: string;
}

function locate(volid: string): Located {
  const { storage: id, name } = parseVolumeId(volid);
  const storage = requireEnabledStorage(id);
  return { storage, backend: backendOf(storage), name };
}

/** Owner, base and kind by the volume's name. @throws ApiError 500 when the name does not parse */
export function describeVolume(volid: string): VolumeName {
  const { storage: id, name } = parseVolumeId(volid);
  return requireStorage(id).type === "zfspool" ? parseZfsName(name) : parseFileName(name);
}

/** As PVE: one change of the list of volumes at a time and storage; waits 60 s. */
function onStorage<T>(id: string, action: () => Promise<T>): Promise<T> {
  return withLock(id, 60, action);
}

/**
 * Makes sure that the pool behind a `zfspool` storage is there and its datasets are mounted.
 * @throws ApiError 500 `could not activate storage 'x', zfs error: …`
 */
export async function activateStorage(storage: Storage): Promise<void> {
  if (storage.type !== "zfspool") return;
  const dataset = storage.pool ?? "";
  if (await succeeds("zfs", ["list", "-H", "-o", "name", dataset])) return;
  const pool = dataset.split("/")[0] ?? "";
  await run("zpool", ["import", "-d", "/dev/disk/by-id/", "-o", "cachefile=none", pool]).catch(
    () => undefined,
  );
  await zfsProperty("name", dataset).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ApiError(500, `could not activate storage '${storage.id}', ${reason}`);
  });
  await succeeds("zfs", ["mount", "-a"]);
}

/** Bytes of a `zfspool` storage as PVE counts them: total is what is used plus what is free. */
export async function storageUsage(
  storage: Storage,
): Promise<{ total: number; used: number; avail: number }> {
  const values = await zfsRows("get", "-Hp", "-o", "value", "available,used", storage.pool ?? "");
  const [avail = 0, used = 0] = values.map(([value]) => Number(value));
  return { total: avail + used, used, avail };
}

/** Guest volumes of a storage, or of one guest on it. */
export async function listVolumes(storage: Storage, filter: { vmid?: number } = {}): Promise<VolumeInfo[]> {
  const volumes = await backendOf(storage).list();
  return volumes.filter(({ vmid }) => filter.vmid === undefined || filter.vmid === vmid);
}

/** @throws ApiError 500 `base volume 'x' is still in use by linked clones` */
export async function freeVolume(volid: string): Promise<void> {
  const { storage, backend, name } = locate(volid);
  await onStorage(storage.id, () => backend.free(name));
}

/**
 * Makes a volume with an empty file system and returns its id.
 * @param owner the node's id of the file system's root
 * @param wanted last part of the volume's name, else the first free one
 */
export async function allocateVolume(
  storageId: string,
  vmid: number,
  bytes: number,
  owner = 0,
  wanted?: string,
): Promise<string> {
  const storage = requireEnabledStorage(storageId);
  const backend = backendOf(storage);
  await activateStorage(storage);
  const name = await onStorage(storageId, async () => {
    const made = await backend.allocate(vmid, bytes, wanted);
    try {
      await createImage(
        await backend.imagePath(made),
        storage.type === "zfspool" ? imageBytes(bytes) : bytes,
        owner,
      );
      return made;
    } catch (error) {
      await backend.free(made);
      throw error;
    }
  });
  return `${storageId}:${name}`;
}

/** Path under which `pvesm path` shows a volume: its folder, image or file. */
export async function resolveVolumePath(volid: string): Promise<string> {
  const { storage: id, name } = parseVolumeId(volid);
  const storage = requireStorage(id);
  if (/^(?:iso|vztmpl|backup|snippets|import)\//.test(name)) return filePath(storage, name);
  return backendOf(storage).path(name);
}

export function volumeImage(volid: string): Promise<string> {
  const { backend, name } = locate(volid);
  return backend.imagePath(name);
}

export function volumeSize(volid: string): Promise<number> {
  const { backend, name } = locate(volid);
  return backend.size(name);
}

export function volumeHasFeature(feature: VolumeFeature, volid: string, snapshot?: string): Promise<boolean> {
  const { backend, name } = locate(volid);
  return backend.hasFeature(feature, name, snapshot);
}

/** Linked clone for another guest; returns the new volume id. */
export async function cloneVolume(volid: string, vmid: number, snapshot?: string): Promise<string> {
  const { storage, backend, name } = locate(volid);
  return `${storage.id}:${await onStorage(storage.id, () => backend.clone(name, vmid, snapshot))}`;
}

/** Full copy for a guest, to the same or another storage; returns the new volume id. */
export async function copyVolume(
  volid: string,
  vmid: number,
  target: string,
  snapshot?: string,
): Promise<string> {
  const { storage, backend, name } = locate(volid);
  if (target === storage.id && backend.copy) return `${target}:${await backend.copy(name, vmid, snapshot)}`;
  const source =
    snapshot === undefined ? await backend.imagePath(name) : await backend.snapshotImagePath(name, snapshot);
  const { type, content } = requireEnabledStorage(target);
  if (type !== "zfspool" && !content.includes("rootdir"))
    throw new ApiError(500, `content type 'rootdir' is not available or configured on storage '${target}'`);
  const bytes = await backend.size(name);
  const copy = await allocateVolume(target, vmid, bytes);
  try {
    const image = await volumeImage(copy);
    const { size } = await stat(image);
    // Only the blocks that the file system uses; the file gets the length of the source's, which may be shorter.
    await run("e2image", ["-r", "-a", source, image], { long: true });
    if ((await stat(image)).size < size) await truncate(image, size);
    await growFileSystem(image);
    return copy;
  } catch (error) {
    await freeVolume(copy);
    throw error;
  }
}

/** Turns a volume into a base for linked clones; returns the new volume id. */
export async function createBaseVolume(volid: string): Promise<string> {
  const { storage, backend, name } = locate(volid);
  return `${storage.id}:${await onStorage(storage.id, () => backend.createBase(name))}`;
}

/**
 * Lengthens a volume; its file system is mounted at `mounted` or not at all.
 * @returns why the file system could not grow while it is mounted; it does at the next mount then
 */
export async function growVolume(
  volid: string,
  bytes: number,
  mounted?: string,
): Promise<string | undefined> {
  const { backend, name } = locate(volid);
  await backend.grow(name, bytes);
  if (mounted === undefined) await growFileSystem(await backend.imagePath(name));
  else
    try {
      await growMounted(mounted);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return error.message;
    }
  return undefined;
}

/** The backend of a volume and its name there, for snapshots and renames. */
export function onVolume<T>(
  volid: string,
  action: (backend: VolumeBackend, name: string) => Promise<T>,
): Promise<T> {
  const { backend, name } = locate(volid);
  return action(backend, name);
}
