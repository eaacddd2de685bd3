import { chmod, chown, mkdir, rm } from "node:fs/promises";
import { onVolume, volumeImage } from "../volumes/index.ts";
import { growFileSystem, mountImage, unmountAll } from "../volumes/image.ts";
import { run } from "../volumes/run.ts";
import type { GuestConfig } from "./config-file.ts";
import { deviceNumbers, passthroughDevices } from "./devices.ts";
import { idMap, toNodeId } from "./id-map.ts";
import { GuestRoot } from "./inside-root.ts";
import { deviceFolder, LXC_FOLDER, rootfsPath } from "./lxc-config.ts";
import { mountPointKeys, mountPointType, parseMountPoint, type MountPoint } from "./property-string.ts";

/** The mounted root of a guest, as the node sees it. */
export function guestRoot(vmid: number, config: Pick<GuestConfig, "values" | "lxc">): GuestRoot {
  const ranges = idMap(config);
  return new GuestRoot(rootfsPath(vmid), { uid: toNodeId(ranges, "u", 0), gid: toNodeId(ranges, "g", 0) });
}

/** Mounts the root disk and all mount points below /var/lib/lxc/<vmid>/rootfs. */
export async function mountGuest(vmid: number, config: GuestConfig): Promise<GuestRoot> {
  await mkdir(rootfsPath(vmid), { recursive: true });
  // An unprivileged guest's root must be able to walk down to its file system.
  for (const folder of [LXC_FOLDER, `${LXC_FOLDER}/${vmid}`]) await chmod(folder, 0o755);
  const root = guestRoot(vmid, config);
  try {
    for (const key of mountPointKeys(config.values))
      await mountOne(key, parseMountPoint(config.values[key] ?? ""), root, rootfsPath(vmid));
  } catch (error) {
    await unmountGuest(vmid);
    throw error;
  }
  return root;
}

async function mountOne(key: string, mountPoint: MountPoint, root: GuestRoot, rootfs: string): Promise<void> {
  const volume = mountPoint["volume"] ?? "";
  const target = key === "rootfs" ? rootfs : root.makeFolder(mountPoint["mp"] ?? "");
  const readOnly = mountPoint["ro"] === "1";
  const extra = (mountPoint["mountoptions"] ?? "").split(";").filter(Boolean);
  if (mountPointType(mountPoint) === "volume") {
    const image = await volumeImage(volume);
    if (!readOnly) await growFileSystem(image);
    const { acl } = mountPoint;
    // As PVE does on ZFS. The image's own ext4 keeps its ACLs: today's kernels have no mount option against them.
    if (acl !== undefined)
      await onVolume(volume, async (backend, name) => backend.setAcl?.(name, acl !== "0"));
    await mountImage(image, target, { readOnly, options: ["noatime", ...extra] });
  } else if (mountPointType(mountPoint) === "device") {
    await run("mount", ["-o", [readOnly ? "ro" : "rw", ...extra].join(","), volume, target]);
  } else {
    await run("mount", ["-o", "bind", volume, target]);
    if (readOnly) await run("mount", ["-o", "bind,remount,ro", target]);
  }
}

export async function unmountGuest(vmid: number): Promise<void> {
  await unmountAll(rootfsPath(vmid));
}

/** Makes the device nodes of `devN` entries; they are bound into the guest. */
export async function makeDeviceNodes(vmid: number, config: GuestConfig, root: GuestRoot): Promise<void> {
  await rm(deviceFolder(vmid), { recursive: true, force: true });
  const devices = passthroughDevices(config.values);
  if (devices.length === 0) return;
  await mkdir(deviceFolder(vmid), { recursive: true });
  const ranges = idMap(config);
  for (const { key, path, uid, gid, mode } of devices) {
    const { type, major, minor } = deviceNumbers(path);
    const node = `${deviceFolder(vmid)}/${key}`;
    await run("mknod", ["-m", mode, node, type, String(major), String(minor)]);
    await chown(node, toNodeId(ranges, "u", uid), toNodeId(ranges, "g", gid));
    root.makeFolder("/dev");
  }
}
