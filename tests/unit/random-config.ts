import { small } from "./sources.ts";
import type { Json } from "./sources.ts";

/** A seeded generator (mulberry32): the same seed gives the same numbers everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 ≤ result < below. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}

export interface Config {
  hypervisor: Json;
  lxc: { lxc_configs: Record<string, Json> };
}

/** A valid configuration: a chain of templates, and containers with a bit of everything. */
export function randomConfig(random: Random): Config {
  const { hypervisor, lxc } = small();
  const configs = (lxc as Config["lxc"]).lxc_configs;
  hypervisor["nvidia_driver"] = { install: true, version: "580.76.05" };
  lxc["nvidia_container_toolkit"] = { version: "1.17.8-1", key_sha256: "d".repeat(64) };
  hypervisor["hardware"] = { cores: 64, memory_mb: 262144, gpus: 2 };
  const zfs = hypervisor["zfs"] as { pools: Json[]; datasets: Json[] };
  zfs.pools.push({
    name: "fast",
    raid_level: "mirror",
    disks: ["/dev/disk/by-id/ata-B", "/dev/disk/by-id/ata-C"],
  });
  zfs.datasets.push({
    name: "data",
    pool: "fast",
    proxmox_storage_type: "zfspool",
    proxmox_content_type: "images",
  });
  hypervisor["shared_volumes"] = { certs: { host_path: "/tank/lxc/certs", mounts: { "910": "/certs" } } };
  const count = 2 + random.below(6);
  for (let i = 0; i < count; i++) {
    const ctid = 911 + i;
    configs[String(ctid)] = {
      name: `guest-${ctid}`,
      clone_from_ctid: random.pick(["900", "902"]),
      memory_mb: 256 * (1 + random.below(8)),
      cores: 1 + random.below(8),
      mac_address: `52:54:00:00:00:${(16 + i).toString(16)}`,
      network_config: { ip: `10.0.0.${30 + i}/24`, ...(random.chance(50) ? { gw: "10.0.0.1" } : {}) },
      ...(random.chance(50) ? { storage_size_gb: 8 } : {}),
      ...(random.chance(50) ? { storage_pool: "tank-lxc" } : {}),
      ...(random.chance(50) ? { dependencies: [String(910 + random.below(i + 1))] } : {}),
      ...(random.chance(50) ? { start_at_boot: true, boot_order: i + 1 } : {}),
      ...(random.chance(30) ? { gpu_assignment: random.pick(["0", "1", "0,1", "none"]) } : {}),
      ...(random.chance(30)
        ? {
            volumes: [
              { name: "data", pool: "fast-data", size_gb: 1 + random.below(9), mount_point: "/data" },
            ],
          }
        : {}),
      ...(random.chance(30)
        ? { firewall: { enabled: true, rules: [{ type: "in", action: "ACCEPT", proto: "tcp", port: "80" }] } }
        : {}),
      features: [{ name: "serve_page", parameters: { port: 8000 + i, text: "hello" } }],
    };
  }
  configs["910"] = { ...configs["910"], start_at_boot: true, boot_order: 0 };
  return { hypervisor, lxc: lxc as Config["lxc"] };
}
