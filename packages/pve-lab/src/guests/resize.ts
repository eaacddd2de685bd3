import { ApiError, type Context } from "../core/route.ts";
import { isMounted } from "../volumes/image.ts";
import { parseVolumeId } from "../core/volume-id.ts";
import { describeVolume, growVolume, volumeSize } from "../volumes/index.ts";
import type { GuestConfig } from "./config-file.ts";
import { loadConfig, requireUnlocked, saveConfig, withConfigLock } from "./config-store.ts";
import { rootfsPath } from "./lxc-config.ts";
import { textOf, vmidOf } from "./parameters.ts";
import {
  formatSize,
  mountPointType,
  parseMountPoint,
  parseSize,
  printMountPoint,
} from "./property-string.ts";

/** PUT /nodes/{node}/lxc/{vmid}/resize: `size` absolute or with `+`. Volumes only grow. */
export async function resizeVolume(context: Context): Promise<string> {
  const { parameters } = context;
  const vmid = vmidOf(parameters);
  const disk = textOf(parameters, "disk") ?? "";
  const size = textOf(parameters, "size") ?? "";
  const check = async (): Promise<{ config: GuestConfig; bytes: number; before: number }> => {
    const config = loadConfig(vmid);
    requireUnlocked(config);
    const digest = textOf(parameters, "digest");
    if (digest !== undefined && digest !== config.digest)
      throw new ApiError(500, "detected modified configuration - file changed by other user? Try again.");
    const value = config.values[disk];
    if (value === undefined) throw new ApiError(500, `no such mount point '${disk}' configured`);
    const mountPoint = parseMountPoint(value);
    if (mountPointType(mountPoint) !== "volume") throw new ApiError(500, `'${disk}' is no volume`);
    const volid = mountPoint["volume"] ?? "";
    const { owner } = describeVolume(volid);
    if (owner !== vmid)
      throw new ApiError(500, `can't resize mount point owned by another container (${owner})`);
    context.requirePrivileges(`/storage/${parseVolumeId(volid).storage}`, ["Datastore.AllocateSpace"]);
    const before = await volumeSize(volid);
    const asked = parseSize(size.replace(/^\+/, ""));
    if (asked === undefined) throw new ApiError(500, "invalid size string");
    const bytes = size.startsWith("+") ? before + asked : asked;
    if (bytes < before) throw new ApiError(500, "unable to shrink disk size");
    if (bytes === before) throw new ApiError(500, "disk is already at specified size");
    return { config, bytes, before };
  };
  await withConfigLock(vmid, check);
  return context.startTask("resize", String(vmid), (log) =>
    withConfigLock(vmid, async () => {
      const { config, bytes } = await check();
      const mountPoint = parseMountPoint(config.values[disk] ?? "");
      const target = `${rootfsPath(vmid)}${disk === "rootfs" ? "" : (mountPoint["mp"] ?? "")}`;
      const mounted = (await isMounted(target)) ? target : undefined;
      const failure = await growVolume(mountPoint["volume"] ?? "", bytes, mounted);
      // As in PVE the volume has its new size all the same; the file system follows at the next start.
      if (failure !== undefined) log(`WARN: Failed to update the container's filesystem: ${failure}`);
      config.values[disk] = printMountPoint({ ...mountPoint, size: formatSize(bytes) });
      saveConfig(vmid, config);
    }),
  );
}
