import { statfs } from "node:fs/promises";
import { cpus } from "node:os";
import { readTextOr } from "../core/files.ts";
import { guestIds, loadConfig } from "./config-store.ts";
import { rootfsPath } from "./lxc-config.ts";
import { initPid, runningGuests, uptimeOf } from "./process.ts";
import { parseMountPoint, parseSize } from "./property-string.ts";
import { NO_USAGE, usageOf } from "./usage.ts";

/** State of a container as lists and `status/current` show it. Sizes in bytes, times in seconds. */
export interface GuestOverview {
  readonly vmid: number;
  readonly name: string;
  readonly status: "running" | "stopped";
  readonly template: boolean;
  readonly cpus: number;
  readonly cpu: number;
  readonly maxmem: number;
  readonly mem: number;
  readonly maxswap: number;
  readonly swap: number;
  readonly maxdisk: number;
  readonly disk: number;
  readonly uptime: number;
  readonly tags?: string;
  readonly lock?: string;
  readonly pid?: number;
  readonly netin: number;
  readonly netout: number;
  readonly diskread: number;
  readonly diskwrite: number;
}

export { guestExists } from "./config-store.ts";

/** All containers of the node. */
export async function listGuests(): Promise<GuestOverview[]> {
  const running = runningGuests();
  const guests: GuestOverview[] = [];
  for (const vmid of guestIds()) {
    try {
      guests.push(await describe(vmid, running.has(vmid)));
    } catch (error) {
      // It may have been destroyed since the folder was read.
      if (guestIds().includes(vmid)) throw error;
    }
  }
  return guests;
}

/** One container. @throws ApiError 500 when it does not exist */
export async function guestOverview(vmid: number): Promise<GuestOverview> {
  return describe(vmid, runningGuests().has(vmid));
}

async function describe(vmid: number, running: boolean): Promise<GuestOverview> {
  const { values } = loadConfig(vmid);
  const mebi = 1024 * 1024;
  const cores = Number(values["cores"] ?? 0) || Number(values["cpulimit"] ?? 0) || cpus().length;
  const pid = running ? await initPid(vmid) : undefined;
  const uptime = pid === undefined ? 0 : Math.max(1, Math.round(uptimeOf(pid)));
  const size = parseSize(parseMountPoint(values["rootfs"] ?? "")["size"] ?? "");
  return {
    vmid,
    name: values["hostname"] ?? `CT${vmid}`,
    status: running ? "running" : "stopped",
    template: values["template"] === "1",
    cpus: cores,
    maxmem: Number(values["memory"] ?? 512) * mebi,
    maxswap: Number(values["swap"] ?? 0) * mebi,
    // PVE's guess for a disk whose size nobody wrote down.
    maxdisk: size ?? 4 * 1024 * mebi,
    disk: running ? await usedBytes(rootfsPath(vmid)) : 0,
    uptime,
    ...(pid === undefined ? NO_USAGE : usageOf(vmid, uptime, cores)),
    ...(values["tags"] === undefined ? {} : { tags: values["tags"] }),
    ...(values["lock"] === undefined ? {} : { lock: values["lock"] }),
    ...(pid === undefined ? {} : { pid }),
    ...traffic(pid),
  };
}

async function usedBytes(path: string): Promise<number> {
  try {
    const { blocks, bfree, bsize } = await statfs(path);
    return (blocks - bfree) * bsize;
  } catch {
    return 0;
  }
}

/** Bytes received and sent by the guest's interfaces. */
function traffic(pid: number | undefined): { netin: number; netout: number } {
  const total = { netin: 0, netout: 0 };
  for (const line of readTextOr(pid === undefined ? "" : `/proc/${pid}/net/dev`, "").split("\n")) {
    const [name, rest] = line.split(":");
    const numbers = rest?.trim().split(/\s+/).map(Number);
    if (!numbers || name?.trim() === "lo") continue;
    total.netin += numbers[0] ?? 0;
    total.netout += numbers[8] ?? 0;
  }
  return total;
}

/** What the API answers: PVE leaves out `template` for ordinary guests. */
export function overviewAnswer({ template, ...rest }: GuestOverview): Record<string, unknown> {
  return { ...rest, type: "lxc", ...(template ? { template: 1 } : {}) };
}
