import type { Findings } from "./findings.ts";
import type {
  Dataset,
  HypervisorConfig,
  Pool,
  PoolProperties,
  ZfsProperties,
} from "./generated/hypervisor-config.ts";
import type { Locator } from "./locate.ts";
import { noneTwice, unknownName } from "./names.ts";
import type { Path } from "./text.ts";
import type { DatasetSpec, PoolSpec } from "./types.ts";
import { layoutProblem, vdevsOf } from "./vdevs.ts";

export interface Zfs {
  pools: Pool[];
  datasets: Dataset[];
}

/** Where an unprivileged container's root user is on the node, as Proxmox VE maps it. */
const containerIds = 100_000;

/** A host whose storages are all there already has no ZFS section. */
export function zfsOf(config: HypervisorConfig): Zfs {
  return { pools: config.zfs?.pools ?? [], datasets: config.zfs?.datasets ?? [] };
}

export function toPool(pool: Pool): PoolSpec {
  return {
    name: pool.name,
    vdevs: vdevsOf(pool),
    properties: strings(pool.properties),
    filesystemProperties: strings(pool.filesystem_properties),
    ...(pool.scrub === undefined ? {} : { scrub: pool.scrub }),
    existing: pool.existing ?? false,
    protect: pool.protect ?? false,
    allow: pool.allow ?? [],
  };
}

/** What a dataset lies in stands before it. */
export function toDatasets(datasets: readonly Dataset[]): DatasetSpec[] {
  const depth = ({ path }: DatasetSpec): number => path.split("/").length;
  return datasets.map(toDataset).sort((a, b) => depth(a) - depth(b));
}

function toDataset(dataset: Dataset): DatasetSpec {
  const { mountpoint, mode } = dataset;
  const owner = ownerOf(dataset);
  return {
    name: dataset.name,
    pool: dataset.pool,
    path: pathOf(dataset),
    parent: parentPath(dataset),
    properties: { ...strings(dataset.properties), ...(mountpoint === undefined ? {} : { mountpoint }) },
    ...(owner === undefined ? {} : { owner }),
    ...(mode === undefined ? {} : { mode }),
    existing: dataset.existing ?? false,
    protect: dataset.protect ?? false,
    allow: dataset.allow ?? [],
  };
}

const pathOf = ({ pool, name }: Dataset): string => `${pool}/${name}`;
const parentPath = (dataset: Dataset): string => pathOf(dataset).replace(/\/[^/]*$/, "");

/** `user:group` as the node knows them. */
function ownerOf({ owner, owner_in_containers: inContainers }: Dataset): string | undefined {
  if (owner === undefined) return undefined;
  const [user = "", group = user] = owner.split(":");
  const onNode = (id: string): string => (inContainers === true ? String(Number(id) + containerIds) : id);
  return `${onNode(user)}:${onNode(group)}`;
}

function strings(properties: PoolProperties | ZfsProperties | undefined): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [key, value] of Object.entries(properties ?? {}))
    if (value !== undefined) result[key] = String(value);
  return result;
}

/** The dataset of the file that this one lies directly in. */
function parentOf(dataset: Dataset, all: readonly Dataset[]): Dataset | undefined {
  return all.find((candidate) => pathOf(candidate) === parentPath(dataset));
}

/** Where a dataset is mounted, its own and inherited mount points counted; undefined if nowhere. */
export function mountPointOf(dataset: Dataset, all: readonly Dataset[]): string | undefined {
  const own = dataset.mountpoint;
  if (own !== undefined) return own.startsWith("/") ? own : undefined;
  const parent = parentOf(dataset, all);
  const base = parent === undefined ? `/${parentPath(dataset)}` : mountPointOf(parent, all);
  return base === undefined ? undefined : `${base}/${dataset.name.replace(/^.*\//, "")}`;
}

export function checkZfs({ pools, datasets }: Zfs, locator: Locator, findings: Findings): void {
  checkPools(pools, locator, findings);
  checkDatasets(datasets, pools, locator, findings);
  checkDestroy(pools, datasets, locator, findings);
}

const diskLists = ["disks", "special_disks", "log_disks", "cache_disks", "spare_disks"] as const;

function checkPools(pools: readonly Pool[], locator: Locator, findings: Findings): void {
  const names = pools.map((pool) => pool.name);
  noneTwice("pool", names, (i) => ["zfs", "pools", i, "name"], locator, findings);
  const disks = pools.flatMap((pool, i) =>
    diskLists.flatMap((key) =>
      (pool[key] ?? []).map((disk, k) => ({ disk, path: ["zfs", "pools", i, key, k] as Path })),
    ),
  );
  const paths = disks.map(({ disk }) => disk);
  noneTwice("disk", paths, (i) => disks[i]?.path ?? [], locator, findings);
  pools.forEach((pool, i) => {
    const path: Path = ["zfs", "pools", i];
    const problem = layoutProblem(pool);
    if (problem !== undefined) {
      const { key, message, remedy } = problem;
      findings.add(locator, [...path, key], message, { remedy });
    }
    if (pool.special_disks?.length === 1 && pool.raid_level !== "single" && pool.raid_level !== "stripe") {
      const message = "the pool is lost with its one special disk, whatever its other disks are";
      findings.warn(locator, [...path, "special_disks"], message, { remedy: "name two: they are a mirror" });
    }
    unchanged(pool, ["properties", "filesystem_properties"], path, locator, findings);
  });
}

/** What is declared existing is never changed: a setting beside it would be a lie. */
function unchanged<Key extends string>(
  object: { existing?: boolean } & Partial<Record<Key, unknown>>,
  keys: readonly Key[],
  path: Path,
  locator: Locator,
  findings: Findings,
): void {
  if (object.existing !== true) return;
  for (const key of keys) {
    if (object[key] === undefined) continue;
    const message = `\`${key}\` has no effect: what is \`existing\` is never changed`;
    findings.warn(locator, [...path, key], message, { remedy: "leave it out", what: "key" });
  }
}

/** Folders of the system, in and over which nothing is mounted. */
const system =
  /^\/(bin|boot|dev|etc|lib|lib32|lib64|proc|root|run|sbin|sys|tmp|usr)(\/|$)|^\/(home|mnt|media|opt|srv|var)$|^\/var\/(lib|log|cache|tmp|run)$/;

function checkDatasets(
  datasets: readonly Dataset[],
  pools: readonly Pool[],
  locator: Locator,
  findings: Findings,
): void {
  const names = pools.map((pool) => pool.name);
  const at = (i: number, key: string): Path => ["zfs", "datasets", i, key];
  noneTwice("dataset", datasets.map(pathOf), (i) => at(i, "name"), locator, findings);
  const mounted = datasets.map((dataset) => mountPointOf(dataset, datasets));
  datasets.forEach((dataset, i) => {
    const add = (key: string, message: string, remedy?: string): void =>
      findings.add(locator, at(i, key), message, { remedy });
    if (!names.includes(dataset.pool)) {
      findings.add(locator, at(i, "pool"), ...unknownName("pool", dataset.pool, names));
    }
    if (dataset.name.includes("/") && parentOf(dataset, datasets) === undefined) {
      const parent = dataset.name.replace(/\/[^/]*$/, "");
      add(
        "name",
        `\`${parent}\`, which it lies in, is not in this file`,
        "add it; as `existing` if it is there already",
      );
    }
    const { mountpoint, owner, mode } = dataset;
    if (mountpoint !== undefined && system.test(mountpoint)) {
      add("mountpoint", `${mountpoint} belongs to the system of the node`, "for example /srv/media");
    }
    const other = mounted.findIndex((path, k) => k < i && path !== undefined && path === mounted[i]);
    if (other >= 0 && pathOf(datasets[other] ?? dataset) !== pathOf(dataset)) {
      const key = mountpoint === undefined ? "name" : "mountpoint";
      add(key, `\`${pathOf(datasets[other] ?? dataset)}\` is mounted at ${mounted[i] ?? ""} already`);
    }
    if (mountpoint !== undefined && dataset.proxmox_storage_type === "zfspool") {
      add(
        "mountpoint",
        "Proxmox VE looks for the disks of a `zfspool` storage at the place that ZFS chooses",
        "leave it out",
      );
    }
    const nowhere = mounted[i] === undefined;
    if (nowhere && dataset.proxmox_storage_type === "dir") {
      add("proxmox_storage_type", "a `dir` storage needs a dataset that is mounted");
    }
    if (nowhere && owner !== undefined) add("owner", "it is mounted nowhere: there is no folder to own");
    if (nowhere && mode !== undefined) add("mode", "it is mounted nowhere: there is no folder to set it on");
    if (dataset.owner_in_containers === true && !/^\d+(:\d+)?$/.test(owner ?? "")) {
      add(
        "owner_in_containers",
        "only numbers can be those inside containers",
        'for example "owner": "1000:1000"',
      );
    }
    unchanged(
      dataset,
      ["properties", "mountpoint", "owner", "mode"],
      ["zfs", "datasets", i],
      locator,
      findings,
    );
  });
}

/** A pool that may go keeps staying while something in it may not. */
function checkDestroy(
  pools: readonly Pool[],
  datasets: readonly Dataset[],
  locator: Locator,
  findings: Findings,
): void {
  pools.forEach((pool, i) => {
    if (pool.allow?.includes("destroy") !== true || pool.existing === true) return;
    const staying = datasets.find(
      (dataset) => dataset.pool === pool.name && dataset.allow?.includes("destroy") !== true,
    );
    if (staying === undefined) return;
    const message = `\`${pool.name}\` may be destroyed, but not \`${pathOf(staying)}\` in it: a destroy will stop there, and both stay`;
    const remedy = "allow both, or none";
    findings.warn(locator, ["zfs", "pools", i, "allow"], message, { remedy });
  });
}
