import { PveApiError, type PveApi } from "../node/pve-api.ts";

/** What the guard and the survey ask of the node. */
export type NodeApi = Pick<PveApi, "call" | "node">;

export interface GuestConfig {
  readonly description?: string;
  readonly template?: number;
  readonly lock?: string;
  readonly [key: string]: unknown;
}

/** A vmid is one for containers and virtual machines, on all nodes of a cluster. */
export async function isFree(api: NodeApi, vmid: number): Promise<boolean> {
  try {
    await api.call("GET", `/cluster/nextid?vmid=${vmid}`);
    return true;
  } catch (error) {
    if (error instanceof PveApiError && error.status === 400) return false;
    throw error;
  }
}

/**
 * Undefined: there is no such guest. One that is no container of this node has an empty configuration.
 * @throws PveApiError where the node does not say: what cannot be read must never look like a guest without data
 */
export async function readConfig(api: NodeApi, vmid: number): Promise<GuestConfig | undefined> {
  try {
    return (await api.call("GET", `/nodes/${api.node}/lxc/${vmid}/config`)) as GuestConfig;
  } catch (error) {
    if (!(error instanceof PveApiError)) throw error;
    if (await isFree(api, vmid)) return undefined;
    // Proxmox VE's words for a vmid that is a virtual machine, or lies on another node.
    if (/does not exist/.test(error.message)) return {};
    throw error;
  }
}

/**
 * The volumes that Proxmox VE would destroy with a guest, unused ones too; its root disk is not among them, and what
 * is only mounted into it from the node is not either.
 */
export function volumesOf(config: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(config)
    .filter(([key, value]) => /^(mp|unused)[0-9]+$/.test(key) && !String(value).startsWith("/"))
    .map(([key]) => key)
    .sort();
}
