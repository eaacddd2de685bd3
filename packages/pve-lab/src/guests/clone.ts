import { nodeName } from "../core/places.ts";
import { ApiError, type Context, type TaskLog } from "../core/route.ts";
import { requireEnabledStorage, requireStorage } from "../core/storage-config.ts";
import { parseVolumeId } from "../core/volume-id.ts";
import { cloneVolume, copyVolume, freeVolume, volumeHasFeature } from "../volumes/index.ts";
import { inTask } from "../volumes/run.ts";
import { emptyConfig, type GuestConfig, type Section } from "./config-file.ts";
import {
  loadConfig,
  removeConfig,
  removeLock,
  reserveGuest,
  saveConfig,
  setLock,
  withConfigLock,
} from "./config-store.ts";
import { mountGuest, unmountGuest } from "./mounts.ts";
import { flagOf, textOf, vmidOf } from "./parameters.ts";
import { requireBridge } from "./permissions.ts";
import { addGuestToPool, requirePool } from "../core/pools.ts";
import { isRunning } from "./process.ts";
import {
  mountPointKeys,
  mountPointType,
  parseMountPoint,
  parseNetwork,
  printMountPoint,
  printNetwork,
  randomMac,
} from "./property-string.ts";
import { finishClone, writeNetworkFiles } from "./setup.ts";

interface Plan {
  readonly vmid: number;
  readonly newid: number;
  readonly full: boolean;
  readonly storage: string | undefined;
  readonly snapshot: string | undefined;
  readonly pool: string | undefined;
}

/**
 * POST /nodes/{node}/lxc/{vmid}/clone. The source is locked (`disk`) and the new guest (`create`) until the task ends,
 * for linked clones and templates too.
 */
export async function cloneGuest(context: Context): Promise<string> {
  const { parameters } = context;
  const vmid = vmidOf(parameters);
  const newid = vmidOf(parameters, "newid");
  const pool = textOf(parameters, "pool");
  if (pool !== undefined) requirePool(pool);
  const storage = textOf(parameters, "storage");
  const target = textOf(parameters, "target");
  if (target !== undefined && target !== nodeName() && target !== "localhost")
    throw new ApiError(500, `no such cluster node '${target}'`);
  if (storage !== undefined) requireEnabledStorage(storage);

  const source = await setLock(vmid, "disk");
  try {
    await reserveGuest(newid);
  } catch (error) {
    await removeLock(vmid, "disk");
    throw error;
  }
  try {
    const plan: Plan = {
      vmid,
      newid,
      full: flagOf(parameters, "full") ?? source.values["template"] !== "1",
      storage,
      snapshot: textOf(parameters, "snapname"),
      pool,
    };
    const running = isRunning(vmid);
    const from = await checkSource(context, plan, source, running);
    const config = cloneConfig(context, from);
    const hostname = textOf(parameters, "hostname");
    if (hostname) config.values["hostname"] = hostname;
    const description = textOf(parameters, "description");
    if (description) config.description = description;
    saveConfig(newid, config);
    return context.startTask("vzclone", String(vmid), (log, signal) =>
      inTask(signal, () => work(plan, from, running, log)),
    );
  } catch (error) {
    await removeLock(vmid, "disk");
    await withConfigLock(newid, () => removeConfig(newid));
    throw error;
  }
}

/** The section that is cloned. @throws ApiError with PVE's texts for what cannot be cloned this way */
async function checkSource(
  context: Context,
  plan: Plan,
  source: GuestConfig,
  running: boolean,
): Promise<Section> {
  const { full, storage, snapshot } = plan;
  if (storage !== undefined && !full)
    throw new ApiError(500, "parameter 'storage' not allowed for linked clones");
  const from = snapshot === undefined ? source : source.snapshots[snapshot];
  if (!from) throw new ApiError(500, `snapshot '${snapshot ?? ""}' does not exist`);
  for (const key of mountPointKeys(from.values)) {
    const mountPoint = parseMountPoint(from.values[key] ?? "");
    const type = mountPointType(mountPoint);
    if (type !== "volume") throw new ApiError(500, `unable to clone mountpoint '${key}' (type ${type})`);
    const volid = mountPoint["volume"] ?? "";
    const id = storage ?? parseVolumeId(volid).storage;
    requireStorage(id);
    context.requirePrivileges(`/storage/${id}`, ["Datastore.AllocateSpace"]);
    if (full && running && snapshot === undefined)
      throw new ApiError(500, "Cannot do full clones on a running container without snapshots");
    if (!full && !(await volumeHasFeature("clone", volid, snapshot)))
      throw new ApiError(500, `Linked clone feature for '${volid}' is not available`);
  }
  return from;
}

/** Everything but volumes, snapshots and state; every interface gets a hardware address of its own. */
function cloneConfig(context: Context, from: Section): GuestConfig {
  const config = emptyConfig();
  if (from.description !== undefined) config.description = from.description;
  config.lxc = from.lxc.map(([key, value]) => [key, value]);
  const left = new Set([
    "template",
    "parent",
    "snaptime",
    "snapstate",
    "lock",
    ...mountPointKeys(from.values),
  ]);
  for (const [key, value] of Object.entries(from.values)) {
    if (left.has(key) || /^unused\d+$/.test(key)) continue;
    config.values[key] = /^net\d+$/.test(key)
      ? printNetwork({ ...parseNetwork(value), hwaddr: randomMac() })
      : value;
    if (/^net\d+$/.test(key)) requireBridge(context, config.values[key] ?? "");
  }
  config.values["lock"] = "create";
  return config;
}

async function work(plan: Plan, from: Section, wasRunning: boolean, log: TaskLog): Promise<void> {
  const { vmid, newid, pool } = plan;
  log(`creating a clone of container ${vmid} with ID ${newid}`);
  const made: string[] = [];
  let failure: Error | undefined;
  try {
    if (isRunning(vmid) !== wasRunning) throw new Error("unexpected state change");
    await makeVolumes(plan, from, made, log);
    if (pool !== undefined) addGuestToPool(pool, newid);
    await withConfigLock(newid, async () => {
      const config = requireCreateLock(newid);
      const root = await mountGuest(newid, config);
      try {
        await finishClone(root);
        writeNetworkFiles(newid, config, root);
      } finally {
        await unmountGuest(newid);
      }
    });
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  await removeLock(vmid, "disk").catch((error: unknown) => log(`WARN: ${String(error)}`));
  if (failure !== undefined) {
    for (const volume of made)
      await freeVolume(volume).catch((error: unknown) => log(`WARN: ${String(error)}`));
    await withConfigLock(newid, () => {
      requireCreateLock(newid);
      removeConfig(newid);
    }).catch((error: unknown) => log(`WARN: Failed to remove target CT config - ${String(error)}`));
    throw new Error(`clone failed: ${failure.message}`, { cause: failure });
  }
  await removeLock(newid, "create");
}

async function makeVolumes(plan: Plan, from: Section, made: string[], log: TaskLog): Promise<void> {
  const { newid, full, storage, snapshot } = plan;
  for (const key of mountPointKeys(from.values)) {
    const mountPoint = parseMountPoint(from.values[key] ?? "");
    const volid = mountPoint["volume"] ?? "";
    log(
      full
        ? `create full clone of mountpoint ${key} (${volid})`
        : `create linked clone of mount point ${key} (${volid})`,
    );
    const volume = full
      ? await copyVolume(volid, newid, storage ?? parseVolumeId(volid).storage, snapshot)
      : await cloneVolume(volid, newid, snapshot);
    made.push(volume);
    await withConfigLock(newid, () => {
      const config = requireCreateLock(newid);
      config.values[key] = printMountPoint({ ...mountPoint, volume });
      saveConfig(newid, config);
    });
  }
}

function requireCreateLock(vmid: number): GuestConfig {
  const config = loadConfig(vmid);
  if (config.values["lock"] !== "create") throw new Error("Lost 'create' config lock, aborting.");
  return config;
}
