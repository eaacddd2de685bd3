import { authIdOf } from "../../core/authenticate.ts";
import { checkModify } from "../../core/declared-permissions.ts";
import { splitList } from "../../core/lists.ts";
import { normalizePath, privilegesOn } from "../../core/permissions.ts";
import { BUILT_IN_ROLES } from "../../core/privileges.ts";
import { ApiError, type Context, type Route } from "../../core/route.ts";
import {
  changeUserConfig,
  readUserConfig,
  requireUser,
  type AclEntry,
  type UserConfig,
} from "../../core/user-config.ts";
import { asText } from "../../core/text.ts";

/** The paths on which PVE keeps entries (documented: pveum(1), «Objects and Paths»). */
const NAME = "[A-Za-z0-9.\\-_@]+";
const PATHS = new RegExp(
  [
    "^/$",
    `^/access(?:/groups(?:/${NAME})?|/realm(?:/${NAME})?)?$`,
    `^/nodes(?:/${NAME})?$`,
    `^/pool(?:/${NAME}){0,3}$`,
    `^/sdn(?:/(?:controllers|dns|ipams|fabrics)(?:/${NAME})?|/zones(?:/${NAME}(?:/${NAME}(?:/\\d+)?)?)?)?$`,
    `^/storage(?:/${NAME})?$`,
    "^/vms(?:/[1-9][0-9]{2,})?$",
    `^/mapping(?:/${NAME}){0,2}$`,
  ].join("|"),
);

function invalid(errors: Record<string, string>): ApiError {
  return new ApiError(400, "Parameter verification failed.", errors);
}

type Subject = Pick<AclEntry, "kind" | "ugid">;

function subjectsOf({ parameters }: Context): Subject[] {
  const of = (key: string, kind: AclEntry["kind"]): Subject[] =>
    splitList(parameters[key]).map((ugid) => ({ kind, ugid }));
  const subjects = [...of("groups", "group"), ...of("users", "user"), ...of("tokens", "token")];
  if (["users", "groups", "tokens"].every((key) => parameters[key] === undefined)) {
    const text = "either 'users', 'groups' or 'tokens' is required.";
    throw invalid({ users: text, groups: text, tokens: text });
  }
  return subjects;
}

function requireSubject(config: UserConfig, { kind, ugid }: Subject): void {
  if (kind === "group") {
    if (!config.groups.has(ugid)) throw new ApiError(500, `group '${ugid}' does not exist`);
    return;
  }
  const [user = "", token] = ugid.split("!");
  const { tokens } = requireUser(config, user);
  if (token !== undefined && !tokens.has(token))
    throw new ApiError(500, `no such token '${token}' for user '${user}'`);
}

/** Without Permissions.Modify one may only hand out what one has. */
function checkHandingOut(
  context: Context,
  config: UserConfig,
  path: string,
  role: string,
  propagate: boolean,
): void {
  const mine = privilegesOn(authIdOf(context.identity), path);
  if (mine.has("Permissions.Modify")) return;
  const removing = context.parameters["delete"] === true;
  const verb = removing ? "remove" : "add";
  if (role === "NoAccess")
    throw invalid({ role: `Cannot ${verb} role '${role}' - requires 'Permissions.Modify'` });
  for (const privilege of BUILT_IN_ROLES.get(role) ?? config.roles.get(role) ?? []) {
    const propagated = mine.get(privilege);
    if (propagated === undefined)
      throw invalid({
        role: `Cannot ${verb} role '${role}' - requires 'Permissions.Modify' or superset of privileges.`,
      });
    if (propagate && !propagated && !removing)
      throw invalid({
        role: `Cannot ${verb} role '${role}' with propagation - requires 'Permissions.Modify' or propagated superset of privileges.`,
      });
  }
}

function update(context: Context): null {
  const { parameters } = context;
  const subjects = subjectsOf(context);
  const path = normalizePath(asText(parameters["path"]));
  if (path === undefined || !PATHS.test(path))
    throw invalid({ path: `invalid ACL path '${asText(parameters["path"])}'` });
  const propagate = parameters["propagate"] !== false;
  changeUserConfig((config) => {
    for (const role of splitList(parameters["roles"])) {
      if (!BUILT_IN_ROLES.has(role) && !config.roles.has(role))
        throw new ApiError(500, `role '${role}' does not exist`);
      checkHandingOut(context, config, path, role, propagate);
      for (const subject of subjects) {
        requireSubject(config, subject);
        const { kind, ugid } = subject;
        config.acl = config.acl.filter(
          (entry) =>
            !(entry.path === path && entry.role === role && entry.kind === kind && entry.ugid === ugid),
        );
        if (parameters["delete"] !== true) config.acl.push({ path, kind, ugid, role, propagate });
      }
    }
  }, "ACL update failed");
  return null;
}

function list(context: Context): unknown {
  const all = context.allowed("/access", ["Sys.Audit"]);
  const mayModify = (path: string): boolean => {
    try {
      checkModify({ authId: authIdOf(context.identity), values: {} }, path);
      return true;
    } catch {
      return false;
    }
  };
  return readUserConfig()
    .acl.filter(({ path }) => all || mayModify(path))
    .map(({ path, kind, ugid, role, propagate }) => ({
      path,
      type: kind,
      ugid,
      roleid: role,
      propagate: propagate ? 1 : 0,
    }));
}

export const aclRoutes: Route[] = [
  { method: "GET", path: "/access/acl", evidence: "observed", handler: list },
  { method: "PUT", path: "/access/acl", evidence: "observed", handler: update },
];
