import { ApiError, type TaskLog } from "../core/route.ts";
import { isMounted, whileFrozen } from "../volumes/image.ts";
import { onVolume, volumeHasFeature } from "../volumes/index.ts";
import { emptySection, type GuestConfig, type Section, drop } from "./config-file.ts";
import {
  loadConfig,
  requireUnlocked,
  saveConfig,
  setLock,
  removeLock,
  withConfigLock,
} from "./config-store.ts";
import { rootfsPath } from "./lxc-config.ts";
import { killUnderLock, launchUnderLock } from "./power.ts";
import { isRunning } from "./process.ts";
import { mountPointKeys, mountPointType, parseMountPoint } from "./property-string.ts";

/** Options that a snapshot does not hold. */
const NOT_KEPT = new Set(["lock", "template", "snapstate"]);

function volumes(section: Section): { key: string; volid: string; mounted: string }[] {
  return mountPointKeys(section.values).flatMap((key) => {
    const mountPoint = parseMountPoint(section.values[key] ?? "");
    if (mountPointType(mountPoint) !== "volume") return [];
    return [
      { key, volid: mountPoint["volume"] ?? "", mounted: key === "rootfs" ? "" : (mountPoint["mp"] ?? "") },
    ];
  });
}

/** What PVE refuses before there is a task. @throws ApiError 500 */
export function checkSnapshotName(name: string): void {
  if (["current", "vzdump", "pending"].includes(name))
    throw new ApiError(500, `unable to use snapshot name '${name}' (reserved name)`);
}

/** @throws ApiError 500 with PVE's texts when the snapshot cannot be taken */
async function checkSnapshot(vmid: number, name: string): Promise<void> {
  const config = loadConfig(vmid);
  requireUnlocked(config);
  if (config.values["template"] === "1")
    throw new ApiError(500, "you can't take a snapshot if it's a template");
  if (config.snapshots[name]) throw new ApiError(500, `snapshot name '${name}' already used`);
  // A folder or device of the node has no such feature, and one mount point without it is enough.
  const mounted = mountPointKeys(config.values).map((key) => parseMountPoint(config.values[key] ?? ""));
  if (mounted.some((mountPoint) => mountPointType(mountPoint) !== "volume"))
    throw new ApiError(500, "snapshot feature is not available");
  for (const { volid } of volumes(config))
    if (!(await volumeHasFeature("snapshot", volid)))
      throw new ApiError(500, "snapshot feature is not available");
}

/** Takes a snapshot of configuration and volumes; a running guest's file systems stand still meanwhile. */
export async function takeSnapshot(
  vmid: number,
  name: string,
  comment: string | undefined,
  log: TaskLog,
): Promise<void> {
  await checkSnapshot(vmid, name);
  const config = await setLock(vmid, "snapshot");
  const taken: string[] = [];
  try {
    for (const { volid, mounted } of volumes(config)) {
      log(`snapshotting '${volid}'`);
      const target = `${rootfsPath(vmid)}${mounted}`;
      const action = () => onVolume(volid, (backend, volume) => backend.snapshot(volume, name));
      await ((await isMounted(target)) ? whileFrozen(target, action) : action());
      taken.push(volid);
    }
    await withConfigLock(vmid, () => {
      const now = loadConfig(vmid);
      const section: Section = { ...emptySection(), lxc: now.lxc.map(([key, value]) => [key, value]) };
      for (const [key, value] of Object.entries(now.values))
        if (!NOT_KEPT.has(key)) section.values[key] = value;
      section.values["snaptime"] = String(Math.floor(Date.now() / 1000));
      // The snapshot's own words, not the guest's.
      if (comment) section.description = comment;
      now.snapshots[name] = section;
      now.values["parent"] = name;
      delete now.values["lock"];
      saveConfig(vmid, now);
    });
  } catch (error) {
    for (const volid of taken)
      await onVolume(volid, (backend, volume) => backend.deleteSnapshot(volume, name));
    await removeLock(vmid).catch(() => undefined);
    throw error;
  }
}

function requireSnapshot(config: GuestConfig, name: string): Section {
  const snapshot = config.snapshots[name];
  if (!snapshot) throw new ApiError(500, `snapshot '${name}' does not exist`);
  return snapshot;
}

/** Removes a snapshot; `force` removes its section even where a volume's snapshot cannot be removed. */
export async function deleteSnapshot(
  vmid: number,
  name: string,
  force: boolean,
  log: TaskLog,
): Promise<void> {
  requireSnapshot(loadConfig(vmid), name);
  const config = await setLock(vmid, "snapshot-delete");
  try {
    for (const { volid } of volumes(requireSnapshot(config, name)))
      await onVolume(volid, (backend, volume) => backend.deleteSnapshot(volume, name)).catch(
        (error: unknown) => {
          if (!force) throw error;
          log(`WARN: ${error instanceof Error ? error.message : String(error)}`);
        },
      );
    await withConfigLock(vmid, () => {
      const now = loadConfig(vmid);
      const parent = now.snapshots[name]?.values["parent"];
      for (const section of [now, ...Object.values(now.snapshots)])
        if (section.values["parent"] === name) {
          if (parent === undefined) delete section.values["parent"];
          else section.values["parent"] = parent;
        }
      drop(now.snapshots, name);
      delete now.values["lock"];
      saveConfig(vmid, now);
    });
  } catch (error) {
    await removeLock(vmid).catch(() => undefined);
    throw error;
  }
}

/** Brings configuration and volumes back; a running guest is ended first. */
export async function rollbackSnapshot(
  vmid: number,
  name: string,
  start: boolean,
  log: TaskLog,
): Promise<void> {
  const before = loadConfig(vmid);
  requireUnlocked(before);
  if (before.values["template"] === "1") throw new ApiError(500, "you can't rollback if it's a template");
  const snapshot = requireSnapshot(before, name);
  for (const { volid } of volumes(snapshot))
    await onVolume(volid, (backend, volume) => backend.requireRollbackPossible(volume, name));
  await setLock(vmid, "rollback");
  await withConfigLock(vmid, async () => {
    if (isRunning(vmid)) log(`stopping CT ${vmid} before the rollback`);
    await killUnderLock(vmid);
    for (const { volid } of volumes(snapshot))
      await onVolume(volid, (backend, volume) => backend.rollback(volume, name));
    const now = loadConfig(vmid);
    const values: Record<string, string> = { ...snapshot.values, parent: name };
    delete values["snaptime"];
    const unused = Object.entries(now.values).filter(([key]) => /^unused\d+$/.test(key));
    const rolled: GuestConfig = {
      ...now,
      values: { ...Object.fromEntries(unused), ...values },
      lxc: snapshot.lxc,
    };
    rolled.pending = emptySection();
    saveConfig(vmid, rolled);
    if (start) await launchUnderLock(vmid, log);
  });
}

/** What GET …/snapshot answers: the snapshots and, as their child, the present state. */
export function snapshotList(config: GuestConfig, running: boolean): Record<string, unknown>[] {
  const list = Object.entries(config.snapshots).map(([name, { values, description }]) => ({
    name,
    description: description ?? "",
    snaptime: Number(values["snaptime"] ?? 0),
    ...(values["parent"] === undefined ? {} : { parent: values["parent"] }),
  }));
  list.sort((a, b) => a.snaptime - b.snaptime);
  const { parent } = config.values;
  const current = {
    name: "current",
    description: "You are here!",
    digest: config.digest,
    running: running ? 1 : 0,
  };
  return [...list, { ...current, ...(parent === undefined ? {} : { parent }) }];
}
