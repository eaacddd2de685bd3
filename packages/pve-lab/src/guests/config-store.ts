import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isMissing, writeFileAtomic } from "../core/files.ts";
import { withLock } from "../core/locks.ts";
import { nodeName, place } from "../core/places.ts";
import { ApiError } from "../core/route.ts";
import { emptyConfig, parseConfig, writeConfig, type GuestConfig, drop } from "./config-file.ts";

const FOLDER = "/etc/pve/lxc";

export function configPath(vmid: number): string {
  return place(`${FOLDER}/${vmid}.conf`);
}

export function guestExists(vmid: number): boolean {
  return existsSync(configPath(vmid));
}

/** All containers of this node, in ascending order. */
export function guestIds(): number[] {
  try {
    return readdirSync(place(FOLDER))
      .flatMap((name) => /^(\d+)\.conf$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** @throws ApiError 500 `Configuration file 'nodes/pve/lxc/910.conf' does not exist` */
export function loadConfig(vmid: number): GuestConfig {
  try {
    return parseConfig(readFileSync(configPath(vmid), "utf8"));
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new ApiError(500, `Configuration file 'nodes/${nodeName()}/lxc/${vmid}.conf' does not exist`);
  }
}

export function saveConfig(vmid: number, config: GuestConfig): void {
  dropUsedAgain(config);
  writeFileAtomic(configPath(vmid), writeConfig(config), 0o640);
}

/** An `unusedN` entry whose volume is in use again goes. */
function dropUsedAgain({ values }: GuestConfig): void {
  const used = new Set(
    Object.entries(values).flatMap(([key, value]) =>
      /^(?:rootfs|mp\d+)$/.test(key) ? [value.split(",")[0]?.replace(/^volume=/, "")] : [],
    ),
  );
  for (const key of Object.keys(values))
    if (/^unused\d+$/.test(key) && used.has(values[key])) drop(values, key);
}

export function removeConfig(vmid: number): void {
  rmSync(configPath(vmid), { force: true });
}

/** Runs `action` as the only one who works on this configuration file; PVE waits 10 s for that. */
export function withConfigLock<T>(vmid: number, action: () => Promise<T> | T, seconds = 10): Promise<T> {
  return withLock(`guest-${vmid}`, seconds, action, `/run/lock/lxc/pve-config-${vmid}.lock`);
}

/** @throws ApiError 500 `CT is locked (disk)` */
export function requireUnlocked(config: GuestConfig): void {
  const lock = config.values["lock"];
  if (lock !== undefined) throw new ApiError(500, `CT is locked (${lock})`);
}

/** Marks a guest as locked for a long operation and returns its configuration as it was before. */
export function setLock(vmid: number, lock: string): Promise<GuestConfig> {
  return withConfigLock(vmid, () => {
    const config = loadConfig(vmid);
    requireUnlocked(config);
    config.values["lock"] = lock;
    saveConfig(vmid, config);
    delete config.values["lock"];
    return config;
  });
}

/** Takes a lock off; without `lock` whatever lock there is. @throws Error when another lock is held */
export function removeLock(vmid: number, lock?: string): Promise<void> {
  return withConfigLock(vmid, () => {
    const config = loadConfig(vmid);
    const held = config.values["lock"];
    if (lock !== undefined && held === undefined) throw new Error("no lock found trying to remove lock");
    if (lock !== undefined && held !== lock)
      throw new Error(`found lock '${held ?? ""}' trying to remove '${lock}' lock`);
    delete config.values["lock"];
    saveConfig(vmid, config);
  });
}

/** Loads, changes and saves under the lock. */
export function updateConfig(vmid: number, change: (config: GuestConfig) => void): Promise<void> {
  return withConfigLock(vmid, () => {
    const config = loadConfig(vmid);
    change(config);
    saveConfig(vmid, config);
  });
}

/**
 * Occupies a vmid with a configuration that holds nothing but the lock `create`.
 * @throws ApiError 500 `CT 910 already exists on node 'pve'`
 */
export function reserveGuest(vmid: number): Promise<void> {
  return withConfigLock(vmid, () => {
    requireUnused(vmid);
    const config = emptyConfig();
    config.values["lock"] = "create";
    saveConfig(vmid, config);
  });
}

/** @throws ApiError 500 `CT 910 already exists on node 'pve'` */
export function requireUnused(vmid: number): void {
  if (guestExists(vmid)) throw new ApiError(500, `CT ${vmid} already exists on node '${nodeName()}'`);
}

/** Replaces a configuration by a lone lock, for the time between destroyed volumes and the removed file. */
export function leaveOnlyLock(vmid: number, lock: string): void {
  writeFileSync(configPath(vmid), `lock: ${lock}\n`);
}
