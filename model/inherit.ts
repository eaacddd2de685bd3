import type { HypervisorConfig } from "./generated/hypervisor-config.ts";
import type { ContainerConfig } from "./generated/lxc-configs.ts";
import type { Path } from "./text.ts";

/** Where an effective value comes from. */
export type Origin = { kind: "default" } | { kind: "host" } | { kind: "container"; ctid: number };

export interface EffectiveValue {
  value: unknown;
  origin: Origin;
}

/** Keys with dots for nested ones (`network_config.gw`), in the order of the table. */
export type Effective = Map<string, EffectiveValue>;

/**
 * What happens to a key along the template chain.
 * - `inherit`: the nearest one that sets it, the container itself first
 * - `own`: only what the container itself says
 * - `add`: every one adds its part, base first
 */
export type Rule = "inherit" | "own" | "add";

/** The rules, one place for all. Identity and life cycle are a container's own; its shape comes from the template. */
export const rules: Readonly<Record<string, Rule>> = {
  name: "own",
  is_template: "own",
  template: "own",
  clone_from_ctid: "own",
  clone_mode: "own",
  memory_mb: "inherit",
  swap_mb: "inherit",
  cores: "inherit",
  cpu_limit: "inherit",
  cpu_units: "inherit",
  storage_pool: "inherit",
  storage_size_gb: "inherit",
  "network_config.name": "inherit",
  "network_config.bridge": "inherit",
  "network_config.ip": "own",
  "network_config.gw": "inherit",
  "network_config.ip6": "own",
  "network_config.gw6": "inherit",
  "network_config.vlan": "inherit",
  "network_config.mtu": "inherit",
  "network_config.rate_mbps": "inherit",
  networks: "own",
  mac_address: "own",
  nameserver: "inherit",
  searchdomain: "inherit",
  unprivileged: "inherit",
  gpu_assignment: "own",
  features: "add",
  pct_options: "add",
  lxc_options: "add",
  id_maps: "inherit",
  devices: "own",
  volumes: "own",
  snapshots: "own",
  firewall: "own",
  description: "own",
  tags: "add",
  start_at_boot: "own",
  boot_order: "own",
  boot_delay: "own",
  dependencies: "own",
  health_check: "inherit",
  "ready_timeouts.init": "inherit",
  "ready_timeouts.network": "inherit",
  "ready_timeouts.dns": "inherit",
  roll: "inherit",
  protect: "own",
  allow: "own",
};

/** Lists that are shown even where nobody adds to them: a container's abilities follow from its features, too. */
const ALWAYS: ReadonlySet<string> = new Set(["features", "pct_options"]);

/** What holds where nobody says anything. */
export const defaults: Readonly<Record<string, unknown>> = {
  is_template: false,
  memory_mb: 512,
  swap_mb: 512,
  cores: 1,
  "network_config.name": "eth0",
  unprivileged: true,
  gpu_assignment: "none",
  start_at_boot: false,
  dependencies: [],
  "ready_timeouts.init": 120,
  "ready_timeouts.network": 60,
  "ready_timeouts.dns": 60,
  roll: false,
  protect: false,
  allow: [],
};

export interface ChainLink {
  ctid: number;
  config: ContainerConfig;
}

/** @param chain base first, the container itself last. @param host what the host gives to every container. */
export function effective(chain: readonly ChainLink[], host: Readonly<Record<string, unknown>>): Effective {
  const result: Effective = new Map();
  for (const [key, rule] of Object.entries(rules)) {
    const links = rule === "own" ? chain.slice(-1) : chain;
    if (rule === "add") {
      const parts = links.flatMap(({ config }) => (read(config, key) as unknown[] | undefined) ?? []);
      const last = links.findLast(({ config }) => read(config, key) !== undefined) ?? links.at(-1);
      const ctid = last?.ctid ?? 0;
      if (last !== undefined && read(last.config, key) === undefined && !ALWAYS.has(key)) continue;
      result.set(key, { value: parts, origin: { kind: "container", ctid } });
      continue;
    }
    const setter = links.findLast(({ config }) => read(config, key) !== undefined);
    if (setter !== undefined) {
      result.set(key, { value: read(setter.config, key), origin: { kind: "container", ctid: setter.ctid } });
    } else if (host[key] !== undefined) {
      result.set(key, { value: host[key], origin: { kind: "host" } });
    } else if (defaults[key] !== undefined) {
      result.set(key, { value: defaults[key], origin: { kind: "default" } });
    }
  }
  return result;
}

function read(config: ContainerConfig, key: string): unknown {
  return key
    .split(".")
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], config);
}

/** Where the value stands that counts for this container: in it, or in the template that it comes from. */
export function pathOf(values: Effective, ctid: number, key: string): Path {
  const origin = values.get(key)?.origin;
  const owner = origin?.kind === "container" ? origin.ctid : ctid;
  return ["lxc_configs", String(owner), ...key.split(".")];
}

/** What the host gives to containers that say nothing, nor do their templates. */
export function defaultsOf(config: HypervisorConfig): Record<string, unknown> {
  const { lxc, zfs_lxc_pool } = config.proxmox_defaults ?? {};
  return {
    "network_config.bridge": config.network.interfaces.name,
    ...(zfs_lxc_pool === undefined ? {} : { storage_pool: zfs_lxc_pool }),
    ...(lxc?.cores === undefined ? {} : { cores: lxc.cores }),
    ...(lxc?.memory_mb === undefined ? {} : { memory_mb: lxc.memory_mb }),
  };
}
