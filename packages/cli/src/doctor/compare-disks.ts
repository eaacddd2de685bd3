import type { PoolSpec } from "../../../../model/index.ts";
import type { Wanted } from "./wanted.ts";
import type { DiskFacts, NodeFacts, PoolFacts } from "./facts.ts";
import { error, size, warning } from "./problem.ts";
import type { Problem } from "./problem.ts";

/** Pools and datasets against the disks that are there and what is on them; pure. */
export function compareDisks({ stack, model }: Wanted, facts: NodeFacts): Problem[] {
  const problems = model.host.pools.flatMap((pool) => comparePool(pool, facts));
  const made = new Set(model.host.pools.map(({ name }) => name));
  for (const { path, pool, existing } of model.host.datasets) {
    const found = facts.datasets.find(({ name }) => name === path);
    const poolIsThere = facts.pools.some(({ name }) => name === pool);
    if (existing && !found && poolIsThere) {
      problems.push(
        error(
          `the dataset ${path} is declared existing and is not there`,
          "zfs.datasets in the hypervisor file",
        ),
      );
    } else if (!existing && found && found.stack !== stack) {
      const whose =
        found.stack === undefined ? "was not made by Phoenix" : `belongs to stack '${found.stack}'`;
      problems.push(
        error(
          `the dataset ${path} is there already and ${whose}`,
          'declare it "existing": true, or give it another name',
        ),
      );
    }
    if (!made.has(pool) && !poolIsThere)
      problems.push(
        error(
          `the dataset ${path} is in the pool ${pool}, which is not there`,
          "zfs.pools in the hypervisor file",
        ),
      );
  }
  return problems;
}

function comparePool(pool: PoolSpec, facts: NodeFacts): Problem[] {
  const { name } = pool;
  const found = facts.pools.find((one) => one.name === name);
  const wanted = pool.vdevs.flatMap(({ disks }) => disks);
  if (found) return compareMembers(pool, wanted, found, facts);
  const isExported = facts.importable.includes(name);
  if (pool.existing) {
    if (isExported) {
      return [
        error(`the pool ${name} is declared existing and not imported`, `on the node: zpool import ${name}`),
      ];
    }
    const there = facts.pools.map((one) => one.name).join(", ") || "none";
    return [
      error(
        `the pool ${name} is declared existing and is not there; there: ${there}`,
        "zfs.pools in the hypervisor file",
      ),
    ];
  }
  return wanted.flatMap((path) => compareDisk(name, path, facts, isExported));
}

/** A pool that is there: its members have to be among the configured disks; what is configured beyond them makes it grow. */
function compareMembers(
  { name, allow }: PoolSpec,
  wanted: readonly string[],
  found: PoolFacts,
  facts: NodeFacts,
): Problem[] {
  const problems: Problem[] = [];
  if (found.health !== "ONLINE")
    problems.push(warning(`the pool ${name} is ${found.health}`, `on the node: zpool status ${name}`));
  if (wanted.length === 0) return problems;
  const devices = new Set(wanted.map((path) => diskAt(path, facts.disks)?.device ?? path));
  const strange = found.members.filter((device) => !devices.has(device));
  if (strange.length > 0 && !allow.includes("replace")) {
    problems.push(
      error(
        `the pool ${name} consists of ${named(found.members, facts.disks)}, configured are ${wanted.join(", ")}`,
        "zfs.pools[].disks in the hypervisor file",
      ),
    );
    return problems;
  }
  const added = wanted.filter((path) => !found.members.includes(diskAt(path, facts.disks)?.device ?? path));
  if (added.length > 0 && !allow.includes("grow")) {
    problems.push(
      error(
        `the pool ${name} would grow by ${added.join(", ")}, and growing cannot be undone`,
        '"allow": ["grow"] on the pool, if it shall',
      ),
    );
  }
  return [...problems, ...added.flatMap((path) => compareDisk(name, path, facts, false))];
}

/** A disk that goes into a pool has to be there and empty; an exported pool of the name is imported, not made. */
function compareDisk(pool: string, path: string, facts: NodeFacts, isExported: boolean): Problem[] {
  const disk = diskAt(path, facts.disks);
  if (!disk) {
    const remedy = "bin/phoenix disks lists what is there, ready to paste";
    return [error(`pool ${pool}: there is no disk ${path}`, remedy)];
  }
  const own = new RegExp(`^signature zfs_member \\(${escaped(pool)}\\)|^partition `);
  const inTheWay = disk.found.filter((what) => !isExported || !own.test(what));
  if (inTheWay.length === 0) return [];
  return [
    error(
      `pool ${pool}: ${path} (${describe(disk)}) is not empty: ${inTheWay.join("; ")}`,
      "name another disk (bin/phoenix disks); Phoenix never clears one. If its content may go, look twice, then on the node: wipefs -a",
    ),
  ];
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\-]/g, "\\$&");

/** A disk by any of its names. */
export const diskAt = (path: string, disks: readonly DiskFacts[]): DiskFacts | undefined =>
  disks.find(({ device, identities }) => device === path || identities.includes(path));

const named = (devices: readonly string[], disks: readonly DiskFacts[]): string =>
  devices.map((device) => diskAt(device, disks)?.identity ?? device).join(", ");

/** A disk as a person knows it. */
export const describe = ({ model, serial, sizeBytes, device }: DiskFacts): string =>
  `${model || "model unknown"}, serial ${serial || "unknown"}, ${size(sizeBytes)}, now ${device}`;
