import { rm } from "node:fs/promises";
import { ApiError, type Context, type TaskLog } from "../core/route.ts";
import { readStorages } from "../core/storage-config.ts";
import { describeVolume, freeVolume, listVolumes } from "../volumes/index.ts";
import type { GuestConfig } from "./config-file.ts";
import { leaveOnlyLock, loadConfig, removeConfig, requireUnlocked, withConfigLock } from "./config-store.ts";
import { LXC_FOLDER } from "./lxc-config.ts";
import { unmountGuest } from "./mounts.ts";
import { flagOf, vmidOf } from "./parameters.ts";
import { requireNoProtection } from "./pending.ts";
import { forgetGuest } from "../core/pools.ts";
import { killUnderLock } from "./power.ts";
import { isRunning } from "./process.ts";
import { mountPointType, parseMountPoint } from "./property-string.ts";

/** DELETE /nodes/{node}/lxc/{vmid}: the guest and every volume that it owns by name, unused ones too. */
export function destroyGuest(context: Context): string {
  const { parameters } = context;
  const vmid = vmidOf(parameters);
  const force = flagOf(parameters, "force") === true;
  const check = () => {
    const config = loadConfig(vmid);
    requireNoProtection(config, `can't remove CT ${vmid}`);
    requireUnlocked(config);
    if (!force && isRunning(vmid))
      throw new ApiError(500, `unable to destroy CT ${vmid} - container is running`);
    return config;
  };
  check();
  return context.startTask("vzdestroy", String(vmid), (log) =>
    withConfigLock(vmid, async () => {
      const config = check();
      if (isRunning(vmid)) {
        log(`WARN: forced to stop CT ${vmid} before destroying!`);
        await killUnderLock(vmid);
      }
      await freeVolumes(vmid, config, log);
      if (flagOf(parameters, "destroy-unreferenced-disks")) await freeUnreferenced(vmid, log);
      await rm(`${LXC_FOLDER}/${vmid}`, { recursive: true, force: true });
      leaveOnlyLock(vmid, "destroyed");
      forgetGuest(vmid);
      if (flagOf(parameters, "purge")) log(`purging CT ${vmid} from related configurations..`);
      // Only now: the id must not be taken again before everything else is gone.
      removeConfig(vmid);
    }),
  );
}

async function freeVolumes(vmid: number, config: GuestConfig, log: TaskLog): Promise<void> {
  await unmountGuest(vmid);
  const volumes = new Set<string>();
  for (const values of [config.values, config.pending.values])
    for (const [key, value] of Object.entries(values)) {
      if (!/^(?:rootfs|mp\d+|unused\d+)$/.test(key)) continue;
      const mountPoint = parseMountPoint(value);
      if (mountPointType(mountPoint) === "volume") volumes.add(mountPoint["volume"] ?? "");
    }
  for (const volume of volumes) {
    if (describeVolume(volume).owner === vmid) await freeVolume(volume);
    else log(`ignore deletion of '${volume}', CT ${vmid} isn't the owner!`);
  }
}

async function freeUnreferenced(vmid: number, log: TaskLog): Promise<void> {
  for (const storage of readStorages().filter(
    ({ enabled, content }) => enabled && content.includes("rootdir"),
  ))
    for (const { volid } of await listVolumes(storage, { vmid }))
      await freeVolume(volid).catch((error: unknown) => log(`WARN: ${String(error)}`));
}
