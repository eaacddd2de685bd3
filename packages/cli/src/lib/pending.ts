import { root } from "./checkout.ts";
import type { EngineEvent } from "./events.ts";
import { capture } from "./process.ts";

interface Exported {
  readonly deployment: {
    readonly resources?: readonly { readonly urn: string }[];
    pending_operations?: readonly { readonly type: string; readonly resource: { readonly urn: string } }[];
  };
}

/**
 * Drops notes of creates that a killed run had begun and that this run has finished: the resource stands in the
 * state now, so nothing is unknown about it, and Pulumi would warn for ever. Others stay for a person to look at.
 */
export async function forgetFinishedCreates(
  events: readonly EngineEvent[],
  stack: string,
  variables: NodeJS.ProcessEnv,
): Promise<void> {
  const warned = events.some(({ diagnosticEvent }) =>
    diagnosticEvent?.message.includes("pending operations"),
  );
  if (!warned) return;
  const options = { cwd: root, env: variables };
  const exported = await capture("pulumi", ["stack", "export", "--stack", stack], options);
  if (exported.code !== 0) return; // the warning stays, nothing else
  const state = JSON.parse(exported.stdout) as Exported;
  const pending = state.deployment.pending_operations ?? [];
  const known = new Set(state.deployment.resources?.map(({ urn }) => urn));
  const open = pending.filter(({ type, resource }) => type !== "creating" || !known.has(resource.urn));
  if (open.length === pending.length) return;
  state.deployment.pending_operations = open;
  await capture("pulumi", ["stack", "import", "--stack", stack], {
    ...options,
    input: JSON.stringify(state),
  });
}
