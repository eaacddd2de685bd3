import type { ContainerSpec } from "../../model/index.ts";
import { readConfig, type NodeApi } from "./guest-on-node.ts";
import { readMark } from "./mark.ts";

/** A guest that stands on the node with this stack's mark, and that the state is to take back as it is. */
export interface Recovered {
  /** The recipe that it was made from. */
  readonly recipe: string;
  /** Today's configuration would make it from another one. */
  readonly older: boolean;
}

/**
 * What is taken back, and the recipes that count in this run: in an ordinary one nothing, and today's. Where
 * `bin/phoenix recover` asks for it (the state was lost), guests count as made from the recipe in their mark, so that the
 * steps aimed at a sealed template find what they expect; the next ordinary preview compares with today's.
 * @throws Error if the node cannot be asked; nothing is registered then
 */
export async function takenBack(
  api: NodeApi,
  stack: string,
  specs: readonly ContainerSpec[],
  wanted: ReadonlyMap<number, string>,
): Promise<{ recovered: ReadonlyMap<number, Recovered>; recipes: ReadonlyMap<number, string> }> {
  if (process.env["PHOENIX_RECOVER"] !== "1") return { recovered: new Map(), recipes: wanted };
  const recovered = await surveyRecovery(api, stack, specs, wanted);
  const theirs = [...recovered].map(([vmid, { recipe }]) => [vmid, recipe] as const);
  return { recovered, recipes: new Map([...wanted, ...theirs]) };
}

/**
 * The guests that can be taken back, by vmid.
 * @throws Error if the node cannot be asked; nothing is registered then
 */
export async function surveyRecovery(
  api: NodeApi,
  stack: string,
  specs: readonly ContainerSpec[],
  recipes: ReadonlyMap<number, string>,
): Promise<Map<number, Recovered>> {
  const found = new Map<number, Recovered>();
  for (const { vmid, isTemplate } of specs) {
    const config = await readConfig(api, vmid);
    const mark = readMark(config?.description, vmid);
    if (mark?.stack !== stack) continue;
    found.set(vmid, { recipe: mark.recipe, older: isTemplate && mark.recipe !== recipes.get(vmid) });
  }
  return found;
}
