/** Generated from schemas/phoenix_hypervisor_config.schema.json by `npm run generate`; do not edit. */

/**
 * Dangerous things that Phoenix may do to this object: `destroy` its data with it, `replace` it by a new one.
 */
export type Allow = ("destroy" | "replace")[];
/**
 * Path of a disk below /dev/disk/by-id.
 */
export type Disk = string;
/**
 * It is there already and not ours: used and checked, never changed or removed.
 */
export type Existing = boolean;
/**
 * Dangerous things that Phoenix may do to this pool: `destroy` it with its data, `replace` one of its disks by another, `grow` it by disks that ZFS cannot take out again.
 */
export type PoolAllow = ("destroy" | "replace" | "grow")[];

/**
 * The host: its ZFS pools and datasets, the storages made from them, and what the containers find on it.
 */
export interface HypervisorConfig {
  /**
   * Relative path of this schema, for completion in an editor.
   */
  $schema?: string;
  /**
   * @deprecated
   * Version of the file. Accepted for compatibility, without effect: a label.
   */
  version?: string;
  /**
   * @deprecated
   * Who wrote the file. Accepted for compatibility, without effect: a label.
   */
  author?: string;
  hardware?: Hardware;
  users?: Users;
  core_paths?: CorePaths;
  /**
   * Time zone of the node.
   */
  timezone?: string;
  base?: Base;
  network: HostNetwork;
  firewall?: HostFirewall;
  zfs?: Zfs;
  /**
   * Storages that are not made from a dataset of this file: those that are on the node already, and those to be registered.
   */
  storages?: StorageEntry[];
  /**
   * Operating system images that templates are built from, each downloaded once into a storage.
   */
  os_templates?: OsTemplate[];
  proxmox_defaults?: ProxmoxDefaults;
  /**
   * @deprecated
   * Folder of mount points. Accepted for compatibility, without effect: a dataset is mounted at `/<pool>/<name>`.
   */
  mount_point_base?: string;
  /**
   * Folders of the host that containers share, by name.
   */
  shared_volumes?: {
    [k: string]: SharedVolume;
  };
  /**
   * Volumes that containers share, by name.
   */
  shared_zfs_volumes?: {
    [k: string]: SharedZfsVolume;
  };
  nfs?: Nfs;
  samba?: Samba;
  docker?: DockerImages;
  nvidia_driver?: NvidiaDriver;
  vm_defaults?: VmDefaults;
  /**
   * Virtual machines.
   */
  vms?: Vm[];
  behavior?: Behavior;
}
/**
 * What the machine has, where it should be checked.
 */
export interface Hardware {
  /**
   * Processor threads.
   */
  cores?: number;
  /**
   * Memory in MiB.
   */
  memory_mb?: number;
  /**
   * Number of NVIDIA GPUs; they are counted from 0.
   */
  gpus?: number;
}
/**
 * The administrator of the node.
 */
export interface Users {
  /**
   * Linux user and Proxmox VE user `<name>@pam`.
   */
  username: string;
  password_hash?: SecretReference;
  /**
   * May become root, and is an administrator of Proxmox VE.
   */
  sudo_access?: boolean;
  /**
   * Key that may log in.
   */
  ssh_public_key?: string;
}
/**
 * The name of a secret in the stack's encrypted configuration, never the secret itself.
 */
export interface SecretReference {
  /**
   * Set by `pulumi config set --secret phoenix:<name>`.
   */
  secret: string;
}
/**
 * Paths of the system before this one.
 */
export interface CorePaths {
  /**
   * @deprecated
   * Path of the container file. Accepted for compatibility, without effect: the stack names its files.
   */
  lxc_config_file?: string;
  /**
   * @deprecated
   * Path of a schema. Accepted for compatibility, without effect: the schema is named by `$schema`.
   */
  lxc_config_schema_file?: string;
  /**
   * @deprecated
   * Path of the VM file. Accepted for compatibility, without effect: VMs are not served.
   */
  vm_config_file?: string;
  /**
   * @deprecated
   * Path of a file with a token. Accepted for compatibility, without effect: tokens are secrets of the stack.
   */
  hf_token_file?: string;
  /**
   * @deprecated
   * Path of a file with a token. Accepted for compatibility, without effect: tokens are secrets of the stack.
   */
  docker_token_file?: string;
  /**
   * @deprecated
   * Folder of images. Accepted for compatibility, without effect: nothing ever read it.
   */
  docker_images_path?: string;
  /**
   * @deprecated
   * Folder of a marker. Accepted for compatibility, without effect: nothing ever wrote one.
   */
  hypervisor_marker_dir?: string;
  /**
   * @deprecated
   * Path of a marker. Accepted for compatibility, without effect: nothing ever wrote one.
   */
  hypervisor_marker?: string;
}
/**
 * The base system of the node. What a key does is undone when it goes; packages stay.
 */
export interface Base {
  /**
   * Package repositories by the name of their file below /etc/apt/sources.list.d.
   */
  repositories?: {
    [k: string]: Repository;
  };
  /**
   * Repositories that came with the node and are switched off, by the name of their file: `pve-enterprise` and `ceph` are those for subscribers.
   *
   * Items: File below /etc/apt/sources.list.d, without its ending.
   */
  disabled_repositories?: string[];
  /**
   * Packages that the node has to have. They stay when they are taken out of the list.
   *
   * Items: Name of a package.
   */
  packages?: string[];
  /**
   * Any word, such as a date: each new one upgrades all packages of the node once, and stops where the node then needs a reboot. Nothing is ever upgraded without it.
   */
  upgrade?: string;
  /**
   * Time servers that the node's chrony asks, beside the distribution's.
   *
   * Items: Name or address of a server.
   */
  time_servers?: string[];
  /**
   * How log files on the node are rotated, by a name for each set of them.
   */
  log_rotation?: {
    [k: string]: LogRotation;
  };
}
/**
 * A package repository, signed by a key of its own. A suite of another Debian release than the node's is refused.
 *
 * This interface was referenced by `undefined`'s JSON-Schema definition
 * via the `patternProperty` "^[A-Za-z0-9][A-Za-z0-9_-]*$".
 */
export interface Repository {
  /**
   * What it holds.
   *
   * @minItems 1
   */
  types?: ["deb" | "deb-src", ...("deb" | "deb-src")[]];
  /**
   * Where it is.
   *
   * @minItems 1
   *
   * Items: Address.
   */
  uris: [string, ...string[]];
  /**
   * Its suites, `trixie` on Proxmox VE 9 and `bookworm` on 8.
   *
   * @minItems 1
   *
   * Items: A suite.
   */
  suites: [string, ...string[]];
  /**
   * Its components.
   *
   * Items: A component.
   */
  components?: string[];
  key: RepositoryKey;
  allow?: Allow;
}
/**
 * The key that signs it: its text, or a file on the node.
 */
export interface RepositoryKey {
  /**
   * The armored public key.
   */
  text?: string;
  /**
   * A keyring that lies on the node already.
   */
  path?: string;
  /**
   * Checksum of that file; only a file that a package brought needs none.
   */
  sha256?: string;
}
/**
 * Rotation of one set of log files.
 *
 * This interface was referenced by `undefined`'s JSON-Schema definition
 * via the `patternProperty` "^[A-Za-z0-9][A-Za-z0-9_-]*$".
 */
export interface LogRotation {
  /**
   * Their paths, with `*` and `?`.
   *
   * @minItems 1
   *
   * Items: Absolute path.
   */
  files: [string, ...string[]];
  /**
   * How often.
   */
  frequency?: "daily" | "weekly" | "monthly";
  /**
   * How many old ones are kept.
   */
  keep?: number;
  /**
   * Beyond this size they are rotated at the next look, whenever it was last.
   */
  max_size?: string;
  /**
   * Old ones are compressed.
   */
  compress?: boolean;
}
/**
 * The host's own address and the bridges that containers attach to.
 */
export interface HostNetwork {
  interfaces: HostInterface;
  /**
   * Further bridges on the node, beside the one in `interfaces`.
   */
  bridges?: Bridge[];
  /**
   * Host name of the node.
   */
  hostname?: string;
  /**
   * Samba workgroup.
   */
  workgroup?: string;
  /**
   * Address of the Portainer server.
   */
  portainer_server_ip?: string;
  /**
   * Port of the Portainer server.
   */
  portainer_server_port?: number;
  /**
   * Port of Portainer agents.
   */
  portainer_agent_port?: number;
  /**
   * @deprecated
   * Image registry. Accepted for compatibility, without effect: nothing ever read it.
   */
  external_registry_url?: string;
  /**
   * @deprecated
   * Subnet. Accepted for compatibility, without effect: it follows from `interfaces.address`.
   */
  default_subnet?: string;
  /**
   * @deprecated
   * Address of the NFS server. Accepted for compatibility, without effect: it is the host's, `interfaces.address`.
   */
  nfs_server?: string;
}
/**
 * The node's main bridge. It is used and checked, never rewritten.
 */
export interface HostInterface {
  /**
   * Name of the bridge.
   */
  name: string;
  /**
   * The node's address on this bridge with prefix length.
   */
  address: string;
  /**
   * The network's gateway.
   */
  gateway?: string;
  /**
   * Name servers of the node, separated by spaces.
   */
  dns_nameservers?: string;
}
export interface Bridge {
  /**
   * Name of the bridge.
   */
  name: string;
  /**
   * Bridges are never made by Phoenix: the network you reach the node by stays as it is.
   */
  existing: true;
}
/**
 * The node's firewall. It never locks out the connection it is set through.
 */
export interface HostFirewall {
  /**
   * It filters.
   */
  enabled?: boolean;
  /**
   * What happens to packets coming in that no rule names.
   */
  default_input_policy?: "ACCEPT" | "DROP" | "REJECT";
  /**
   * What happens to packets going out that no rule names.
   */
  default_output_policy?: "ACCEPT" | "DROP" | "REJECT";
  /**
   * Rules for the node and everything on it.
   */
  global_firewall_rules?: FirewallRule[];
}
/**
 * A firewall rule.
 */
export interface FirewallRule {
  /**
   * Direction.
   */
  type: "in" | "out";
  /**
   * What happens.
   */
  action: "ACCEPT" | "DROP" | "REJECT";
  /**
   * Where it comes from: addresses or subnets.
   */
  source?: string;
  /**
   * Where it goes.
   */
  dest?: string;
  /**
   * Protocol.
   */
  proto?: "tcp" | "udp" | "icmp";
  /**
   * Port, range or list.
   */
  port?: string;
  /**
   * Interface.
   */
  iface?: string;
  /**
   * A remark.
   */
  comment?: string;
}
/**
 * ZFS pools and the datasets in them.
 */
export interface Zfs {
  /**
   * ZFS pools.
   */
  pools?: Pool[];
  /**
   * Datasets in the pools, each of which can be a storage of the node.
   */
  datasets?: Dataset[];
  /**
   * Most memory that the cache of ZFS takes, in GiB.
   */
  arc_max_gb?: number;
  settings?: ZfsSettings;
}
export interface Pool {
  /**
   * Name of the pool.
   */
  name: string;
  /**
   * How the disks form the pool. `single` is one disk, `stripe` several without redundancy, `raid10` several mirrors.
   */
  raid_level:
    | "single"
    | "stripe"
    | "mirror"
    | "raid10"
    | "raidz1"
    | "raidz2"
    | "raidz3"
    | "draid1"
    | "draid2"
    | "draid3";
  /**
   * The disks by identity, never by a name that can change at the next boot. A pool is only ever created on disks which are verifiably empty.
   */
  disks: Disk[];
  /**
   * Disks of one mirror or raidz group; the list of disks is cut into groups of this size, in order. Absent: 2 for `raid10`, all disks for the other levels with redundancy.
   */
  group_size?: number;
  draid?: Draid;
  /**
   * Disks for metadata and small blocks; two or more are a mirror. Without them the pool is lost.
   */
  special_disks?: Disk[];
  /**
   * Disks for synchronous writes; two or more are a mirror.
   */
  log_disks?: Disk[];
  /**
   * Disks that cache reads.
   */
  cache_disks?: Disk[];
  /**
   * Disks that stand by for a broken one.
   */
  spare_disks?: Disk[];
  properties?: PoolProperties;
  filesystem_properties?: ZfsProperties;
  /**
   * When the whole pool is read through: `weekly`, `monthly`, `quarterly`, or a calendar event as in systemd.time(7).
   */
  scrub?: string;
  existing?: Existing;
  /**
   * Nothing may take it away, not even `destroy`: that stops before it touches anything. Taken back by an `up` without it.
   */
  protect?: boolean;
  allow?: PoolAllow;
}
/**
 * How a `draid` level spreads data.
 */
export interface Draid {
  /**
   * Data disks in each stripe. Absent: 8, or as many as there are if that is fewer.
   */
  data_disks?: number;
  /**
   * Spares spread over all disks.
   */
  spares?: number;
}
/**
 * Properties of the pool itself, as `zpool get` prints them.
 */
export interface PoolProperties {
  /**
   * Sector size as a power of two; only at creation.
   */
  ashift?: string;
  /**
   * Trim freed space at once.
   */
  autotrim?: "on" | "off";
  /**
   * Grow with the disks.
   */
  autoexpand?: "on" | "off";
  /**
   * Use a new disk in an old one's place.
   */
  autoreplace?: "on" | "off";
  /**
   * What to do when the disks are gone.
   */
  failmode?: "wait" | "continue" | "panic";
  /**
   * A line of text.
   */
  comment?: string;
}
/**
 * ZFS properties with their values, as `zfs get` prints them.
 */
export interface ZfsProperties {
  /**
   * Largest block of a file.
   */
  recordsize?: string;
  /**
   * Compression method.
   */
  compression?: string;
  /**
   * When a write counts as done.
   */
  sync?: "standard" | "always" | "disabled";
  /**
   * Record the time of each read.
   */
  atime?: "on" | "off";
  /**
   * Record the time of a read at most once a day.
   */
  relatime?: "on" | "off";
  /**
   * Most space of the dataset and all below it.
   */
  quota?: string;
  /**
   * Most space of the dataset alone.
   */
  refquota?: string;
  /**
   * Space kept for the dataset and all below it.
   */
  reservation?: string;
  /**
   * Space kept for the dataset alone.
   */
  refreservation?: string;
  /**
   * Where extended attributes lie.
   */
  xattr?: "on" | "off" | "sa" | "dir";
  /**
   * Kind of access control lists.
   */
  acltype?: "off" | "noacl" | "nfsv4" | "posix" | "posixacl";
  /**
   * How access control lists are inherited.
   */
  aclinherit?: "discard" | "noallow" | "restricted" | "passthrough" | "passthrough-x";
  /**
   * Size of a dnode.
   */
  dnodesize?: "legacy" | "auto" | "1k" | "2k" | "4k" | "8k" | "16k";
  /**
   * Prefer low latency or throughput for synchronous writes.
   */
  logbias?: "latency" | "throughput";
  /**
   * What the memory cache keeps.
   */
  primarycache?: "all" | "none" | "metadata";
  /**
   * What the cache device keeps.
   */
  secondarycache?: "all" | "none" | "metadata";
  /**
   * How much metadata is stored twice.
   */
  redundant_metadata?: "all" | "most" | "some" | "none";
  /**
   * Largest block that goes to the special device.
   */
  special_small_blocks?: string;
  /**
   * Checksum method.
   */
  checksum?: "on" | "off" | "fletcher2" | "fletcher4" | "sha256" | "sha512" | "skein" | "edonr" | "blake3";
  /**
   * Copies of each block.
   */
  copies?: "1" | "2" | "3";
  /**
   * Store equal blocks once.
   */
  dedup?: "on" | "off" | "verify" | "sha256" | "sha512" | "skein";
  /**
   * Show the snapshot directory.
   */
  snapdir?: "hidden" | "visible";
  /**
   * Programs may be run from it.
   */
  exec?: "on" | "off";
  /**
   * The setuid bit counts.
   */
  setuid?: "on" | "off";
  /**
   * Device nodes work in it.
   */
  devices?: "on" | "off";
  /**
   * Whether file names differ by case; only at creation.
   */
  casesensitivity?: "sensitive" | "insensitive" | "mixed";
  /**
   * How file names are compared as Unicode; only at creation.
   */
  normalization?: "none" | "formC" | "formD" | "formKC" | "formKD";
  /**
   * A user property; those of Phoenix are its own.
   *
   * This interface was referenced by `ZfsProperties`'s JSON-Schema definition
   * via the `patternProperty` "^(?!phoenix:)[a-z0-9._-]+:[a-z0-9:._-]+$".
   */
  [k: string]:
    | string
    | "standard"
    | "always"
    | "disabled"
    | "on"
    | "off"
    | "sa"
    | "dir"
    | "noacl"
    | "nfsv4"
    | "posix"
    | "posixacl"
    | "discard"
    | "noallow"
    | "restricted"
    | "passthrough"
    | "passthrough-x"
    | "legacy"
    | "auto"
    | "1k"
    | "2k"
    | "4k"
    | "8k"
    | "16k"
    | "latency"
    | "throughput"
    | "all"
    | "none"
    | "metadata"
    | "most"
    | "some"
    | "fletcher2"
    | "fletcher4"
    | "sha256"
    | "sha512"
    | "skein"
    | "edonr"
    | "blake3"
    | "1"
    | "2"
    | "3"
    | "verify"
    | "hidden"
    | "visible"
    | "sensitive"
    | "insensitive"
    | "mixed"
    | "formC"
    | "formD"
    | "formKC"
    | "formKD"
    | undefined;
}
export interface Dataset {
  /**
   * Name inside the pool; it is mounted at `/<pool>/<name>`, or below the mount point of the dataset that it lies in.
   */
  name: string;
  /**
   * Name of the pool it lies in.
   */
  pool: string;
  properties?: ZfsProperties;
  /**
   * Where it is mounted: an absolute path, `none` or `legacy`. Files that lie there already are never hidden.
   */
  mountpoint?: string;
  /**
   * Owner of its top folder: `user`, `user:group` or numbers; a user alone stands for its group too. What lies in it keeps its owners.
   */
  owner?: string;
  /**
   * The numbers of `owner` are those inside unprivileged containers: the node adds 100000.
   */
  owner_in_containers?: boolean;
  /**
   * Permissions of its top folder, in octal.
   */
  mode?: string;
  /**
   * What kind of storage Proxmox VE sees in it: `zfspool` for disks of guests, `dir` for files. Absent: no storage.
   */
  proxmox_storage_type?: "zfspool" | "dir";
  /**
   * What may lie in the storage, separated by commas.
   */
  proxmox_content_type?: string;
  /**
   * Id of the storage; `<pool>-<name>` if absent.
   */
  storage_id?: string;
  /**
   * Nodes that may use the storage; without it all.
   *
   * @minItems 1
   *
   * Items: Name of a node.
   */
  storage_nodes?: [string, ...string[]];
  storage_prune?: PruneOptions;
  existing?: Existing;
  /**
   * Nothing may take it away, not even `destroy`: that stops before it touches anything. Taken back by an `up` without it.
   */
  protect?: boolean;
  allow?: Allow;
}
/**
 * Which backups a job keeps in it.
 */
export interface PruneOptions {
  /**
   * The newest ones.
   */
  keep_last?: number;
  /**
   * One for each of the last hours.
   */
  keep_hourly?: number;
  /**
   * One for each of the last days.
   */
  keep_daily?: number;
  /**
   * One for each of the last weeks.
   */
  keep_weekly?: number;
  /**
   * One for each of the last months.
   */
  keep_monthly?: number;
  /**
   * One for each of the last years.
   */
  keep_yearly?: number;
  /**
   * All of them; then nothing else is said.
   */
  keep_all?: true;
}
/**
 * Switches of the system before this one.
 */
export interface ZfsSettings {
  /**
   * @deprecated
   * Wipe disks. Accepted for compatibility, without effect: no switch allows that for all; `"allow": ["destroy"]` stands on the object concerned.
   */
  allow_destructive_operations?: boolean;
}
/**
 * A storage of the node that is not made from a dataset of this file: one that is there already (`existing`), or one to be registered.
 */
export interface StorageEntry {
  /**
   * Id of the storage.
   */
  id: string;
  /**
   * Kind of storage, as `pvesm status` prints it.
   */
  type: string;
  /**
   * What may lie in it.
   */
  content: ("images" | "rootdir" | "iso" | "vztmpl" | "backup" | "snippets" | "import")[];
  existing?: Existing;
  /**
   * For `zfspool`: a pool or dataset that is there already.
   */
  pool?: string;
  /**
   * For `dir`: a folder of the node.
   */
  path?: string;
  /**
   * For `nfs`: the server.
   */
  server?: string;
  /**
   * For `nfs`: the exported folder.
   */
  export?: string;
  /**
   * For `nfs`: mount options.
   */
  options?: string;
  /**
   * Nodes that may use it; without it all.
   *
   * @minItems 1
   *
   * Items: Name of a node.
   */
  nodes?: [string, ...string[]];
  prune?: PruneOptions;
}
export interface OsTemplate {
  /**
   * The name that a container's `template` gives.
   */
  name: string;
  /**
   * Storage with content `vztmpl` that keeps the image.
   */
  storage: string;
  /**
   * Where the node downloads the image. It needs a `checksum`, unless it is the node itself (127.0.0.1).
   */
  url?: string;
  /**
   * Instead of `url`: a file beside this program that is uploaded. It needs a `sha256` checksum.
   */
  file?: string;
  checksum?: Checksum;
  /**
   * The image is in the storage already, under the last part of `url` or `file`: it is used, and never brought, changed or removed.
   */
  existing?: boolean;
}
/**
 * Verified by the node after the download.
 */
export interface Checksum {
  /**
   * Digest method.
   */
  algorithm: "md5" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512";
  /**
   * The digest in hexadecimal.
   */
  value: string;
}
/**
 * What containers get which say nothing else, neither themselves nor in their templates.
 */
export interface ProxmoxDefaults {
  /**
   * Storage of root file systems.
   */
  zfs_lxc_pool?: string;
  lxc?: LxcDefaults;
}
/**
 * Defaults of containers.
 */
export interface LxcDefaults {
  /**
   * Processor cores.
   */
  cores?: number;
  /**
   * Memory in MiB.
   */
  memory_mb?: number;
  /**
   * @deprecated
   * An address for all. Accepted for compatibility, without effect: an address is a container's own.
   */
  network_config?: string;
  /**
   * @deprecated
   * Abilities for all. Accepted for compatibility, without effect: abilities follow from the features of each container.
   */
  features?: string;
  /**
   * @deprecated
   * A profile. Accepted for compatibility, without effect: nothing ever read it.
   */
  security?: string;
  /**
   * @deprecated
   * An ability for all. Accepted for compatibility, without effect: abilities follow from the features of each container.
   */
  nesting?: number;
}
/**
 * A folder of the host that several containers see.
 *
 * This interface was referenced by `undefined`'s JSON-Schema definition
 * via the `patternProperty` "^[A-Za-z][A-Za-z0-9_-]*$".
 */
export interface SharedVolume {
  /**
   * The folder on the host, in the mount point of a dataset.
   */
  host_path: string;
  /**
   * Where each container sees it, by CTID.
   */
  mounts: {
    /**
     * Absolute path in the container.
     *
     * This interface was referenced by `undefined`'s JSON-Schema definition
     * via the `patternProperty` "^[1-9]\d{2,8}$".
     */
    [k: string]: string;
  };
  /**
   * User of the containers that the folder belongs to when it is made.
   */
  owner_uid?: number;
  /**
   * Group of the containers that the folder belongs to when it is made.
   */
  owner_gid?: number;
  /**
   * `chown`: a folder that is there already gets that owner too; what lies in it does not.
   */
  allow?: "chown"[];
}
/**
 * A volume of its own that several containers see.
 *
 * This interface was referenced by `undefined`'s JSON-Schema definition
 * via the `patternProperty` "^[A-Za-z][A-Za-z0-9_-]*$".
 */
export interface SharedZfsVolume {
  /**
   * Storage whose dataset it lies in, or a pool.
   */
  pool: string;
  /**
   * Size in GiB.
   */
  size_gb: number;
  /**
   * @deprecated
   * Absolute path in the containers that `mounts` gives none. Accepted for compatibility, without effect: `mounts` names the path for each container.
   */
  mount_point?: string;
  /**
   * Where each container sees it, by CTID.
   */
  mounts?: {
    /**
     * Absolute path in the container.
     *
     * This interface was referenced by `undefined`'s JSON-Schema definition
     * via the `patternProperty` "^[1-9]\d{2,8}$".
     */
    [k: string]: string;
  };
  /**
   * User of the containers that the folder belongs to when it is made.
   */
  owner_uid?: number;
  /**
   * Group of the containers that the folder belongs to when it is made.
   */
  owner_gid?: number;
  /**
   * `destroy`: its data goes when the volume is taken out of the configuration, or the stack is destroyed.
   */
  allow?: "destroy"[];
}
/**
 * Folders that the node serves by NFS.
 */
export interface Nfs {
  /**
   * Exported folders.
   */
  exports?: NfsExport[];
}
/**
 * An exported folder.
 */
export interface NfsExport {
  /**
   * Absolute path.
   */
  path: string;
  /**
   * Who may mount it.
   *
   * @minItems 1
   *
   * Items: Address, subnet or host name.
   */
  clients: [string, ...string[]];
  /**
   * Export options.
   *
   * Items: An option, as in exports(5).
   */
  options?: string[];
}
/**
 * Folders that the node serves by Samba.
 */
export interface Samba {
  /**
   * Linux user who owns the shares; must exist.
   */
  user?: string;
  /**
   * Shares.
   */
  shares?: SambaShare[];
}
/**
 * A share.
 */
export interface SambaShare {
  /**
   * Name of the share.
   */
  name: string;
  /**
   * Dataset that is shared, as `<pool>/<name>`.
   */
  path: string;
  /**
   * Who may connect.
   *
   * Items: A user.
   */
  valid_users?: string[];
  /**
   * It is listed.
   */
  browsable?: boolean;
  /**
   * Nobody may write.
   */
  read_only?: boolean;
  /**
   * No password is asked.
   */
  guest_ok?: boolean;
}
/**
 * Images of Portainer.
 */
export interface DockerImages {
  /**
   * Image of the Portainer server.
   */
  portainer_server_image?: string;
  /**
   * Image of the Portainer agent.
   */
  portainer_agent_image?: string;
}
/**
 * The host's NVIDIA driver; the containers' must be the same version.
 */
export interface NvidiaDriver {
  /**
   * Install it.
   */
  install?: boolean;
  /**
   * Version; exactly this one is installed, on the host and in containers.
   */
  version?: string;
  /**
   * Where it comes from: packages of the distribution (Debian: section `non-free`), packages of the vendor's repository, or the vendor's installer. Without it: `runfile` where `runfile_url` is given, else `distribution`.
   */
  source?: "distribution" | "vendor-repository" | "runfile";
  /**
   * Flavour of the kernel module; GPUs from Blackwell on need the open one, those before Turing the proprietary one.
   */
  kernel_module?: "proprietary" | "open";
  /**
   * Packages to install instead of the usual ones of the source.
   *
   * @minItems 1
   */
  packages?: [string, ...string[]];
  repository?: DriverRepository;
  /**
   * Where the installer is downloaded.
   */
  runfile_url?: string;
  /**
   * SHA-256 of the installer: a file with another one is not run.
   */
  runfile_sha256?: string;
  /**
   * Persistence mode: the driver stays initialised while nobody uses a GPU.
   */
  persistence?: boolean;
  /**
   * Version of the CUDA toolkit that the feature `nvidia` puts into containers; none without it. It comes from `nvidia_repo_url` of the container file.
   */
  cuda_version?: string;
  /**
   * @deprecated
   * Install libraries on the host. Accepted for compatibility, without effect: nothing ever read it.
   */
  install_vllm_libs?: boolean;
}
/**
 * The package repository of the driver. The distribution's own needs none: the node's Debian mirror is taken.
 */
export interface DriverRepository {
  /**
   * Its address. Default for `distribution`: the mirror that the node has for Debian's main section; for `vendor-repository`: `https://developer.download.nvidia.com/compute/cuda/repos/debian12/x86_64/`.
   */
  uri?: string;
  /**
   * The key that it is signed with. Default for `vendor-repository`: `3bf863cc.pub` beside its packages.
   */
  key_url?: string;
  /**
   * SHA-256 of the key file; needed where there is a key.
   */
  key_sha256?: string;
}
/**
 * What VMs get which say nothing else.
 */
export interface VmDefaults {
  /**
   * Image.
   */
  template?: string;
  /**
   * Processor cores.
   */
  cores?: number;
  /**
   * Memory in MiB.
   */
  memory_mb?: number;
  /**
   * Size of the disk in GiB.
   */
  disk_size_gb?: number;
  /**
   * Storage of the disk.
   */
  storage_pool?: string;
  /**
   * Bridge.
   */
  network_bridge?: string;
}
/**
 * A virtual machine.
 */
export interface Vm {
  /**
   * Host name.
   */
  name: string;
  /**
   * Processor cores.
   */
  cores?: number;
  /**
   * Memory in MiB.
   */
  memory_mb?: number;
  /**
   * Size of the disk in GiB.
   */
  disk_size_gb?: number;
  /**
   * Image.
   */
  template?: string;
  /**
   * Storage of the disk.
   */
  storage_pool?: string;
  /**
   * Bridge.
   */
  network_bridge?: string;
  /**
   * Scripts that run in it once.
   *
   * Items: File name.
   */
  post_create_scripts?: string[];
}
/**
 * Switches of the system before this one.
 */
export interface Behavior {
  /**
   * @deprecated
   * Roll back. Accepted for compatibility, without effect: nothing ever read it.
   */
  rollback_on_failure?: boolean;
  /**
   * @deprecated
   * Print more. Accepted for compatibility, without effect: nothing ever read it.
   */
  debug_mode?: boolean;
}
