import type { Pool } from "./generated/hypervisor-config.ts";
import { dataShare } from "./vdevs.ts";
import type { Whole } from "./whole.ts";
import { zfsOf } from "./zfs.ts";

/**
 * Quotas that add up to more than the pool. ZFS allows it, so it is a warning; the size is only known where the
 * disks' names tell it (`…_4TB_…`).
 */
export function checkQuotas({ hostConfig, hostLocator, input }: Whole): void {
  const { pools, datasets: all } = zfsOf(hostConfig);
  pools.forEach((pool, i) => {
    const size = sizeOf(pool);
    if (size === undefined) return;
    const datasets = all.filter((dataset) => dataset.pool === pool.name);
    const sum = datasets.reduce((total, { properties }) => total + (bytes(properties?.quota) ?? 0), 0);
    if (sum <= size) return;
    const message = `the quotas in \`${pool.name}\` add up to ${tebibytes(sum)}, its disks give ${tebibytes(size)}`;
    input.findings.warn(hostLocator, ["zfs", "pools", i, "name"], message, {
      remedy: "ZFS allows it; the pool can be full before a quota is reached",
    });
  });
}

const units: Record<string, number> = { "": 0, K: 1, M: 2, G: 3, T: 4, P: 5 };

/** A size as ZFS writes it, in bytes. */
export function bytes(size: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([KMGTP]?)$/i.exec(size ?? "");
  if (match === null) return undefined;
  return Number(match[1]) * 1024 ** (units[(match[2] ?? "").toUpperCase()] ?? 0);
}

/** Makers count in powers of ten. */
function diskBytes(disk: string): number | undefined {
  const match = /[_-](\d+(?:\.\d+)?)(TB|GB)(?=[_-]|$)/i.exec(disk);
  return match === null ? undefined : Number(match[1]) * (match[2]?.toUpperCase() === "TB" ? 1e12 : 1e9);
}

function sizeOf(pool: Pool): number | undefined {
  const sizes = pool.disks.map(diskBytes);
  if (sizes.length === 0 || sizes.some((size) => size === undefined)) return undefined;
  const known = sizes.filter((size) => size !== undefined);
  if (pool.raid_level === "stripe") return known.reduce((sum, size) => sum + size, 0);
  return Math.min(...known) * dataShare(pool);
}

function tebibytes(size: number): string {
  return `${(size / 1024 ** 4).toFixed(1)} TiB`;
}
