import type { Target } from "../node/target.ts";
import type { NodeScripts } from "../scripts/node-scripts.ts";

/** What every part of the host needs to reach the node. */
export interface HostContext {
  readonly target: Target;
  readonly scripts: NodeScripts;
  /** Where storages and images stand in the configuration: `storage:ID`, `image:NAME`. */
  readonly places: ReadonlyMap<string, string>;
}
