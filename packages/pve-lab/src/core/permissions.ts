import { BUILT_IN_ROLES } from "./privileges.ts";
import { ApiError } from "./route.ts";
import { readUserConfig, type AclEntry, type UserConfig } from "./user-config.ts";

/** Who asks, as ACLs name it: a user id or a full token id. */
export type AuthId = string;

export function userOf(authId: AuthId): string {
  return authId.split("!")[0] ?? authId;
}

/** `//vms/100/` → `/vms/100`; nothing for a text that is no path. */
export function normalizePath(path: string): string | undefined {
  const normal = `/${path
    .split("/")
    .filter((part) => part !== "")
    .join("/")}`;
  return path.startsWith("/") && /^[A-Za-z0-9._/\-+:@!]*$/.test(normal) ? normal : undefined;
}

/** The entries of one path which concern `authId`; its own win over those of its groups. */
function rolesAt(
  config: UserConfig,
  authId: AuthId,
  entries: readonly AclEntry[],
): Map<string, boolean> | undefined {
  const own = entries.filter(({ kind, ugid }) => kind !== "group" && ugid === authId);
  const groups = entries.filter(
    ({ kind, ugid }) => kind === "group" && config.groups.get(ugid)?.users.has(authId),
  );
  const chosen = own.length > 0 ? own : groups;
  return chosen.length === 0 ? undefined : new Map(chosen.map(({ role, propagate }) => [role, propagate]));
}

/** Roles on `path`, each with whether it propagates: the deepest path with an entry decides (PVE::AccessControl::roles). */
function rolesOf(config: UserConfig, authId: AuthId, path: string): Map<string, boolean> {
  if (authId === "root@pam") return new Map([["Administrator", true]]);
  const steps =
    path === "/"
      ? ["/"]
      : [
          "/",
          ...path
            .split("/")
            .slice(1)
            .map((_part, index, parts) => `/${parts.slice(0, index + 1).join("/")}`),
        ];
  let roles = new Map<string, boolean>();
  for (const step of steps) {
    const entries = config.acl.filter((entry) => entry.path === step && (entry.propagate || step === path));
    roles = rolesAt(config, authId, entries) ?? roles;
  }
  return roles.has("NoAccess") ? new Map([["NoAccess", true]]) : roles;
}

function privilegesOfRole(config: UserConfig, role: string): ReadonlySet<string> {
  return BUILT_IN_ROLES.get(role) ?? config.roles.get(role) ?? new Set();
}

/** Pools lend their privileges to the guests and storages in them. */
function poolPathsOf(config: UserConfig, path: string): string[] {
  const [, kind, id] = /^\/(vms|storage)\/([^/]+)$/.exec(path) ?? [];
  if (kind === undefined || id === undefined) return [];
  return [...config.pools]
    .filter(([, pool]) => (kind === "vms" ? pool.vms.has(Number(id)) : pool.storages.has(id)))
    .map(([name]) => `/pool/${name}`);
}

function plainPrivileges(config: UserConfig, authId: AuthId, path: string): Map<string, boolean> {
  const privileges = new Map<string, boolean>();
  const add = (roles: Map<string, boolean>): void => {
    for (const [role, propagate] of roles)
      for (const privilege of privilegesOfRole(config, role))
        privileges.set(privilege, propagate || (privileges.get(privilege) ?? false));
  };
  const direct = rolesOf(config, authId, path);
  if (direct.has("NoAccess")) return privileges;
  add(direct);
  for (const pool of poolPathsOf(config, path)) {
    const roles = rolesOf(config, authId, pool);
    if (!roles.has("NoAccess")) add(roles);
  }
  return privileges;
}

/**
 * Effective privileges on a path, each with whether it propagates. A token without privilege separation has its
 * user's; one with it has what both the token and the user have.
 */
export function privilegesOn(authId: AuthId, path: string): ReadonlyMap<string, boolean> {
  const config = readUserConfig();
  const user = userOf(authId);
  const ofUser = plainPrivileges(config, user, path);
  if (user === authId) return ofUser;
  const token = config.users.get(user)?.tokens.get(authId.slice(user.length + 1));
  if (!token) return new Map();
  if (!token.privsep) return ofUser;
  return new Map([...plainPrivileges(config, authId, path)].filter(([privilege]) => ofUser.has(privilege)));
}

export function permissionError(what?: string): ApiError {
  return new ApiError(
    403,
    what === undefined ? "Permission check failed" : `Permission check failed (${what})`,
  );
}

export function isAllowed(authId: AuthId, path: string, privileges: readonly string[], any = false): boolean {
  const has = privilegesOn(authId, normalizePath(path) ?? path);
  return any ? privileges.some((one) => has.has(one)) : privileges.every((one) => has.has(one));
}

/** @throws ApiError 403 `Permission check failed (/path, Privilege)` */
export function requireAllowed(
  authId: AuthId,
  path: string,
  privileges: readonly string[],
  any = false,
): void {
  const normal = normalizePath(path) ?? path;
  const has = privilegesOn(authId, normal);
  if (any) {
    if (!privileges.some((one) => has.has(one))) throw permissionError(`${normal}, ${privileges.join("|")}`);
    return;
  }
  for (const privilege of privileges)
    if (!has.has(privilege)) throw permissionError(`${normal}, ${privilege}`);
}

/** Paths on which someone's permissions are listed: those with an entry, and the top ones. */
export function interestingPaths(): string[] {
  const config = readUserConfig();
  const fixed = ["/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms"];
  const pools = [...config.pools].flatMap(([name, { vms, storages }]) => [
    `/pool/${name}`,
    ...[...vms].map((vmid) => `/vms/${vmid}`),
    ...[...storages].map((id) => `/storage/${id}`),
  ]);
  return [...new Set([...fixed, ...config.acl.map(({ path }) => path), ...pools])].sort();
}
