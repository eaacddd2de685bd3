import { mkdir, readdir, rename, rm, stat, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { isMissing } from "../core/files.ts";
import { ApiError } from "../core/route.ts";
import type { Storage } from "../core/storage-config.ts";
import type { VolumeBackend, VolumeInfo } from "./backend.ts";
import { freeDiskNumber, parseFileName } from "./names.ts";
import { run } from "./run.ts";

/** Volumes of a `dir` storage: raw images under `images/<vmid>/`. No snapshots and no linked clones, as in PVE. */
export function directoryBackend(storage: Storage): VolumeBackend {
  const folder = `${storage.path ?? ""}/images`;
  const file = (name: string) => `${folder}/${parseFileName(name).owner}/${parseFileName(name).name}`;
  const noSnapshots = (name: string) =>
    new ApiError(500, `snapshot feature is not available for '${storage.id}:${name}'`);

  async function names(vmid: number): Promise<string[]> {
    try {
      return await readdir(`${folder}/${vmid}`);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async function freeName(vmid: number): Promise<string> {
    await mkdir(`${folder}/${vmid}`, { recursive: true });
    return `${vmid}/vm-${vmid}-disk-${freeDiskNumber(vmid, await names(vmid))}.raw`;
  }

  return {
    imagePath: (name) => Promise.resolve(file(name)),
    path: (name) => Promise.resolve(file(name)),
    size: async (name) => (await stat(file(name))).size,
    allocate: async (vmid, _bytes, wanted) => {
      if (wanted === undefined) return freeName(vmid);
      if (!wanted.startsWith(`vm-${vmid}-`))
        throw new ApiError(500, `illegal name '${wanted}' - should be 'vm-${vmid}-*'`);
      parseFileName(`${vmid}/${wanted}`);
      await mkdir(`${folder}/${vmid}`, { recursive: true });
      return `${vmid}/${wanted}`;
    },
    free: async (name) => {
      await rm(file(name), { force: true });
      // The guest's folder goes with its last image.
      if ((await names(parseFileName(name).owner)).length === 0)
        await rm(dirname(file(name)), { recursive: true, force: true });
    },
    grow: (name, bytes) => truncate(file(name), bytes),
    hasFeature: (feature, name, snapshot) =>
      Promise.resolve(
        snapshot === undefined &&
          (feature === "copy" ||
            feature === "sparseinit" ||
            (feature !== "snapshot" && feature !== "clone" && !parseFileName(name).isBase)),
      ),
    clone: () => Promise.reject(new Error("can't clone images in raw format")),
    createBase: async (name) => {
      const base = name.replace(/\/vm-/, "/base-");
      await rename(file(name), file(base));
      return base;
    },
    copy: async (name, vmid) => {
      const target = await freeName(vmid);
      await run("cp", ["--sparse=always", "--reflink=auto", file(name), file(target)], { long: true });
      return target;
    },
    rename: async (name, vmid) => {
      const target = await freeName(vmid);
      await rename(file(name), file(target));
      return target;
    },
    snapshotImagePath: (name) => Promise.reject(noSnapshots(name)),
    snapshot: (name) => Promise.reject(noSnapshots(name)),
    deleteSnapshot: (name) => Promise.reject(noSnapshots(name)),
    requireRollbackPossible: (name) => Promise.reject(noSnapshots(name)),
    rollback: (name) => Promise.reject(noSnapshots(name)),

    async list(): Promise<VolumeInfo[]> {
      const owners = await readdir(folder).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      });
      const volumes: VolumeInfo[] = [];
      for (const owner of owners.filter((name) => /^\d+$/.test(name)))
        for (const name of await names(Number(owner))) {
          if (!/^(?:vm|base)-\d+-\S+\.raw$/.test(name)) continue;
          const { size, blocks, mtimeMs } = await stat(`${folder}/${owner}/${name}`);
          const facts = { size, used: blocks * 512, ctime: Math.floor(mtimeMs / 1000) };
          volumes.push({
            volid: `${storage.id}:${owner}/${name}`,
            vmid: Number(owner),
            format: "raw",
            content: "rootdir",
            ...facts,
          });
        }
      return volumes;
    },
  };
}
