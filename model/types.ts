/**
 * The model: what the configuration means, with defaults applied, inheritance resolved and every reference checked.
 * Components take these types and nothing else.
 */

import type { Allowed } from "./allowed.ts";
import type { BaseSpec } from "./base-spec.ts";
import type {
  ContainerResources,
  MountSpec,
  NetworkSpec,
  SharedVolumeSpec,
  VolumeSpec,
} from "./container-resources.ts";

export type * from "./container-resources.ts";
export type { Allowed } from "./allowed.ts";
export type { BaseSpec, LogRotationSpec, RepositorySpec } from "./base-spec.ts";

/** A configuration text with the path it is reported under. */
export interface SourceFile {
  path: string;
  text: string;
  /** Why the text could not be read; then `text` is empty. */
  problem?: string;
}

/** Everything that a model is built from. In `hypervisor` and `lxc` the first is the base, the rest are overlays (JSON Merge Patch, in order). */
export interface Sources {
  hypervisor: SourceFile[];
  lxc: SourceFile[];
  /** Manifests of feature scripts. */
  features: SourceFile[];
  /** Paths of the scripts that exist, as they are found from the manifests and named by features without one. */
  scripts: string[];
}

export interface Finding {
  severity: "error" | "warning";
  class: "file" | "syntax" | "schema" | "cross-check";
  file: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  /** JSON pointer (RFC 6901) in the file as it is written. */
  pointer: string;
  message: string;
  /** What would be right, or the command that helps. */
  remedy?: string;
  /** The container concerned. */
  ctid?: number;
}

export type Outcome = Success | { ok: false; findings: Finding[] };

export interface Success {
  ok: true;
  model: Model;
  warnings: Finding[];
  /** References to the stack's secrets, where they are written. */
  secrets: SecretUse[];
  /** Where storages and images were written: `storage:ID`, `image:NAME`. */
  places: ReadonlyMap<string, string>;
  /** The effective configuration of a container with the origin of every value; undefined if there is no such one. */
  explain(ctid: number): Explained[] | undefined;
}

/** `{"secret": "<name>"}` in a file. */
export interface SecretUse {
  name: string;
  place: { file: string; line: number; column: number; pointer: string };
}

export interface Explained {
  /** As in the file, with dots for nested keys. */
  key: string;
  value: unknown;
  /** `default`, `host`, `needs` (of a feature), or the CTID that says so. */
  origin: string;
  /** Where it is written. */
  place?: { file: string; line: number; column: number };
}

export interface Model {
  host: HostSpec;
  /** Parents before those cloned from them. */
  templates: ContainerSpec[];
  /** Dependencies before those that need them. */
  containers: ContainerSpec[];
  manifests: FeatureManifest[];
}

/** Exactly one version of the NVIDIA driver on the host. */
export interface NvidiaDriverSpec {
  version: string;
  source: DriverSource;
  kernelModule: "proprietary" | "open";
  /** Instead of the usual ones of the source. */
  packages?: string[];
  repository?: { uri?: string; keyUrl?: string; keySha256?: string };
  runfile?: { url: string; sha256?: string };
  persistence: boolean;
}

export type DriverSource = "distribution" | "vendor-repository" | "runfile";

export interface HostSpec {
  /** The node's own address on its main bridge, CIDR. */
  address: string;
  bridge: string;
  gateway?: string;
  pools: PoolSpec[];
  datasets: DatasetSpec[];
  storages: StorageSpec[];
  osTemplates: OsTemplateSpec[];
  base: BaseSpec;
  /** Most memory of the cache of ZFS, in GiB. */
  arcMaxGb?: number;
  sharedVolumes: SharedVolumeSpec[];
  users: UserSpec[];
  /** Absent where none is installed. */
  nvidia?: NvidiaDriverSpec;
}

/** An administrator of the node. */
export interface UserSpec {
  username: string;
  /** Reference to a hash as crypt(3) makes it. */
  passwordHash?: { secret: string };
  /** May become root, and is an administrator of Proxmox VE. */
  sudo: boolean;
  sshPublicKey?: string;
}

/** A group of disks in a pool. */
export interface VdevSpec {
  class: "data" | "special" | "log" | "cache" | "spare";
  /** As ZFS names it: `disk`, `mirror`, `raidz2`, `draid1:4d:6c:1s`. */
  kind: string;
  disks: string[];
}

export interface PoolSpec {
  name: string;
  vdevs: VdevSpec[];
  properties: Record<string, string>;
  filesystemProperties: Record<string, string>;
  /** When it is read through, as systemd.time(7) says it. */
  scrub?: string;
  existing: boolean;
  /** The engine refuses to let it go. */
  protect: boolean;
  allow: Allowed[];
}

export interface DatasetSpec {
  name: string;
  pool: string;
  /** `<pool>/<name>`, as ZFS names it. */
  path: string;
  /** The dataset or pool that it lies directly in. */
  parent: string;
  /** With the mount point, where it is configured. */
  properties: Record<string, string>;
  /** Of its top folder, as the node sees it: `user:group`. */
  owner?: string;
  /** Of its top folder, octal. */
  mode?: string;
  existing: boolean;
  /** The engine refuses to let it go. */
  protect: boolean;
  allow: Allowed[];
}

export interface StorageSpec {
  id: string;
  /** `zfspool`, `dir` or `nfs`; an `existing` one may be of any type. */
  type: string;
  content: string[];
  /** ZFS path of the dataset behind it. */
  dataset?: string;
  /** Folder of a `dir` storage: the dataset's mount point, or any other. */
  path?: string;
  nfs?: { server: string; export: string };
  mountOptions?: string;
  /** Those that may use it; undefined: all. */
  nodes?: string[];
  prune?: PruneSpec;
  existing: boolean;
  allow: Allowed[];
}

/** Which backups are kept. */
export interface PruneSpec {
  keepAll?: boolean;
  keepLast?: number;
  keepHourly?: number;
  keepDaily?: number;
  keepWeekly?: number;
  keepMonthly?: number;
  keepYearly?: number;
}

/** It has one of `url` and `file`. */
export interface OsTemplateSpec {
  name: string;
  storage: string;
  /** Last part of the URL or path: the name under which the storage keeps it. */
  fileName: string;
  /** The node downloads it. */
  url?: string;
  /** It is uploaded; relative to the project's root. */
  file?: string;
  checksum?: { algorithm: string; value: string };
  /** It is there already: used, never brought, changed or removed. */
  existing: boolean;
}

/** Where the root file system comes from. */
export type ContainerSource =
  | {
      kind: "os-template";
      /** `OsTemplateSpec.name` */
      template: string;
      /** `storage:vztmpl/file` */
      volid: string;
      /** What identifies the image: its checksum, else its file name. Part of the recipe. */
      image: string;
    }
  | { kind: "clone"; vmid: number; mode: "linked" | "full" };

export interface ContainerSettings {
  nesting: boolean;
  keyctl: boolean;
  fuse: boolean;
  mknod?: boolean;
  force_rw_sys?: boolean;
  /** File systems that it may mount. */
  mount?: string[];
}

export interface ContainerSpec extends ContainerResources {
  vmid: number;
  /** Host name. */
  name: string;
  isTemplate: boolean;
  cores: number;
  memoryMb: number;
  swapMb: number;
  rootfs: { storage: string; sizeGb: number };
  network: NetworkSpec[];
  nameserver?: string;
  unprivileged: boolean;
  source: ContainerSource;
  /** Union of what the configuration says and what the features of the whole chain need. */
  settings: ContainerSettings;
  /** Its own, in order, without those it has from the chain. */
  features: FeatureSpec[];
  /** Those of the templates below it, base first. */
  inheritedFeatures: InheritedFeatureSpec[];
  startAtBoot: boolean;
  bootOrder?: number;
  /** Seconds. */
  bootDelay?: number;
  /** CTIDs. */
  dependencies: number[];
  /** Assigned NVIDIA GPUs, as `nvidia-smi` counts them, sorted. */
  gpus: number[];
  /** By name. */
  volumes: VolumeSpec[];
  /** What it sees of what is shared, by place. */
  mounts: MountSpec[];
  ready: ReadySpec;
  /** Of a container, or for those cloned from a template. */
  health?: HealthSpec;
  /** A new generation of its template makes it anew. */
  roll: boolean;
  /** The engine refuses to let it go. */
  protect: boolean;
  allow: Allowed[];
}

/** Seconds that a start waits for a guest, by what it waits for; 0 does not wait. */
export interface ReadySpec {
  init: number;
  network: number;
  dns: number;
}

/** What must succeed inside a container, all of it, for the container to count as healthy. */
export interface HealthSpec {
  /** For the guest's `/bin/sh`. */
  command?: string;
  http?: { port: number; path: string; status?: number };
  tcp?: { port: number };
  retries: number;
  /** Seconds between tries. */
  interval: number;
  /** Seconds for one try. */
  timeout: number;
}

export interface FeatureSpec {
  name: string;
  /** 1: with manifest and verbs; 0: any executable, gets the CTID as `$1`, cannot be checked. */
  level: 0 | 1;
  /** As in `Sources.scripts`; relative to the repository for its own scripts. */
  script: string;
  manifest?: FeatureManifest;
  /** Validated, with the defaults of the manifest's schema. */
  parameters: Record<string, unknown>;
  removable: boolean;
}

export type InheritedFeatureSpec = FeatureSpec & { from: number };

export interface FeatureManifest {
  name: string;
  version: string;
  description: string;
  target: "lxc" | "hypervisor";
  /** JSON Schema. */
  parameters: Record<string, unknown>;
  needs: {
    nesting: boolean;
    keyctl: boolean;
    fuse: boolean;
    network: boolean;
    gpu: boolean;
    reboot: boolean;
    features: string[];
  };
  /** Parameters that the model fills in, in a container with a GPU. */
  context: ("nvidia" | "nvidia_container_toolkit")[];
  verbs: ("check" | "apply" | "remove")[];
  /** Path of the script beside the manifest. */
  script: string;
}
