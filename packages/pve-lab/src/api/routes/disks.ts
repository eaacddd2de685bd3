import { execFile } from "node:child_process";
import { readdirSync, realpathSync } from "node:fs";
import { promisify } from "node:util";
import { readTextOr } from "../../core/files.ts";
import type { Context, Route } from "../../core/route.ts";

const execute = promisify(execFile);
const BY_ID = "/dev/disk/by-id";

async function output(command: string, ...words: string[]): Promise<string> {
  try {
    return (await execute(command, words)).stdout;
  } catch {
    // blkid answers 2 for a blank disk, zpool fails where there are no pools: both mean nothing.
    return "";
  }
}

interface Found {
  readonly link: string;
  readonly device: string;
}

/** Whole disks by their stable names. */
function disks(): Found[] {
  let names: string[];
  try {
    names = readdirSync(BY_ID);
  } catch {
    return [];
  }
  return names
    .filter((name) => !/-part\d+$/.test(name))
    .sort()
    .map((name) => ({ link: `${BY_ID}/${name}`, device: realpathSync(`${BY_ID}/${name}`) }));
}

/** What is on a disk, in PVE's words; nothing for a blank one. */
async function useOf({ link, device }: Found, pools: string, mounts: string): Promise<string | undefined> {
  if (pools.includes(link) || new RegExp(`\\s${device}\\s`).test(pools)) return "ZFS";
  if (mounts.split("\n").some((line) => line.startsWith(`${device} `))) return "mounted";
  const signature = await output("blkid", "-p", "-o", "export", device);
  if (/^TYPE=zfs_member$/m.test(signature)) return "ZFS";
  if (/^TYPE=LVM2_member$/m.test(signature)) return "LVM";
  if (/^PTTYPE=/m.test(signature)) return "partitions";
  return /^TYPE=(.+)$/m.exec(signature)?.[1];
}

async function describe(disk: Found, pools: string, mounts: string): Promise<Record<string, unknown>> {
  const name = disk.device.split("/").pop() ?? "";
  const sectors = Number(readTextOr(`/sys/class/block/${name}/size`, "0"));
  const [, model = "", serial = ""] = /^.*\/[a-z]+-(.*)_([^_]+)$/.exec(disk.link) ?? [];
  const used = await useOf(disk, pools, mounts);
  return {
    devpath: disk.device,
    by_id_link: disk.link,
    size: sectors * 512,
    model,
    serial,
    vendor: "unknown",
    wwn: "unknown",
    type: disk.link.startsWith(`${BY_ID}/nvme-`) ? "nvme" : "hdd",
    rpm: -1,
    health: "UNKNOWN",
    wearout: "N/A",
    gpt: used === "partitions" ? 1 : 0,
    mounted: used === "mounted" ? 1 : 0,
    osdid: -1,
    "osdid-list": null,
    ...(used === undefined ? {} : { used }),
  };
}

async function list({ parameters }: Context): Promise<unknown> {
  const [pools, mounts] = [await output("zpool", "status", "-P"), readTextOr("/proc/mounts", "")];
  const all = await Promise.all(disks().map((disk) => describe(disk, pools, mounts)));
  return parameters["type"] === "unused" ? all.filter(({ used }) => used === undefined) : all;
}

async function listPools(): Promise<unknown> {
  const text = await output("zpool", "list", "-Hp", "-o", "name,size,alloc,free,dedup,health");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [name, size, alloc, free, dedup, health] = line.split("\t");
      return {
        name,
        size: Number(size),
        alloc: Number(alloc),
        free: Number(free),
        frag: 0,
        dedup: Number.parseFloat(dedup ?? "1"),
        health,
      };
    });
}

/** Datasets that a storage could use: everything but the volumes of guests. */
async function scanDatasets(): Promise<unknown> {
  const names = (await output("zfs", "list", "-H", "-t", "filesystem", "-o", "name")).split("\n");
  return names
    .filter((name) => name !== "" && !/\/(?:subvol|basevol|vm|base)-\d+-/.test(name))
    .map((pool) => ({ pool }));
}

export const diskRoutes: Route[] = [
  { method: "GET", path: "/nodes/{node}/disks/list", evidence: "documented", handler: list },
  { method: "GET", path: "/nodes/{node}/disks/zfs", evidence: "documented", handler: listPools },
  { method: "GET", path: "/nodes/{node}/scan/zfs", evidence: "documented", handler: scanDatasets },
];
