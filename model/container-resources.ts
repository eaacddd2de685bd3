/** What a container has beside its root disk and its features: networks, volumes, devices, limits, firewall. */

import type { Allowed } from "./allowed.ts";

export interface NetworkSpec {
  name: string;
  bridge: string;
  /** CIDR or "dhcp"; none where the container itself sees to it. */
  address?: string;
  gateway?: string;
  /** CIDR, "auto" or "dhcp". */
  address6?: string;
  gateway6?: string;
  macAddress?: string;
  vlan?: number;
  mtu?: number;
  /** Megabytes per second. */
  rateMbps?: number;
}

/** Ids of the host. */
export interface OwnerSpec {
  uid: number;
  gid: number;
}

/** A dataset of its own that outlives the container. */
export interface VolumeSpec {
  name: string;
  /** As ZFS names it. */
  dataset: string;
  /** Where it is on the host. */
  source: string;
  /** Where it is in the container. */
  mountPoint: string;
  sizeGb: number;
  readOnly: boolean;
  /** Of the empty volume, when it is made. */
  owner: OwnerSpec;
  /** The engine refuses to let it go. */
  protect: boolean;
  allow: Allowed[];
}

/** What several containers see: a folder of the host, or a dataset of its own. */
export type SharedVolumeSpec = { name: string; source: string; owner: OwnerSpec } & (
  | {
      kind: "folder";
      /** Dataset in whose mount point it lies; without one it is a plain folder of the system disk. */
      within?: string;
      allow: "chown"[];
    }
  | { kind: "dataset"; dataset: string; sizeGb: number; allow: Allowed[] }
);

export interface MountSpec {
  source: string;
  /** In which it lies; without one it is a plain folder of the system disk. */
  dataset?: string;
  mountPoint: string;
}

/** Consecutive ids of a container that are consecutive ids of the host. */
export interface IdRange {
  kind: "u" | "g";
  inside: number;
  outside: number;
  count: number;
}

export interface DeviceSpec {
  path: string;
  mode?: string;
  uid?: number;
  gid?: number;
  denyWrite?: boolean;
}

export interface FirewallSpec {
  enabled: boolean;
  rules: FirewallRuleSpec[];
}

/** As Proxmox VE names it; `iface` is `net0` and so on. */
export interface FirewallRuleSpec {
  type: "in" | "out";
  action: "ACCEPT" | "DROP" | "REJECT";
  source?: string;
  dest?: string;
  proto?: string;
  dport?: string;
  iface?: string;
  comment?: string;
}

/** Limits, options and what a container sees of the host. */
export interface ContainerResources {
  /** Processors' worth of time; 0 is no limit. */
  cpuLimit: number;
  cpuUnits?: number;
  /** Sorted. */
  tags: string[];
  /** A person's own text. */
  description?: string;
  /** Separated by spaces. */
  searchdomain?: string;
  console: { enabled: boolean; ttyCount: number; type: "tty" | "console" | "shell" };
  /** Proxmox VE refuses to remove it. */
  protection: boolean;
  timezone?: string;
  devices: DeviceSpec[];
  /** The whole map of an unprivileged container; empty for the usual one. */
  idMaps: IdRange[];
  /** Raw LXC settings, name and value. */
  lxcOptions: [string, string][];
  firewall?: FirewallSpec;
  /** `pre-configured`, `final-form`. */
  snapshots: string[];
}
