import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { nodeName } from "../core/places.ts";
import { ApiError, type Context, type TaskLog } from "../core/route.ts";
import { requireEnabledStorage } from "../core/storage-config.ts";
import { filePath, parseVolumeId } from "../core/volume-id.ts";
import { activateStorage, freeVolume } from "../volumes/index.ts";
import { inTask, pipe } from "../volumes/run.ts";
import { emptyConfig, type GuestConfig, drop } from "./config-file.ts";
import {
  loadConfig,
  removeConfig,
  requireUnused,
  reserveGuest,
  saveConfig,
  withConfigLock,
} from "./config-store.ts";
import { idMap, underIdMap } from "./id-map.ts";
import { rootfsPath } from "./lxc-config.ts";
import { mountGuest, unmountGuest } from "./mounts.ts";
import { flagOf, optionsOf, textOf, vmidOf } from "./parameters.ts";
import { placeMountPoint, updateGuestConfig } from "./pending.ts";
import { requireMayChange, isRoot } from "./permissions.ts";
import { permissionError } from "../core/permissions.ts";
import { addGuestToPool, requirePool } from "../core/pools.ts";
import { startGuest } from "./power.ts";
import { mountPointKeys, mountPointType, newVolume, parseMountPoint } from "./property-string.ts";
import { detectSystem, finishNewGuest, writeNetworkFiles } from "./setup.ts";

/** Parameters of the creation that are no options of the configuration. */
const OTHERS = new Set([
  ...["node", "vmid", "ostemplate", "password", "storage", "force", "restore", "unique", "pool"],
  ...["ignore-unpack-errors", "ssh-public-keys", "bwlimit", "start", "ha-managed", "unprivileged"],
]);

/** POST /nodes/{node}/lxc: a container from an OS template. Returns the task. */
export async function createGuest(context: Context): Promise<string> {
  const { parameters } = context;
  const vmid = vmidOf(parameters);
  if (flagOf(parameters, "restore"))
    throw new ApiError(501, "restore of backups is not implemented in the lab");
  const unprivileged = flagOf(parameters, "unprivileged") ?? true;
  if (!unprivileged) context.requirePrivileges("/", ["Sys.Modify"]);
  if (flagOf(parameters, "ha-managed")) throw new ApiError(501, "HA is not implemented in the lab");
  const unable = `unable to create CT ${vmid} -`;
  prefixed(unable, () => requireUnused(vmid));
  const pool = textOf(parameters, "pool");
  if (pool !== undefined) requirePool(pool);
  const allowed =
    context.allowed(`/vms/${vmid}`, ["VM.Allocate"]) ||
    (pool !== undefined && context.allowed(`/pool/${pool}`, ["VM.Allocate"]));
  if (!allowed) throw permissionError();

  const options = optionsOf(parameters, OTHERS);
  for (const key of Object.keys(options)) if (/^unused\d+$/.test(key)) drop(options, key);
  const storage = textOf(parameters, "storage") ?? "local";
  // A bare number is a size on the default storage.
  for (const key of mountPointKeys(options))
    if (/^\d+(?:\.\d+)?$/.test(options[key] ?? "")) options[key] = `${storage}:${options[key] ?? ""}`;
  requireMayChange(context, {
    vmid,
    set: options,
    remove: [],
    unprivileged,
    ...(pool === undefined ? {} : { pool }),
  });
  const template = templateOf(context, textOf(parameters, "ostemplate") ?? "");
  const disks = await takeDisks(context, options, storage);

  const config = emptyConfig();
  if (unprivileged) config.values["unprivileged"] = "1";
  const errors = await updateGuestConfig(vmid, config, { set: options, remove: [], revert: [] }, false);
  if (Object.keys(errors).length > 0) throw new ApiError(400, "Parameter verification failed.", errors);
  try {
    await reserveGuest(vmid);
  } catch (error) {
    throw withPrefix(unable, error);
  }
  const password = textOf(parameters, "password");
  const keys = textOf(parameters, "ssh-public-keys");
  const access = { ...(password === undefined ? {} : { password }), ...(keys === undefined ? {} : { keys }) };
  return context.startTask("vzcreate", String(vmid), async (log, signal) => {
    try {
      await withConfigLock(vmid, () =>
        inTask(signal, () => build(vmid, config, disks, template, log, access)),
      );
    } catch (error) {
      removeConfig(vmid);
      throw withPrefix(unable, error);
    }
    if (pool !== undefined) addGuestToPool(pool, vmid);
    if (flagOf(parameters, "start")) await startGuest(vmid, log);
  });
}

function prefixed(prefix: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw withPrefix(prefix, error);
  }
}

function withPrefix(prefix: string, error: unknown): ApiError {
  return new ApiError(500, `${prefix} ${error instanceof Error ? error.message : String(error)}`);
}

/** An OS template: what PVE calls it, and its file. */
interface Template {
  readonly volid: string;
  readonly archive: string;
}

/** @throws ApiError 403 without a right to its storage, 500 when it is something else; the task sees whether it is there */
function templateOf(context: Context, volid: string): Template {
  const { storage: id, name } = parseVolumeId(volid);
  const storage = requireEnabledStorage(id);
  if (!name.startsWith("vztmpl/"))
    throw new ApiError(500, `unable to use volume ${volid} - content type needs to be 'vztmpl'`);
  if (!context.allowed(`/storage/${id}`, ["Datastore.Allocate"]))
    context.requirePrivileges(`/storage/${id}`, ["Datastore.AllocateSpace", "Datastore.Audit"], true);
  return { volid, archive: filePath(storage, name) };
}

/** Takes root disk and mount points out of the options, storages checked. */
async function takeDisks(
  context: Context,
  options: Record<string, string>,
  fallback: string,
): Promise<Record<string, string>> {
  const disks: Record<string, string> = {};
  for (const key of mountPointKeys(options)) {
    disks[key] = options[key] ?? "";
    drop(options, key);
  }
  if (Object.keys(disks).length > 0 && disks["rootfs"] === undefined)
    throw new ApiError(500, "mount points configured, but 'rootfs' not set - aborting");
  disks["rootfs"] ??= `${fallback}:4`;
  for (const text of Object.values(disks)) {
    const mountPoint = parseMountPoint(text);
    if (mountPointType(mountPoint) !== "volume") {
      if (!isRoot(context)) throw new ApiError(500, "Only root can pass arbitrary filesystem paths.");
      continue;
    }
    const volume = mountPoint["volume"] ?? "";
    const id = newVolume(volume)?.storage ?? parseVolumeId(volume).storage;
    const storage = requireEnabledStorage(id);
    if (!storage.content.includes("rootdir")) {
      const errors = { storage: `storage '${id}' does not support container directories` };
      throw new ApiError(400, "Parameter verification failed.", errors);
    }
    context.requirePrivileges(`/storage/${id}`, ["Datastore.AllocateSpace"]);
    await activateStorage(storage);
  }
  return disks;
}

async function build(
  vmid: number,
  config: GuestConfig,
  disks: Readonly<Record<string, string>>,
  { volid, archive }: Template,
  log: TaskLog,
  access: { password?: string; keys?: string },
): Promise<void> {
  if (loadConfig(vmid).values["lock"] !== "create")
    throw new Error(`lost lock of CT ${vmid} on '${nodeName()}'`);
  if (!existsSync(archive)) throw new Error(`volume '${volid}' does not exist`);
  const made: string[] = [];
  try {
    for (const key of mountPointKeys(disks)) {
      const before = new Set(made);
      config.values[key] = await placeMountPoint(vmid, config, key, disks[key] ?? "");
      const volume = parseMountPoint(config.values[key])["volume"] ?? "";
      if (newVolume(parseMountPoint(disks[key] ?? "")["volume"] ?? "") && !before.has(volume))
        made.push(volume);
    }
    const root = await mountGuest(vmid, config);
    try {
      log(`extracting archive '${archive}'`);
      await unpack(archive, vmid, config);
      const { ostype, arch } = detectSystem(root);
      log(`Architecture detected: ${arch}`);
      config.values["ostype"] ??= ostype;
      config.values["arch"] ??= arch;
      config.values["hostname"] ??= `CT${vmid}`;
      await finishNewGuest(root, access);
      writeNetworkFiles(vmid, config, root);
    } finally {
      await unmountGuest(vmid);
    }
    config.values["memory"] ??= "512";
    config.values["swap"] ??= "512";
    saveConfig(vmid, config);
  } catch (error) {
    for (const volume of made)
      await freeVolume(volume).catch((reason: unknown) => log(`WARN: ${String(reason)}`));
    throw error;
  }
}

const DECOMPRESSORS: readonly (readonly [RegExp, readonly [string, ...string[]]])[] = [
  [/\.zst$/, ["zstd", "-dcq"]],
  [/\.gz$/, ["gzip", "-dc"]],
  [/\.xz$/, ["xz", "-dc"]],
  [/\.bz2$/, ["bzip2", "-dc"]],
];

/** Unpacks under the guest's id map, so that every file gets the ids it has inside. */
async function unpack(archive: string, vmid: number, config: GuestConfig): Promise<void> {
  const file = await open(archive, "r");
  const tar = [
    "tar",
    "xpf",
    "-",
    "--numeric-owner",
    "--xattrs",
    "--xattrs-include=user.*",
    "--xattrs-include=security.capability",
  ];
  const [program = "", ...args] = [
    ...underIdMap(idMap(config)),
    ...tar,
    ...[
      "--warning=no-file-ignored",
      "--warning=no-xattr-write",
      "--anchored",
      "--exclude=./dev/*",
      "--exclude=dev/*",
      "-C",
      rootfsPath(vmid),
    ],
  ];
  const decompressor = DECOMPRESSORS.find(([pattern]) => pattern.test(archive))?.[1] ?? (["cat"] as const);
  try {
    await pipe(decompressor, [program, ...args], file.fd);
  } finally {
    await file.close();
  }
}
