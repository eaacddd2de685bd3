import type { Pool } from "./generated/hypervisor-config.ts";
import type { VdevSpec } from "./types.ts";

type Level = Pool["raid_level"];

/** What ZFS, and sense, ask of a level: disks in one group at least, and how many of them may fail. */
const levels: Record<Level, { fewest: number; parity: number }> = {
  single: { fewest: 1, parity: 0 },
  stripe: { fewest: 2, parity: 0 },
  mirror: { fewest: 2, parity: 1 },
  raid10: { fewest: 2, parity: 1 },
  raidz1: { fewest: 3, parity: 1 },
  raidz2: { fewest: 4, parity: 2 },
  raidz3: { fewest: 5, parity: 3 },
  draid1: { fewest: 2, parity: 1 },
  draid2: { fewest: 3, parity: 2 },
  draid3: { fewest: 4, parity: 3 },
};

export const raidLevels = Object.keys(levels) as Level[];

export const isDraid = (level: Level): boolean => level.startsWith("draid");
const isPlain = (level: Level): boolean => level === "single" || level === "stripe";

/** Disks of one group of data disks. */
export function groupSize({ raid_level: level, group_size: size, disks }: Pool): number {
  if (isPlain(level)) return 1;
  return size ?? (level === "raid10" ? 2 : Math.max(1, disks.length));
}

/** What is wrong with a pool's numbers; the key concerned, a message and what would be right. */
export function layoutProblem(
  pool: Pool,
): { key: "disks" | "group_size" | "draid"; message: string; remedy?: string } | undefined {
  const { raid_level: level, disks } = pool;
  const size = groupSize(pool);
  if (pool.draid !== undefined && !isDraid(level)) {
    return {
      key: "draid",
      message: `\`draid\` is for the levels draid1, draid2 and draid3, not \`${level}\``,
    };
  }
  if (pool.group_size !== undefined && isPlain(level)) {
    return { key: "group_size", message: `\`${level}\` has no groups`, remedy: "leave it out" };
  }
  // What is there already is only recognised, and may be named without its disks.
  if (pool.existing === true && disks.length === 0) return undefined;
  const count = disks.length;
  const here = count === 1 ? "here is 1" : `here are ${count}`;
  if (level === "single" && count > 1) {
    const remedy =
      "`stripe` spreads data over several disks, and losing one loses all; `mirror` keeps copies";
    return { key: "disks", message: `\`single\` is one disk, ${here}`, remedy };
  }
  const draid = isDraid(level) ? (pool.draid?.spares ?? 0) + (pool.draid?.data_disks ?? 1) : 0;
  const least = Math.max(levels[level].fewest, levels[level].parity + draid);
  const groups = level === "raid10" || level === "stripe" ? 2 : 1;
  const fewest = level === "stripe" ? 2 : least * groups;
  if (count < fewest) {
    const remedy =
      count === 1 && (level === "mirror" || level === "stripe" || level === "raid10")
        ? "`single` is the level for one disk"
        : undefined;
    const message = `\`${level}\` needs at least ${fewest} ${fewest === 1 ? "disk" : "disks"}, ${here}`;
    return { key: "disks", message, ...(remedy === undefined ? {} : { remedy }) };
  }
  if (pool.group_size !== undefined && size < least) {
    return { key: "group_size", message: `a group of \`${level}\` needs at least ${least} disks` };
  }
  if (count % size !== 0) {
    return { key: "disks", message: `${count} disks cannot be cut into groups of ${size}` };
  }
  return undefined;
}

/** The groups of disks that form a pool. */
export function vdevsOf(pool: Pool): VdevSpec[] {
  const size = groupSize(pool);
  const kind = kindOf(pool, size);
  const data: VdevSpec[] = [];
  for (let i = 0; i < pool.disks.length; i += size) {
    data.push({ class: "data", kind, disks: pool.disks.slice(i, i + size) });
  }
  const together = (name: VdevSpec["class"], disks: string[] = []): VdevSpec[] =>
    disks.length === 0 ? [] : [{ class: name, kind: disks.length === 1 ? "disk" : "mirror", disks }];
  const each = (name: VdevSpec["class"], disks: string[] = []): VdevSpec[] =>
    disks.map((disk) => ({ class: name, kind: "disk", disks: [disk] }));
  return [
    ...data,
    ...together("special", pool.special_disks),
    ...together("log", pool.log_disks),
    ...each("cache", pool.cache_disks),
    ...each("spare", pool.spare_disks),
  ];
}

function kindOf(pool: Pool, size: number): string {
  const level = pool.raid_level;
  if (isPlain(level)) return "disk";
  if (level === "raid10") return "mirror";
  if (!isDraid(level)) return level;
  const spares = pool.draid?.spares ?? 0;
  // Written out in full, as ZFS names what it made.
  const data = pool.draid?.data_disks ?? Math.max(1, Math.min(8, size - levels[level].parity - spares));
  return `${level}:${data}d:${size}c:${spares}s`;
}

/** Disks whose space the data has, of `count` equal ones. */
export function dataShare(pool: Pool): number {
  const { raid_level: level } = pool;
  const size = groupSize(pool);
  const groups = pool.disks.length / size;
  if (isPlain(level)) return pool.disks.length;
  if (level === "mirror" || level === "raid10") return groups;
  const spares = pool.draid?.spares ?? 0;
  return groups * Math.max(1, size - levels[level].parity - spares);
}
