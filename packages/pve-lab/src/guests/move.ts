import { ApiError, type Context, type TaskLog } from "../core/route.ts";
import { requireEnabledStorage } from "../core/storage-config.ts";
import { copyVolume, createBaseVolume, describeVolume, freeVolume, onVolume } from "../volumes/index.ts";
import { inTask } from "../volumes/run.ts";
import { drop, type GuestConfig } from "./config-file.ts";
import {
  loadConfig,
  removeLock,
  requireUnlocked,
  saveConfig,
  setLock,
  updateConfig,
  withConfigLock,
} from "./config-store.ts";
import { flagOf, numberOf, textOf, vmidOf } from "./parameters.ts";
import { keepAsUnused } from "./pending.ts";
import { isRunning } from "./process.ts";
import { parseMountPoint, printMountPoint } from "./property-string.ts";

/** POST /nodes/{node}/lxc/{vmid}/move_volume: to another storage or to another container. */
export async function moveVolume(context: Context): Promise<string> {
  const { parameters } = context;
  const storage = textOf(parameters, "storage");
  const target = numberOf(parameters, "target-vmid");
  if (storage !== undefined && target !== undefined)
    throw new ApiError(500, "either set storage or target-vmid, but not both");
  if (storage !== undefined) return moveToStorage(context, storage);
  if (target !== undefined) return moveToGuest(context, target);
  throw new ApiError(500, "you need to specify either target storage or target vmid");
}

async function moveToStorage(context: Context, storage: string): Promise<string> {
  const { parameters } = context;
  const vmid = vmidOf(parameters);
  const key = textOf(parameters, "volume") ?? "";
  const remove = flagOf(parameters, "delete") === true;
  requireEnabledStorage(storage);
  context.requirePrivileges(`/storage/${storage}`, ["Datastore.AllocateSpace"]);
  const config = loadConfig(vmid);
  requireUnlocked(config);
  if (isRunning(vmid)) throw new ApiError(500, "cannot move volumes of a running container");
  if (/^unused\d+$/.test(key))
    throw new ApiError(
      500,
      `cannot move volume '${key}', only configured volumes can be moved to another storage`,
    );
  const old = volumeAt(config, key);
  const held = Object.values(config.snapshots).some(({ values }) =>
    Object.values(values).some((value) => value.split(",")[0] === old),
  );
  if (remove && held) throw new ApiError(500, "you can't move a volume with snapshots and delete the source");
  await setLock(vmid, "disk");
  return context.startTask("move_volume", String(vmid), async (log, signal) => {
    try {
      await inTask(signal, () => copyAway(vmid, key, old, storage, remove, log));
    } finally {
      await removeLock(vmid, "disk");
    }
  });
}

function volumeAt({ values }: GuestConfig, key: string): string {
  const value = values[key];
  if (value === undefined) throw new ApiError(500, `no such mount point '${key}' configured`);
  return parseMountPoint(value)["volume"] ?? "";
}

async function copyAway(
  vmid: number,
  key: string,
  old: string,
  storage: string,
  remove: boolean,
  log: TaskLog,
): Promise<void> {
  let volume = await copyVolume(old, vmid, storage);
  try {
    if (loadConfig(vmid).values["template"] === "1") volume = await createBaseVolume(volume);
    await updateConfig(vmid, (config) => {
      config.values[key] = printMountPoint({ ...parseMountPoint(config.values[key] ?? ""), volume });
      if (!remove) keepAsUnused(config, old);
    });
  } catch (error) {
    await freeVolume(volume);
    throw error;
  }
  if (!remove) return;
  await freeVolume(old).catch(async (error: unknown) => {
    log(`WARN: ${error instanceof Error ? error.message : String(error)}`);
    await updateConfig(vmid, (config) => keepAsUnused(config, old));
  });
}

function moveToGuest(context: Context, target: number): string {
  const { parameters } = context;
  const vmid = vmidOf(parameters);
  const key = textOf(parameters, "volume") ?? "";
  const targetKey = textOf(parameters, "target-volume") ?? key;
  context.requirePrivileges(`/vms/${target}`, ["VM.Config.Disk"]);
  if (key === "rootfs" || targetKey === "rootfs") throw new ApiError(500, "Cannot move to/from 'rootfs'");
  if (/^unused/.test(key) && !/^unused/.test(targetKey))
    throw new ApiError(500, "Moving an unused volume to a used one is not possible");
  const [from, to] = [loadConfig(vmid), loadConfig(target)];
  for (const config of [from, to]) requireUnlocked(config);
  if (from.values["template"] === "1" || to.values["template"] === "1")
    throw new ApiError(500, "Can't move volumes from or to template CT");
  if (to.values[targetKey] !== undefined)
    throw new ApiError(500, `Target volume key '${targetKey}' is already in use for container '${target}'`);
  const old = volumeAt(from, key);
  if (describeVolume(old).owner !== vmid) throw new ApiError(500, `CT ${vmid} isn't the owner of '${old}'`);
  if (isRunning(vmid) || isRunning(target))
    throw new ApiError(500, "cannot move volumes of a running container");
  return context.startTask("move_volume", `${vmid}-${key}-${target}`, async () => {
    const name = await onVolume(old, (backend, volume) => backend.rename(volume, target));
    const volume = `${old.split(":")[0] ?? ""}:${name}`;
    const value = printMountPoint({ ...parseMountPoint(from.values[key] ?? ""), volume });
    await updateConfig(vmid, ({ values }) => drop(values, key));
    await withConfigLock(target, () => {
      const config = loadConfig(target);
      config.values[targetKey] = /^unused/.test(targetKey) ? volume : value;
      saveConfig(target, config);
    });
  });
}
