import { rmSync } from "node:fs";
import { permissionError } from "./permissions.ts";
import { place } from "./places.ts";
import { ApiError } from "./route.ts";
import { changeUserConfig, readUserConfig } from "./user-config.ts";

/** The pool which a guest belongs to. */
export function poolOfGuest(vmid: number): string | undefined {
  return [...readUserConfig().pools].find(([, { vms }]) => vms.has(vmid))?.[0];
}

/** @throws ApiError 403 when there is no such pool: PVE says so in the words of a missing right */
export function requirePool(pool: string): void {
  if (!readUserConfig().pools.has(pool)) throw permissionError(`pool '${pool}' does not exist`);
}

/** @throws ApiError 500 `pool 'x' does not exist` */
export function addGuestToPool(pool: string, vmid: number): void {
  changeUserConfig((config) => {
    const entry = config.pools.get(pool);
    if (!entry) throw new ApiError(500, `pool '${pool}' does not exist`);
    for (const { vms } of config.pools.values()) vms.delete(vmid);
    entry.vms.add(vmid);
  });
}

/** What a destroyed guest leaves behind outside its own configuration: pool membership, ACLs, firewall file. */
export function forgetGuest(vmid: number): void {
  const config = readUserConfig();
  const path = `/vms/${vmid}`;
  if (poolOfGuest(vmid) !== undefined || config.acl.some((entry) => entry.path === path))
    changeUserConfig((mine) => {
      for (const { vms } of mine.pools.values()) vms.delete(vmid);
      mine.acl = mine.acl.filter((entry) => entry.path !== path);
    });
  rmSync(place(`/etc/pve/firewall/${vmid}.fw`), { force: true });
}
