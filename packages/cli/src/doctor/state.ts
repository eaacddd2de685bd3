import { root } from "../lib/checkout.ts";
import { urnParts } from "../lib/events.ts";
import { capture } from "../lib/process.ts";

interface Exported {
  readonly deployment?: { readonly resources?: readonly { readonly urn: string; readonly type: string }[] };
}

/** Storages that stand in the stack's state; none where it cannot be read, as before the first run. */
export async function ownStorages(stack: string, variables: NodeJS.ProcessEnv): Promise<Set<string>> {
  const { code, stdout } = await capture("pulumi", ["stack", "export", "--stack", stack], {
    cwd: root,
    env: variables,
  });
  if (code !== 0) return new Set();
  const { deployment } = JSON.parse(stdout) as Exported;
  const storages = (deployment?.resources ?? []).filter(({ type }) => type.startsWith("proxmoxve:storage/"));
  return new Set(storages.map(({ urn }) => urnParts(urn).name));
}
