import { authIdOf } from "../core/authenticate.ts";
import { enforceDeclared } from "../core/declared-permissions.ts";
import { isAllowed, permissionError, requireAllowed } from "../core/permissions.ts";
import { nodeName } from "../core/places.ts";
import { ApiError, type Context, type Identity, type Method, type Route } from "../core/route.ts";
import { asText } from "../core/text.ts";
import { startTask } from "../core/tasks.ts";
import { verifyParameters } from "../core/verify.ts";
import type { Values } from "./body.ts";
import { describe, describedRoutes, type Described } from "./description.ts";
import { Router, type Match } from "./router.ts";

interface Entry {
  readonly described: Described | undefined;
  readonly route: Route | undefined;
}

/** A request after transport: who, what, with which raw parameters. */
export interface Call {
  readonly method: Method;
  readonly path: string;
  /** Whether it comes from a command line of the node. */
  readonly byHand?: boolean;
  /** Reads the parameters; only called once it is known who asks. */
  readonly read: () => Promise<{ values: Values; uploads: Context["uploads"] }>;
}

export type Dispatcher = (call: Call, identify: () => Identity) => Promise<unknown>;

/** PVE wants a person for these, not a token (`allowtoken => 0`, which the description leaves out). */
const PEOPLE_ONLY = new Set(["PUT /access/password"]);

/** These answer before anyone is logged in, whatever else they need. */
function isOpen(entry: Entry | undefined): boolean {
  return entry?.described?.permissions?.user === "world";
}

function checkDuplicates(values: Values, match: Match<Entry>): void {
  const twice = Object.keys(match.variables).filter(
    (name) => name in values && values[name] !== match.variables[name],
  );
  if (twice.length > 0)
    throw new ApiError(
      400,
      "Parameter verification failed.",
      Object.fromEntries(
        twice.map((name) => [name, "duplicate parameter (already defined in URI) with conflicting values!"]),
      ),
    );
}

function checkNode(values: Values): void {
  const node = values["node"] === undefined ? undefined : asText(values["node"]);
  if (node !== undefined && node !== nodeName() && node !== "localhost")
    throw new ApiError(
      500,
      `hostname lookup '${node}' failed - failed to get address info for: ${node}: Name or service not known`,
    );
}

/** Builds the table of everything PVE describes, with our handlers where we have them. */
export function makeDispatcher(routes: readonly Route[]): Dispatcher {
  const router = new Router<Entry>();
  const own = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
  const names = new Set([...describedRoutes, ...own.keys()]);
  for (const name of names) {
    const [method, path] = name.split(" ") as [Method, string];
    const route = own.get(name);
    const described = describe(name);
    if (route && !described) throw new Error(`${name} is not in the API description that we keep`);
    router.add(method, path, { described, route });
  }

  return async (call, identify) => {
    const segments = call.path.split("/").filter((part) => part !== "");
    // No part of a path has white space in PVE.
    const match = /\s/.test(call.path) ? undefined : router.find(segments);
    const entry = match?.entries.get(call.method);
    // Whoever is not known learns nothing about what there is.
    const identity = isOpen(entry) ? { user: "" } : identify();
    if (!match || !entry) throw new ApiError(501, `Method '${call.method} ${call.path}' not implemented`);
    if (!entry.route || !entry.described)
      throw new ApiError(
        501,
        `Method '${call.method} ${match.path}' is described by Proxmox VE but not implemented in the lab`,
      );
    const sent = await call.read();
    checkDuplicates(sent.values, match);
    const values = { ...sent.values, ...match.variables };
    if (identity.token !== undefined && PEOPLE_ONLY.has(`${call.method} ${match.path}`))
      throw permissionError(`URI '${call.path}' not available with API token, need proper ticket.`);
    const authId = authIdOf(identity);
    enforceDeclared(entry.described.permissions, authId, values);
    checkNode(match.variables);
    const parameters = verifyParameters(entry.described.parameters, values, call.byHand);
    const context: Context = {
      parameters,
      identity,
      uploads: sent.uploads,
      requirePrivileges: (path, privileges, any) => requireAllowed(authId, path, privileges, any),
      allowed: (path, privileges, any) => isAllowed(authId, path, privileges, any),
      startTask: (type, id, worker) => startTask(type, id, authId, worker),
    };
    return (await entry.route.handler(context)) ?? null;
  };
}
