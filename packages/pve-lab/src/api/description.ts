import access from "../schema/access.json" with { type: "json" };
import cluster from "../schema/cluster.json" with { type: "json" };
import index from "../schema/index.json" with { type: "json" };
import lxc from "../schema/lxc.json" with { type: "json" };
import node from "../schema/node.json" with { type: "json" };
import storage from "../schema/storage.json" with { type: "json" };
import type { Declared } from "../core/declared-permissions.ts";
import type { ParameterSchema } from "../core/verify.ts";

/** What the API description says about one route. */
export interface Described {
  readonly parameters: ParameterSchema;
  readonly permissions?: Declared;
  readonly returns: unknown;
}

const details = new Map<string, Described>(
  [access, cluster, lxc, node, storage].flatMap((area) =>
    Object.entries(area as unknown as Record<string, Described>),
  ),
);

/** `METHOD /path` of everything PVE describes. */
export const describedRoutes: readonly string[] = index;

/** The description of `METHOD /path`, if we keep it. */
export function describe(name: string): Described | undefined {
  return details.get(name);
}
