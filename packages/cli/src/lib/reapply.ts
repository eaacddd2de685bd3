/**
 * A step of the state is marked for re-application by an environment variable among its inputs that the program does
 * not give: the next preview shows an update of it, and the next run applies it again and so takes the mark away. Unlike
 * a taint, that removes nothing before.
 */
const MARK = "PHOENIX_APPLY_AGAIN";

interface Exported {
  readonly deployment?: {
    readonly resources?: {
      readonly urn: string;
      readonly type: string;
      inputs?: Record<string, unknown>;
    }[];
  };
}

/**
 * @param exported the output of `pulumi stack export`
 * @param urns of remote commands
 * @returns the same with these marked, for `pulumi stack import`
 */
export function markForReapplication(exported: string, urns: readonly string[], why: string): string {
  const state = JSON.parse(exported) as Exported;
  for (const resource of state.deployment?.resources ?? []) {
    if (resource.type !== "command:remote:Command" || !urns.includes(resource.urn)) continue;
    resource.inputs = { ...resource.inputs, environment: { [MARK]: why } };
  }
  return JSON.stringify(state);
}
