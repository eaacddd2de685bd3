/** A guest volume as a storage lists it. */
export interface VolumeInfo {
  readonly volid: string;
  /** Owner by name. */
  readonly vmid: number;
  /** Bytes the guest may use. */
  readonly size: number;
  readonly format: "subvol" | "raw";
  readonly content: "rootdir";
  /** Base volume of a linked clone, as `basevol-900-disk-0@__base__`. */
  readonly parent?: string;
  /** Bytes taken on the storage. */
  readonly used?: number;
  /** Seconds since 1970. */
  readonly ctime?: number;
}

export type VolumeFeature = "clone" | "copy" | "snapshot" | "template" | "rename" | "sparseinit";

/**
 * What guests need of a storage. Every volume is an ext4 file system in an image file; names are those of
 * Proxmox VE for the storage's type. All methods throw errors with PVE's texts.
 */
export interface VolumeBackend {
  /** Path of the image file of a volume. */
  imagePath(name: string): Promise<string>;
  /** Where Proxmox VE would show the volume (`pvesm path`). */
  path(name: string): Promise<string>;
  /**
   * Makes an empty volume (file system not made yet) and returns its name.
   * @param wanted last part of the name, else the first free one
   */
  allocate(vmid: number, bytes: number, wanted?: string): Promise<string>;
  free(name: string): Promise<void>;
  list(): Promise<VolumeInfo[]>;
  size(name: string): Promise<number>;
  /** Records the new size and lengthens the image file; the file system is the caller's. */
  grow(name: string, bytes: number): Promise<void>;
  /** Switches POSIX ACLs, where the storage has a property for that. */
  setAcl?(name: string, on: boolean): Promise<void>;
  hasFeature(feature: VolumeFeature, name: string, snapshot?: string): Promise<boolean>;
  /** Linked clone of a base volume for another guest; returns the new name. */
  clone(name: string, vmid: number, snapshot?: string): Promise<string>;
  /** Turns the volume into a base for linked clones; returns the new name. */
  createBase(name: string): Promise<string>;
  /** Full copy to the same storage, of the volume as it is or of one of its snapshots, where there is a quick way. */
  copy?(name: string, vmid: number, snapshot?: string): Promise<string>;
  /** Path of the image as it was at a snapshot. */
  snapshotImagePath(name: string, snapshot: string): Promise<string>;
  snapshot(name: string, snapshot: string): Promise<void>;
  deleteSnapshot(name: string, snapshot: string): Promise<void>;
  requireRollbackPossible(name: string, snapshot: string): Promise<void>;
  rollback(name: string, snapshot: string): Promise<void>;
  /** Gives the volume to another guest; returns the new name. */
  rename(name: string, vmid: number): Promise<string>;
}
