import { requireEnabledStorage, requireStorage } from "../core/storage-config.ts";
import { parseVolumeId } from "../core/volume-id.ts";
import { splitList } from "../core/lists.ts";
import { ApiError } from "../core/route.ts";
import { allocateVolume, describeVolume, freeVolume, volumeSize } from "../volumes/index.ts";
import { drop, type GuestConfig } from "./config-file.ts";
import { hotplug } from "./hotplug.ts";
import { idMap, toNodeId } from "./id-map.ts";
import {
  formatSize,
  mountPointType,
  newVolume,
  parseMountPoint,
  parseNetwork,
  printMountPoint,
  printNetwork,
  randomMac,
} from "./property-string.ts";

/** Options that take effect in a running guest as soon as they are written. */
const AT_ONCE = new Set([
  "description",
  "onboot",
  "startup",
  "protection",
  "hostname",
  "hookscript",
  "cores",
  "tags",
  "lock",
]);

export function hasPending({ pending }: GuestConfig): boolean {
  return Object.keys(pending.values).length > 0 || pending.description !== undefined;
}

export function pendingDeletes({ pending }: GuestConfig): string[] {
  return splitList(pending.values["delete"]);
}

function setPendingDeletes({ pending }: GuestConfig, keys: readonly string[]): void {
  if (keys.length === 0) delete pending.values["delete"];
  else pending.values["delete"] = [...new Set(keys)].sort().join(",");
}

function get(config: GuestConfig, key: string): string | undefined {
  return key === "description" ? config.description : config.values[key];
}

function put(config: GuestConfig, key: string, value: string | undefined): void {
  if (key === "description") {
    delete config.description;
    if (value) config.description = value;
  } else if (value === undefined) drop(config.values, key);
  else config.values[key] = value;
}

export interface Update {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
  readonly revert: readonly string[];
}

/**
 * Changes a configuration: everything goes through the pending section, then what can be applied is applied — all of
 * it in a stopped guest, in a running one what needs no restart.
 * @returns errors by option, for HTTP 400; nothing may be written when there are any
 */
export async function updateGuestConfig(
  vmid: number,
  config: GuestConfig,
  update: Update,
  running: boolean,
): Promise<Record<string, string>> {
  for (const key of update.revert) {
    drop(config.pending.values, key);
    setPendingDeletes(
      config,
      pendingDeletes(config).filter((other) => other !== key),
    );
  }
  const touched = new Set<string>();
  for (const key of update.remove) {
    if (get(config, key) === undefined && config.pending.values[key] === undefined) continue;
    if (["memory", "rootfs", "ostype"].includes(key))
      throw new ApiError(500, `unable to delete required option '${key}'`);
    if (key === "unprivileged") throw new ApiError(500, `unable to delete read-only option: '${key}'`);
    if (/^(?:mp|unused)\d+$/.test(key)) requireNoProtection(config, `can't remove CT ${vmid} drive '${key}'`);
    touched.add(key);
    drop(config.pending.values, key);
    setPendingDeletes(config, [...pendingDeletes(config), key]);
  }
  for (const [key, raw] of Object.entries(update.set)) {
    touched.add(key);
    const value = checkValue(vmid, config, key, raw);
    if (key === "description") config.pending.description = value;
    else config.pending.values[key] = value;
    setPendingDeletes(
      config,
      pendingDeletes(config).filter((other) => other !== key),
    );
  }
  dropUnchanged(config);
  return running ? applyHot(vmid, config, touched) : applyPending(vmid, config, touched);
}

/** @throws ApiError 500 `… - protection mode enabled` */
export function requireNoProtection(config: GuestConfig, message: string): void {
  if (config.values["protection"] === "1") throw new ApiError(500, `${message} - protection mode enabled`);
}

function checkValue(vmid: number, config: GuestConfig, key: string, value: string): string {
  if (key === "unprivileged") throw new ApiError(500, `unable to modify read-only option: '${key}'`);
  if (key === "nameserver" || key === "searchdomain") return splitList(value).join(" ");
  if (key === "tags") return [...new Set(splitList(value).map((tag) => tag.toLowerCase()))].sort().join(";");
  if (key === "rootfs" || /^mp\d+$/.test(key)) {
    requireNoProtection(config, `can't update CT ${vmid} drive '${key}'`);
    const mountPoint = parseMountPoint(value);
    if (mountPointType(mountPoint) !== "volume") return value;
    const id =
      newVolume(mountPoint["volume"] ?? "")?.storage ?? parseVolumeId(mountPoint["volume"] ?? "").storage;
    if (!requireStorage(id).content.includes("rootdir"))
      throw new ApiError(500, `storage '${id}' does not allow content type 'rootdir' (Container)`);
  }
  return value;
}

/** Waiting changes that change nothing go. */
function dropUnchanged(config: GuestConfig): void {
  for (const [key, value] of Object.entries(config.pending.values))
    if (key !== "delete" && config.values[key] === value) drop(config.pending.values, key);
  const trimmed = (text: string | undefined) => text?.replace(/\n+$/, "");
  const { pending } = config;
  if (pending.description !== undefined && trimmed(pending.description) === trimmed(config.description))
    delete pending.description;
  setPendingDeletes(
    config,
    pendingDeletes(config).filter((key) => get(config, key) !== undefined),
  );
}

function take(config: GuestConfig, key: string): string | undefined {
  const { pending } = config;
  const value = key === "description" ? pending.description : pending.values[key];
  if (key === "description") delete pending.description;
  drop(pending.values, key);
  return value;
}

function waiting(config: GuestConfig, touched: ReadonlySet<string> | undefined): string[] {
  const keys = Object.keys(config.pending.values).filter((key) => key !== "delete");
  if (config.pending.description !== undefined) keys.push("description");
  return keys.sort().filter((key) => touched === undefined || touched.has(key));
}

/** Applies waiting changes to a guest that does not run. */
export async function applyPending(
  vmid: number,
  config: GuestConfig,
  touched?: ReadonlySet<string>,
): Promise<Record<string, string>> {
  const errors: Record<string, string> = {};
  const attempt = async (key: string, action: () => Promise<void> | void) => {
    try {
      await action();
    } catch (error) {
      errors[key] =
        `unable to apply pending change ${key} : ${error instanceof Error ? error.message : String(error)}`;
    }
  };
  for (const key of pendingDeletes(config).filter((name) => touched === undefined || touched.has(name)))
    await attempt(key, async () => {
      await removeOption(vmid, config, key);
      setPendingDeletes(
        config,
        pendingDeletes(config).filter((other) => other !== key),
      );
    });
  for (const key of waiting(config, touched))
    await attempt(key, async () => {
      const value = config.pending.values[key] ?? "";
      if (/^mp\d+$/.test(key) || key === "rootfs")
        config.pending.values[key] = await placeMountPoint(vmid, config, key, value);
      else if (/^net\d+$/.test(key)) config.pending.values[key] = completeNetwork(value);
      put(config, key, take(config, key));
    });
  return errors;
}

async function removeOption(vmid: number, config: GuestConfig, key: string): Promise<void> {
  const value = config.values[key];
  if (/^mp\d+$/.test(key) && value !== undefined) {
    const mountPoint = parseMountPoint(value);
    put(config, key, undefined);
    if (mountPointType(mountPoint) === "volume") keepAsUnused(config, mountPoint["volume"] ?? "");
  } else if (/^unused\d+$/.test(key) && value !== undefined) {
    put(config, key, undefined);
    if (describeVolume(value).owner === vmid && !usedBySnapshot(config, value)) await freeVolume(value);
  } else put(config, key, undefined);
}

/** A volume that no option names any more stays, listed as the first free `unusedN`. */
export function keepAsUnused(config: GuestConfig, volume: string): void {
  const taken = Object.values(config.values).some((value) => value.split(",")[0] === volume);
  if (taken) return;
  let number = 0;
  while (config.values[`unused${number}`] !== undefined) number++;
  config.values[`unused${number}`] = volume;
}

function usedBySnapshot({ snapshots }: GuestConfig, volume: string): boolean {
  return Object.values(snapshots).some(({ values }) =>
    Object.values(values).some((value) => value.split(",")[0] === volume),
  );
}

/** Makes the volume of a new mount point, or reads the size of one that is there. */
export async function placeMountPoint(
  vmid: number,
  config: GuestConfig,
  key: string,
  text: string,
): Promise<string> {
  const mountPoint = parseMountPoint(text);
  const volume = mountPoint["volume"] ?? "";
  if (mountPointType(mountPoint) === "volume") {
    const made = newVolume(volume);
    if (made) {
      requireEnabledStorage(made.storage);
      mountPoint["volume"] = await allocateVolume(
        made.storage,
        vmid,
        made.bytes,
        toNodeId(idMap(config), "u", 0),
      );
      mountPoint["size"] = formatSize(made.bytes);
    } else mountPoint["size"] = formatSize(await volumeSize(volume));
  }
  const before = config.values[key];
  const old = before === undefined ? undefined : parseMountPoint(before);
  if (old && mountPointType(old) === "volume" && old["volume"] !== mountPoint["volume"]) {
    drop(config.values, key);
    keepAsUnused(config, old["volume"] ?? "");
  }
  return printMountPoint(mountPoint);
}

/** As PVE: an interface that is given without hardware address gets a new one each time; its type is always written. */
export function completeNetwork(text: string): string {
  const network = parseNetwork(text);
  return printNetwork({ ...network, hwaddr: (network["hwaddr"] ?? randomMac()).toUpperCase(), type: "veth" });
}

async function applyHot(
  vmid: number,
  config: GuestConfig,
  touched: ReadonlySet<string>,
): Promise<Record<string, string>> {
  const errors: Record<string, string> = {};
  const attempt = async (key: string, action: () => Promise<boolean> | boolean, done: () => void) => {
    try {
      if (await action()) done();
    } catch (error) {
      errors[key] = `unable to hotplug ${key}: ${error instanceof Error ? error.message : String(error)}`;
    }
  };
  for (const key of pendingDeletes(config).filter((name) => touched.has(name)))
    await attempt(
      key,
      async () => {
        if (AT_ONCE.has(key)) return true;
        if (/^unused\d+$/.test(key)) {
          await removeOption(vmid, config, key);
          return true;
        }
        return hotplug(vmid, config, key, undefined);
      },
      () => {
        put(config, key, undefined);
        setPendingDeletes(
          config,
          pendingDeletes(config).filter((other) => other !== key),
        );
      },
    );
  for (const key of waiting(config, touched))
    await attempt(
      key,
      async () => {
        if (AT_ONCE.has(key)) return true;
        let value = config.pending.values[key] ?? "";
        if (/^mp\d+$/.test(key)) {
          if (config.values[key] !== undefined) return false;
          value = await placeMountPoint(vmid, config, key, value);
        } else if (/^net\d+$/.test(key)) value = completeNetwork(value);
        config.pending.values[key] = value;
        return hotplug(vmid, config, key, value);
      },
      () => put(config, key, take(config, key)),
    );
  return errors;
}
