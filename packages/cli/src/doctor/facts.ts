/** What is on a node, as one look over SSH and a few questions to its API tell it. */
export interface NodeFacts {
  /** The numeric id of the SSH user. */
  readonly userId: number;
  readonly hostname: string;
  /** As `pveversion` says it; empty where there is no Proxmox VE. */
  readonly version: string;
  readonly kernel: string;
  readonly kernels: readonly string[];
  /** Kernels whose headers are installed. */
  readonly headers: readonly string[];
  /** Kernels without headers, for which the node's repositories have some. */
  readonly headersOffered: readonly string[];
  /** The open driver is loaded, and holds NVIDIA's cards. */
  readonly nouveau: boolean;
  readonly processors: number;
  readonly memoryBytes: number;
  /** Free bytes of the file systems that matter on the node itself. */
  readonly space: readonly { readonly mount: string; readonly freeBytes: number }[];
  readonly bridges: readonly string[];
  /** IPv4 addresses in CIDR notation, by interface. */
  readonly addresses: readonly { readonly device: string; readonly address: string }[];
  readonly gpus: readonly Gpu[];
  readonly pools: readonly PoolFacts[];
  /** Exported pools that ZFS sees on the disks. */
  readonly importable: readonly string[];
  readonly datasets: readonly DatasetFacts[];
  readonly storages: readonly StorageFacts[];
  readonly guests: readonly GuestFacts[];
  readonly disks: readonly DiskFacts[];
}

export interface Gpu {
  readonly pci: string;
  readonly name: string;
  /** From `nvidia-smi`, where a driver runs. */
  readonly driver?: string;
}

export interface PoolFacts {
  readonly name: string;
  readonly sizeBytes: number;
  readonly freeBytes: number;
  readonly health: string;
  /** Devices. */
  readonly members: readonly string[];
}

export interface DatasetFacts {
  readonly name: string;
  readonly availableBytes: number;
  /** The stack that made it. */
  readonly stack?: string;
}

export interface StorageFacts {
  readonly id: string;
  readonly type: string;
  readonly content: readonly string[];
  /** Dataset of a zfspool, path of a folder. */
  readonly place: string;
  readonly active: boolean;
  readonly freeBytes: number;
}

export interface GuestFacts {
  readonly vmid: number;
  readonly kind: "container" | "virtual machine";
  readonly name: string;
  /** The stack whose mark, with the guest's own vmid, the description begins with. */
  readonly stack?: string;
}

export interface DiskFacts {
  readonly device: string;
  /** The best name under /dev/disk/by-id; a disk may have none. */
  readonly identity?: string;
  readonly identities: readonly string[];
  readonly model: string;
  readonly serial: string;
  readonly sizeBytes: number;
  /** What makes it not empty; nothing means verifiably empty. */
  readonly found: readonly string[];
}
