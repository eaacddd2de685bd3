/** Generated from schemas/phoenix_hypervisor_config.schema.json by `npm run generate`; do not edit. */

/**
 * It is there already and not ours: used and checked, never changed or removed.
 */
export type Existing = boolean;
/**
 * Dangerous things that Phoenix may do to this object: `destroy` its data with it, `replace` it by a new one.
 */
export type Allow = ("destroy" | "replace")[];

/**
 * The host: its ZFS pools and datasets, the storages made from them, and what the containers find on it.
 */
export interface HypervisorConfig {
  /**
   * Relative path of this schema, for completion in an editor.
   */
  $schema?: string;
  network: HostNetwork;
  zfs: Zfs;
  /**
   * Storages that are on the node already and not made from a dataset of this file.
   */
  storages?: ExistingStorage[];
  /**
   * Operating system images that templates are built from, each downloaded once into a storage.
   */
  os_templates?: OsTemplate[];
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
 * ZFS pools and the datasets in them.
 */
export interface Zfs {
  /**
   * ZFS pools.
   */
  pools: Pool[];
  /**
   * Datasets in the pools, each of which can be a storage of the node.
   */
  datasets: Dataset[];
}
export interface Pool {
  /**
   * Name of the pool.
   */
  name: string;
  /**
   * How the disks form the pool. `single` is one disk, `stripe` several without redundancy.
   */
  raid_level: "single" | "stripe" | "mirror" | "raidz1" | "raidz2" | "raidz3";
  /**
   * The disks by identity, never by a name that can change at the next boot. A pool is only ever created on disks which are verifiably empty.
   *
   * Items: Path of a disk below /dev/disk/by-id.
   */
  disks: string[];
  properties?: PoolProperties;
  filesystem_properties?: ZfsProperties;
  existing?: Existing;
  allow?: Allow;
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
   * A user property.
   *
   * This interface was referenced by `ZfsProperties`'s JSON-Schema definition
   * via the `patternProperty` "^[a-z0-9._-]+:[a-z0-9:._-]+$".
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
    | undefined;
}
export interface Dataset {
  /**
   * Name inside the pool; it is mounted at `/<pool>/<name>`.
   */
  name: string;
  /**
   * Name of the pool it lies in.
   */
  pool: string;
  properties?: ZfsProperties;
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
  existing?: Existing;
  allow?: Allow;
}
export interface ExistingStorage {
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
  /**
   * It is there already and not ours.
   */
  existing: true;
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
   * Where the node downloads the image.
   */
  url: string;
  checksum?: Checksum;
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
