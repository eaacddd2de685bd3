import { ApiError, type Context } from "../core/route.ts";
import { createBaseVolume, volumeHasFeature } from "../volumes/index.ts";
import { loadConfig, requireUnlocked, saveConfig, withConfigLock } from "./config-store.ts";
import { vmidOf } from "./parameters.ts";
import { isRunning } from "./process.ts";
import { mountPointKeys, mountPointType, parseMountPoint, printMountPoint } from "./property-string.ts";

/** POST /nodes/{node}/lxc/{vmid}/template. As in PVE the answer is null and the work a task that nobody names. */
export async function makeTemplate(context: Context): Promise<null> {
  const vmid = vmidOf(context.parameters);
  await withConfigLock(vmid, () => {
    const config = loadConfig(vmid);
    requireUnlocked(config);
    if (Object.keys(config.snapshots).length > 0)
      throw new ApiError(500, "unable to create template, because CT contains snapshots");
    if (config.values["template"] === "1")
      throw new ApiError(500, "you can't convert a template to a template");
    if (isRunning(vmid)) throw new ApiError(500, "you can't convert a CT to template if the CT is running");
  });
  context.startTask("vztemplate", String(vmid), () => withConfigLock(vmid, () => seal(vmid)));
  return null;
}

async function seal(vmid: number): Promise<void> {
  const config = loadConfig(vmid);
  const keys = mountPointKeys(config.values);
  for (const key of keys) {
    const mountPoint = parseMountPoint(config.values[key] ?? "");
    const volid = mountPoint["volume"] ?? "";
    if (mountPointType(mountPoint) !== "volume" || !(await volumeHasFeature("template", volid)))
      throw new Error(`Template feature is not available for '${volid}'`);
  }
  for (const key of keys) {
    const mountPoint = parseMountPoint(config.values[key] ?? "");
    const volume = await createBaseVolume(mountPoint["volume"] ?? "");
    config.values[key] = printMountPoint({ ...mountPoint, volume });
    saveConfig(vmid, config);
  }
  config.values["template"] = "1";
  saveConfig(vmid, config);
}
