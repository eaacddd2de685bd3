import { readdirSync, statSync } from "node:fs";
import { isMissing, readTextOr } from "../core/files.ts";
import { rootfsPath } from "./lxc-config.ts";

/** What a running guest uses: `cpu` as a share of its processors, the rest in bytes. */
export interface Usage {
  readonly cpu: number;
  readonly mem: number;
  readonly swap: number;
  readonly diskread: number;
  readonly diskwrite: number;
}

export const NO_USAGE: Usage = { cpu: 0, mem: 0, swap: 0, diskread: 0, diskwrite: 0 };

/** Processor time used, in seconds, at a moment in seconds. */
export interface Sample {
  readonly time: number;
  readonly used: number;
  readonly share: number;
}

/**
 * Share of `cpus` processors in use since the sample before, as PVE::LXC::vmstatus counts it: not more often than once
 * a second. Without a sample before it is the share since the guest's start.
 */
export function nextSample(
  before: Sample | undefined,
  now: Pick<Sample, "time" | "used">,
  uptime: number,
  cpus: number,
): Sample {
  const start = before ?? { time: now.time - uptime, used: 0, share: 0 };
  const seconds = now.time - start.time;
  // A guest that was started again begins at zero.
  if (before && now.used < before.used) return nextSample(undefined, now, uptime, cpus);
  if (seconds < 1) return before ?? { ...now, share: 0 };
  return { ...now, share: (now.used - start.used) / seconds / cpus };
}

/** Bytes of a field of /proc/PID/status. */
export function statusBytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
}

/** Bytes read and written by a block device, from its `stat` file: sectors of 512 bytes. */
export function deviceTraffic(stat: string): { diskread: number; diskwrite: number } {
  const numbers = stat.trim().split(/\s+/).map(Number);
  return { diskread: (numbers[2] ?? 0) * 512, diskwrite: (numbers[6] ?? 0) * 512 };
}

/** All processes in a control group and those below it. */
function processesIn(folder: string): number[] {
  try {
    const own = readTextOr(`${folder}/cgroup.procs`, "").split("\n").filter(Boolean).map(Number);
    const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...own, ...below.flatMap(({ name }) => processesIn(`${folder}/${name}`))];
  } catch (error) {
    // A group goes with its last process.
    if (isMissing(error)) return [];
    throw error;
  }
}

/** From the group's own counters where the memory controller is there, else summed over its processes. */
function memoryOf(group: string): { mem: number; swap: number } {
  const counted = readTextOr(`${group}/memory.current`, "");
  if (counted !== "")
    return { mem: Number(counted), swap: Number(readTextOr(`${group}/memory.swap.current`, "0")) };
  const total = { mem: 0, swap: 0 };
  for (const pid of processesIn(group)) {
    const status = readTextOr(`/proc/${pid}/status`, "");
    total.mem += statusBytes(status, "RssAnon") + statusBytes(status, "RssShmem");
    total.swap += statusBytes(status, "VmSwap");
  }
  return total;
}

/** The root disk's image lies on a loop device of its own, which counts. */
function rootDiskTraffic(vmid: number): { diskread: number; diskwrite: number } {
  const device = statSync(rootfsPath(vmid), { throwIfNoEntry: false })?.dev ?? 0;
  const [major, minor] = [(device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00)];
  return deviceTraffic(readTextOr(`/sys/dev/block/${major}:${minor}/stat`, ""));
}

const samples = new Map<number, Sample>();

/** @param uptime of the guest in seconds */
export function usageOf(vmid: number, uptime: number, cpus: number): Usage {
  const group = `/sys/fs/cgroup/lxc/${vmid}`;
  const used = Number(/^usage_usec (\d+)/m.exec(readTextOr(`${group}/cpu.stat`, ""))?.[1] ?? 0) / 1e6;
  const sample = nextSample(samples.get(vmid), { time: performance.now() / 1000, used }, uptime, cpus);
  samples.set(vmid, sample);
  return { cpu: sample.share, ...memoryOf(group), ...rootDiskTraffic(vmid) };
}
