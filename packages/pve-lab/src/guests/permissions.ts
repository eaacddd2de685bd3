import { ApiError, type Context } from "../core/route.ts";
import {
  mountPointType,
  newVolume,
  parseFeatures,
  parseMountPoint,
  parseNetwork,
} from "./property-string.ts";
import { describeVolume } from "../volumes/index.ts";
import { parseVolumeId } from "../core/volume-id.ts";

type Values = Readonly<Record<string, string>>;

export interface Change {
  readonly vmid: number;
  readonly pool?: string;
  /** Present values; undefined for a guest that is being made. */
  readonly before?: Values;
  readonly set: Values;
  readonly remove: readonly string[];
  readonly unprivileged: boolean;
}

/** True only for root@pam with a password: no token, not even one of root's, counts as root. */
export function isRoot({ identity }: Context): boolean {
  return identity.user === "root@pam" && identity.token === undefined;
}

function refuse(message: string): ApiError {
  return new ApiError(403, `Permission check failed (${message})`);
}

/**
 * May the caller make this change? Privileges per option, and what only root@pam may set.
 * @throws ApiError 403 with PVE's texts
 */
export function requireMayChange(context: Context, change: Change): void {
  if (isRoot(context)) return;
  for (const key of Object.keys(change.set)) checkOption(context, change, key, false);
  for (const key of change.remove) checkOption(context, change, key, true);
}

function checkOption(context: Context, change: Change, key: string, removed: boolean): void {
  const require = (privilege: string) => requireOnGuest(context, change, privilege);
  if (["cores", "cpuunits", "cpulimit"].includes(key)) {
    require("VM.Config.CPU");
    return;
  }
  if (["memory", "swap"].includes(key)) {
    require("VM.Config.Memory");
    return;
  }
  if (["nameserver", "searchdomain", "hostname"].includes(key)) {
    require("VM.Config.Network");
    return;
  }
  if (/^dev\d+$/.test(key)) throw refuse("configuring device passthrough is only allowed for root@pam");
  if (key === "hookscript") throw refuse("changing the hookscript is only allowed for root@pam");
  if (/^net\d+$/.test(key)) {
    require("VM.Config.Network");
    for (const text of [change.before?.[key], change.set[key]])
      if (text !== undefined) requireBridge(context, text);
    return;
  }
  if (key === "features") {
    checkFeatures(context, change, removed);
    return;
  }
  if (key === "rootfs" || /^mp\d+$/.test(key)) {
    require("VM.Config.Disk");
    if (!removed) checkMountPoint(context, change.vmid, change.set[key] ?? "");
    return;
  }
  require("VM.Config.Options");
}

function requireOnGuest(context: Context, { vmid, pool }: Change, privilege: string): void {
  if (pool !== undefined && context.allowed(`/pool/${pool}`, [privilege])) return;
  context.requirePrivileges(`/vms/${vmid}`, [privilege]);
}

/** @throws ApiError 403 when the caller may not use the bridge */
export function requireBridge(context: Context, networkText: string): void {
  if (isRoot(context)) return;
  const { bridge, tag } = parseNetwork(networkText);
  if (bridge === undefined) return;
  const path = `/sdn/zones/localnetwork/${bridge}`;
  context.requirePrivileges(tag === undefined ? path : `${path}/${tag}`, ["SDN.Use"]);
}

function checkMountPoint(context: Context, vmid: number, text: string): void {
  const mountPoint = parseMountPoint(text);
  const type = mountPointType(mountPoint);
  if (type !== "volume") throw refuse(`mount point type ${type} is only allowed for root@pam`);
  const volume = mountPoint["volume"] ?? "";
  const made = newVolume(volume);
  if (made) {
    context.requirePrivileges(`/storage/${made.storage}`, ["Datastore.AllocateSpace"]);
    return;
  }
  // One's own volumes may be named again; others' only by who manages the storage.
  if (describeVolume(volume).owner === vmid) return;
  context.requirePrivileges(`/storage/${parseVolumeId(volume).storage}`, ["Datastore.Allocate"]);
}

function checkFeatures(context: Context, change: Change, removed: boolean): void {
  if (!change.unprivileged)
    throw refuse("changing feature flags for privileged container is only allowed for root@pam");
  const before = parseFeatures(change.before?.["features"]);
  const after = removed ? {} : parseFeatures(change.set["features"]);
  // As PVE compares: a flag that is not there differs from one that is 0.
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (flag) => (before[flag] ?? "") !== (after[flag] ?? ""),
  );
  if (changed.some((flag) => flag !== "nesting"))
    throw refuse("changing feature flags (except nesting) is only allowed for root@pam");
  if (changed.length > 0) requireOnGuest(context, change, "VM.Allocate");
}
