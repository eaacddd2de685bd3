import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { readStorages } from "../core/storage-config.ts";
import type { GuestConfig } from "../guests/config-file.ts";
import {
  guestIds,
  loadConfig,
  removeLock,
  requireUnlocked,
  saveConfig,
  setLock,
  withConfigLock,
} from "../guests/config-store.ts";
import { rootfsPath } from "../guests/lxc-config.ts";
import { mountGuest, unmountGuest } from "../guests/mounts.ts";
import { keepAsUnused } from "../guests/pending.ts";
import { initPid, isRunning, runningGuests } from "../guests/process.ts";
import {
  formatSize,
  mountPointKeys,
  mountPointType,
  parseMountPoint,
  printMountPoint,
} from "../guests/property-string.ts";
import { parseVolumeId } from "../core/volume-id.ts";
import { listVolumes, volumeImage, type VolumeInfo } from "../volumes/index.ts";
import { CommandError, run } from "../volumes/run.ts";
import { UsageError, type Arguments } from "./getopt.ts";
import type { Command } from "./main.ts";
import { vmidOf } from "./pct-common.ts";

/** What `pct` does with the volumes of guests. */
export async function onVolumes(command: Command, verb: string, args: Arguments): Promise<void> {
  switch (verb) {
    case "df":
      return df(command, Number(vmidOf(args)));
    case "fsck":
      return fsck(command, Number(vmidOf(args)), args);
    case "fstrim":
      return fstrim(command, Number(vmidOf(args)), args);
    case "rescan":
      return rescan(command, args);
    case "cpusets":
      return cpusets(command);
    default:
      throw new UsageError(`'pct ${verb}' is not implemented in the lab`);
  }
}

/** The guest's root where the node sees it; a stopped guest's file systems are mounted meanwhile, under a lock. */
async function inRoot(
  vmid: number,
  lock: string,
  work: (root: string, config: GuestConfig) => Promise<void>,
): Promise<void> {
  const config = loadConfig(vmid);
  const pid = await initPid(vmid);
  if (pid !== undefined) return work(`/proc/${pid}/root`, config);
  await setLock(vmid, lock);
  try {
    await mountGuest(vmid, config);
    await work(rootfsPath(vmid), config);
  } finally {
    await unmountGuest(vmid);
    await removeLock(vmid, lock);
  }
}

/** As PVE writes it: one decimal, binary units. */
export function shortSize(bytes: number): string {
  let size = bytes;
  for (const unit of ["", "K", "M", "G"]) {
    if (size < 1024) return unit === "" ? String(size) : `${size.toFixed(1)}${unit}`;
    size /= 1024;
  }
  return `${size.toFixed(1)}T`;
}

/** Names and volumes left, numbers right, the path last. */
export function dfTable(rows: readonly (readonly string[])[]): string {
  const all = [["MP", "Volume", "Size", "Used", "Avail", "Use%", "Path"], ...rows];
  const width = (column: number): number => Math.max(...all.map((row) => row[column]?.length ?? 0));
  return all
    .map((row) => {
      const cells = row.map((text, i) =>
        i < 2 ? text.padEnd(width(i)) : i < 6 ? text.padStart(width(i)) : text,
      );
      return `${cells.join(" ")}\n`;
    })
    .join("");
}

async function df({ print }: Command, vmid: number): Promise<void> {
  await inRoot(vmid, "mounted", async (root, { values }) => {
    const rows: string[][] = [];
    for (const key of mountPointKeys(values)) {
      const mountPoint = parseMountPoint(values[key] ?? "");
      const path = key === "rootfs" ? "/" : (mountPoint["mp"] ?? "");
      const { bsize, blocks, bfree, bavail } = await statfs(`${root}/${path}`);
      const [total, used, avail] = [blocks * bsize, (blocks - bfree) * bsize, bavail * bsize];
      const sizes = [total, used, avail].map(shortSize);
      rows.push([key, mountPoint["volume"] ?? "", ...sizes, ((100 * used) / total).toFixed(1), path]);
    }
    print(dfTable(rows));
  });
}

async function fsck({ print }: Command, vmid: number, { options }: Arguments): Promise<void> {
  const device = options["device"]?.at(-1) ?? "rootfs";
  await withConfigLock(vmid, async () => {
    const value = loadConfig(vmid).values[device];
    if (value === undefined) throw new Error(`cannot run command on non-existing mount point ${device}`);
    const mountPoint = parseMountPoint(value);
    if (isRunning(vmid)) throw new Error("cannot run fsck when container is running");
    const volume = mountPoint["volume"] ?? "";
    if (mountPointType(mountPoint) === "bind")
      throw new Error(`path '${volume}' does not point to a block device`);
    if (mountPointType(mountPoint) === "volume" && !parseVolumeId(volume).name.endsWith(".raw"))
      throw new Error(`unable to run fsck for '${volume}' (format == subvol)`);
    const path = mountPointType(mountPoint) === "volume" ? await volumeImage(volume) : volume;
    print(await run("fsck", ["-a", ...(options["force"]?.at(-1) === "1" ? ["-f"] : []), path]));
  });
}

async function fstrim({ print }: Command, vmid: number, { options }: Arguments): Promise<void> {
  await inRoot(vmid, "fstrim", async (root, { values }) => {
    for (const key of mountPointKeys(values)) {
      const mountPoint = parseMountPoint(values[key] ?? "");
      if (mountPointType(mountPoint) === "bind" || mountPoint["ro"] === "1") continue;
      if (key !== "rootfs" && options["ignore-mountpoints"]?.at(-1) === "1") continue;
      const path = `${root}${key === "rootfs" ? "" : (mountPoint["mp"] ?? "")}`;
      try {
        print((await run("fstrim", ["-v", path])).replace(root, rootfsPath(vmid)));
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        process.stderr.write(`${error.message}\n`);
      }
    }
  });
}

/**
 * Brings what the configuration says of its volumes to what is there: sizes, and volumes of the guest that no option
 * names.
 *
 * @returns the lines that PVE prints about it
 */
export function rescanned(
  vmid: number,
  { values, snapshots }: GuestConfig,
  volumes: readonly VolumeInfo[],
): string[] {
  const lines: string[] = [];
  const sections = [values, ...Object.values(snapshots).map((snapshot) => snapshot.values)];
  const used = new Set(
    sections.flatMap((section) =>
      Object.entries(section).flatMap(([key, value]) =>
        /^(?:rootfs|mp\d+|unused\d+)$/.test(key) ? [parseMountPoint(value)["volume"] ?? ""] : [],
      ),
    ),
  );
  for (const { volid } of volumes.filter((volume) => !used.has(volume.volid))) {
    const before = new Set(Object.keys(values));
    keepAsUnused({ values } as GuestConfig, volid);
    const key = Object.keys(values).find((name) => !before.has(name));
    if (key !== undefined)
      lines.push(`CT ${vmid}: add unreferenced volume '${volid}' as '${key}' to config.`);
  }
  for (const key of mountPointKeys(values)) {
    const mountPoint = parseMountPoint(values[key] ?? "");
    const size = volumes.find(({ volid }) => volid === mountPoint["volume"])?.size;
    if (size === undefined || formatSize(size) === mountPoint["size"]) continue;
    values[key] = printMountPoint({ ...mountPoint, size: formatSize(size) });
    lines.push(`CT ${vmid}: updated volume size of '${mountPoint["volume"] ?? ""}' in config.`);
  }
  return lines;
}

async function rescan({ print }: Command, { options }: Arguments): Promise<void> {
  const dryRun = options["dryrun"]?.at(-1) === "1";
  if (dryRun) print("NOTE: running in dry-run mode, won't write changes out!\n");
  print("rescan volumes...\n");
  const asked = options["vmid"]?.at(-1);
  const storages = readStorages().filter(
    ({ type, enabled }) => enabled && (type === "dir" || type === "zfspool"),
  );
  const volumes = (await Promise.all(storages.map((storage) => listVolumes(storage)))).flat();
  for (const vmid of asked === undefined ? guestIds() : [Number(asked)])
    await withConfigLock(vmid, () => {
      const config = loadConfig(vmid);
      requireUnlocked(config);
      const own = volumes.filter((volume) => volume.vmid === vmid);
      const lines = rescanned(vmid, config, own);
      for (const line of lines) print(`${line}\n`);
      if (lines.length > 0 && !dryRun) saveConfig(vmid, config);
    });
}

/** Numbers of processors as `0-2,5`. */
function members(list: string): Set<number> {
  const all = new Set<number>();
  for (const part of list.split(",")) {
    const [first = Number.NaN, last = first] = part.split("-").map(Number);
    for (let number = first; number <= last; number++) all.add(number);
  }
  return all;
}

/** The processors of each running guest in a column of their own. */
export function cpusetTable(guests: readonly { readonly vmid: number; readonly cpus: string }[]): string {
  if (guests.length === 0) return "no running containers\n";
  const lines = guests.map(({ vmid, cpus }) => {
    const set = members(cpus);
    const columns = Array.from({ length: Math.max(...set) + 1 }, (_, id) =>
      set.has(id) ? ` ${id}` : ` ${" ".repeat(String(id).length)}`,
    );
    return { vmid: String(vmid), text: `: ${columns.join("")}` };
  });
  const width = Math.max(...lines.map(({ vmid }) => vmid.length));
  const rule = `${"-".repeat(width + Math.max(...lines.map(({ text }) => text.length)))}\n`;
  return `${rule}${lines.map(({ vmid, text }) => `${vmid.padStart(width)}${text}\n`).join("")}${rule}`;
}

async function cpusets({ print }: Command): Promise<void> {
  const guests: { vmid: number; cpus: string }[] = [];
  for (const vmid of [...runningGuests()].sort((a, b) => a - b)) {
    const pid = await initPid(vmid);
    if (pid === undefined) continue;
    // The machine's own control groups may have no cpuset; what the kernel lets the guest use is told here as well.
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    guests.push({ vmid, cpus: /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? "0" });
  }
  print(cpusetTable(guests));
}
