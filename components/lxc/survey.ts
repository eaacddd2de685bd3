import type { ContainerSpec } from "../../model/index.ts";
import { readConfig, volumesOf, type NodeApi } from "./guest-on-node.ts";
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
  api: NodeApi,
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

async function survey(api: NodeApi, vmid: number, recipe: string | undefined): Promise<Survey> {
  const config = await readConfig(api, vmid);
  if (config === undefined) return { older: false, data: [] }; // not there yet
  const mark = readMark(config.description, vmid);
  return { older: mark !== undefined && mark.recipe !== recipe, data: volumesOf(config) };
}
