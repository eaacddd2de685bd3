import type { Route } from "../../core/route.ts";
import { describedRoutes } from "../description.ts";

/** Names one level below a path in the API description. */
function childrenOf(path: string): string[] {
  const names = describedRoutes.flatMap((name) => {
    const rest = name.slice(name.indexOf(" ") + 1);
    const child = rest.startsWith(`${path}/`) ? rest.slice(path.length + 1).split("/")[0] : undefined;
    return child === undefined || child.startsWith("{") ? [] : [child];
  });
  return [...new Set(names)].sort();
}

const INDEXES = [
  ["/cluster", "name"],
  ["/access", "subdir"],
  ["/nodes/{node}", "name"],
] as const;

export const indexRoutes: Route[] = INDEXES.map(([path, key]) => ({
  method: "GET",
  path,
  evidence: "documented",
  handler: () => childrenOf(path).map((name) => ({ [key]: name })),
}));
