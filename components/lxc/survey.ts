import type { ContainerSpec } from "../../model/index.ts";
import { PveApiError, type PveApi } from "../node/pve-api.ts";
import { readMark } from "./mark.ts";

/** What must be known of a container before the engine is asked for it, since a replacement can end it. */
export interface Survey {
  /** It was made from another generation than `recipe`. */
  readonly older: boolean;
  /** Volumes that would go with the guest. */
  readonly data: readonly string[];
}

/**
 * Looks at the containers that may be replaced, and at no others.
 * @throws Error if the node cannot be asked; nothing is registered then
 */
export async function surveyContainers(
  api: Pick<PveApi, "call" | "node">,
  specs: readonly ContainerSpec[],
  recipes: ReadonlyMap<number, string>,
): Promise<Map<number, Survey>> {
  const found = await Promise.all(
    specs
      .filter(({ allow }) => allow.includes("replace"))
      .map(async ({ vmid }) => [vmid, await survey(api, vmid, recipes.get(vmid))] as const),
  );
  return new Map(found);
}

async function survey(
  api: Pick<PveApi, "call" | "node">,
  vmid: number,
  recipe: string | undefined,
): Promise<Survey> {
  let config: Record<string, unknown>;
  try {
    config = (await api.call("GET", `/nodes/${api.node}/lxc/${vmid}/config`)) as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof PveApiError)) throw error;
    return { older: false, data: [] }; // not there yet
  }
  const mark = readMark(config["description"] as string | undefined, vmid);
  return { older: mark !== undefined && mark.recipe !== recipe, data: volumesOf(config) };
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
