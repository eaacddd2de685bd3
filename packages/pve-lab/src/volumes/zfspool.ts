import { truncate } from "node:fs/promises";
import { ApiError } from "../core/route.ts";
import type { Storage } from "../core/storage-config.ts";
import type { VolumeBackend, VolumeFeature, VolumeInfo } from "./backend.ts";
import { freeDiskNumber, parseZfsName } from "./names.ts";
import { pipe } from "./run.ts";
import { destroyDataset, zfs, zfsAtRest, zfsProperty, zfsRows } from "./zfs.ts";

const BASE_SNAPSHOT = "__base__";
/** The guest's file system lies in this file inside its dataset. */
export const IMAGE_FILE = "volume.ext4";

/**
 * Bytes of the image for a volume of this size: a little less than the quota, so that the pool's own
 * bookkeeping for a full image still fits into it.
 */
export function imageBytes(volumeBytes: number): number {
  return Math.floor((volumeBytes * 63) / 64 / 4096) * 4096;
}

interface Row {
  readonly name: string;
  readonly origin: string;
  readonly refquota: string;
  readonly used: string;
  readonly creation: string;
}

function supports(feature: VolumeFeature, isBase: boolean, snapshot: string | undefined): boolean {
  if (snapshot !== undefined) return feature === "copy";
  if (feature === "clone") return isBase;
  return feature === "template" || feature === "rename" ? !isBase : true;
}

/** Volumes of a `zfspool` storage: one dataset each, named and linked as Proxmox VE does it. */
export function zfsPoolBackend(storage: Storage): VolumeBackend {
  const pool = storage.pool ?? "";
  const dataset = (name: string) => `${pool}/${parseZfsName(name).name}`;

  /** `zfs get` and not `zfs list`: older ZFS lists no exact numbers. */
  async function rows(): Promise<Row[]> {
    const wanted = "type,origin,refquota,used,creation";
    const found = new Map<string, Record<string, string>>();
    for (const [full = "", property = "", value = ""] of await zfsRows(
      ...["get", "-Hp", "-d", "1", "-o", "name,property,value", wanted, pool],
    ))
      found.set(full, { ...found.get(full), [property]: value });
    return [...found].flatMap(([full, facts]) => {
      const name = full.startsWith(`${pool}/`) ? full.slice(pool.length + 1) : "";
      if (facts["type"] !== "filesystem" || !/^(?:subvol|basevol)-\d+-[^@\s]+$/.test(name)) return [];
      const { origin = "-", refquota = "", used = "", creation = "" } = facts;
      return [{ name, origin: origin === "" ? "-" : origin, refquota, used, creation }];
    });
  }

  const freeName = async (vmid: number) =>
    `subvol-${vmid}-disk-${freeDiskNumber(
      vmid,
      (await rows()).map(({ name }) => name),
    )}`;

  async function mountpoint(name: string): Promise<string> {
    const [path, mounted] = (
      await zfs("get", "-Hp", "-o", "value", "mountpoint,mounted", dataset(name))
    ).split("\n");
    if (mounted !== "yes") await zfs("mount", dataset(name));
    return path ?? "";
  }

  const imagePath = async (name: string) => `${await mountpoint(name)}/${IMAGE_FILE}`;

  async function size(name: string): Promise<number> {
    const quota = Number(await zfsProperty("refquota", dataset(name)));
    if (!Number.isFinite(quota)) throw new Error("Could not get zfs volume size");
    return quota;
  }

  async function linkedClones(name: string): Promise<string[]> {
    const origin = `${dataset(name)}@${BASE_SNAPSHOT}`;
    return (await rows()).filter((row) => row.origin === origin).map((row) => row.name);
  }

  async function snapshotNames(name: string): Promise<string[]> {
    const list = await zfsRows(
      "list",
      "-H",
      "-r",
      "-t",
      "snapshot",
      "-s",
      "creation",
      "-o",
      "name",
      dataset(name),
    );
    return list.map(([full = ""]) => full.slice(full.indexOf("@") + 1));
  }

  return {
    imagePath,
    size,
    path: async (name) => (await zfsProperty("mountpoint", dataset(name))) || `/${dataset(name)}`,

    async allocate(vmid, bytes, wanted) {
      if (wanted !== undefined && !wanted.startsWith(`subvol-${vmid}-`))
        throw new ApiError(500, `illegal name '${wanted}' - should be 'subvol-${vmid}-*'`);
      const name = wanted ?? (await freeName(vmid));
      parseZfsName(name);
      await zfs("create", "-o", `refquota=${bytes}`, `${pool}/${name}`);
      return name;
    },

    async free(name) {
      if (parseZfsName(name).isBase && (await linkedClones(name)).length > 0)
        throw new ApiError(500, `base volume '${name}' is still in use by linked clones`);
      await destroyDataset(dataset(name));
    },

    async list(): Promise<VolumeInfo[]> {
      return (await rows()).map(({ name, origin, refquota, used, creation }) => {
        const base = origin.startsWith(`${pool}/`) ? origin.slice(pool.length + 1) : undefined;
        const linked = base?.endsWith(`@${BASE_SNAPSHOT}`) ? `${base.split("@")[0] ?? ""}/` : "";
        return {
          volid: `${storage.id}:${linked}${name}`,
          vmid: parseZfsName(name).owner,
          size: Number(refquota) || 0,
          format: "subvol",
          content: "rootdir",
          ...(base === undefined ? {} : { parent: base }),
          used: Number(used),
          ctime: Number(creation),
        };
      });
    },

    async grow(name, bytes) {
      await zfs("set", `refquota=${bytes}`, dataset(name));
      await truncate(await imagePath(name), imageBytes(bytes));
    },

    async setAcl(name, on) {
      await zfs("set", `acltype=${on ? "posixacl" : "noacl"}`, dataset(name));
    },

    hasFeature: (feature, name, snapshot) =>
      Promise.resolve(supports(feature, parseZfsName(name).isBase, snapshot)),

    async clone(name, vmid, snapshot = BASE_SNAPSHOT) {
      const { isBase, name: base } = parseZfsName(name);
      if (!isBase) throw new Error("clone only works on base images");
      const clone = await freeName(vmid);
      const quota = `refquota=${await size(name)}`;
      await zfs("clone", "-o", quota, `${dataset(name)}@${snapshot}`, `${pool}/${clone}`);
      return `${base}/${clone}`;
    },

    async createBase(name) {
      const { isBase, name: old, base } = parseZfsName(name);
      if (isBase) throw new Error("create_base not possible with base image");
      const renamed = old.replace(/^subvol-/, "basevol-");
      await zfsAtRest(`${pool}/${old}`, "rename", `${pool}/${old}`, `${pool}/${renamed}`);
      await zfs("snapshot", `${pool}/${renamed}@${BASE_SNAPSHOT}`);
      return base === undefined ? renamed : `${base}/${renamed}`;
    },

    async copy(name, vmid, snapshot) {
      const target = await freeName(vmid);
      const temporary = snapshot === undefined && !parseZfsName(name).isBase;
      const from = snapshot ?? (temporary ? `__copy_${vmid}__` : BASE_SNAPSHOT);
      if (temporary) await zfs("snapshot", `${dataset(name)}@${from}`);
      try {
        await pipe(["zfs", "send", `${dataset(name)}@${from}`], ["zfs", "receive", `${pool}/${target}`]);
        await zfs("destroy", `${pool}/${target}@${from}`);
        await zfs("set", `refquota=${await size(name)}`, `${pool}/${target}`);
      } catch (error) {
        await destroyDataset(`${pool}/${target}`);
        throw error;
      } finally {
        if (temporary) await zfs("destroy", `${dataset(name)}@${from}`);
      }
      return target;
    },

    snapshotImagePath: async (name, snapshot) =>
      `${await mountpoint(name)}/.zfs/snapshot/${snapshot}/${IMAGE_FILE}`,

    async snapshot(name, snapshot) {
      const full = `${dataset(name)}@${snapshot}`;
      await zfs("snapshot", full);
      // A rollback does not bring the quota back; Proxmox VE keeps it in the same property.
      await zfs("set", `pve-storage:refquota=${await size(name)}`, full);
    },

    async deleteSnapshot(name, snapshot) {
      await zfs("destroy", `${dataset(name)}@${snapshot}`);
    },

    async requireRollbackPossible(name, snapshot) {
      const names = await snapshotNames(name);
      const volid = `${storage.id}:${name}`;
      const index = names.indexOf(snapshot);
      if (index < 0)
        throw new ApiError(500, `can't rollback, snapshot '${snapshot}' does not exist on '${volid}'`);
      if (index < names.length - 1)
        throw new ApiError(500, `can't rollback, '${snapshot}' is not most recent snapshot on '${volid}'`);
    },

    async rollback(name, snapshot) {
      const full = `${dataset(name)}@${snapshot}`;
      await zfsAtRest(dataset(name), "rollback", full);
      const quota = await zfsProperty("pve-storage:refquota", full);
      if (/^\d+$/.test(quota)) await zfs("set", `refquota=${quota}`, dataset(name));
    },

    async rename(name, vmid) {
      const target = await freeName(vmid);
      await zfsAtRest(dataset(name), "rename", dataset(name), `${pool}/${target}`);
      const { base } = parseZfsName(name);
      return base === undefined ? target : `${base}/${target}`;
    },
  };
}
