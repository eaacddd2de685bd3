import { authIdOf } from "../../core/authenticate.ts";
import { splitList } from "../../core/lists.ts";
import { isAllowed, userOf } from "../../core/permissions.ts";
import { ApiError, type Context, type Parameters, type Route } from "../../core/route.ts";
import { forgetPassword, forgetTokenSecrets, setPassword } from "../../core/secrets.ts";
import {
  changeUserConfig,
  emptyUser,
  readUserConfig,
  requireUser,
  type User,
  type UserConfig,
} from "../../core/user-config.ts";
import { tokenView } from "./tokens.ts";
import { asText } from "../../core/text.ts";

const REALMS = new Set(["pam", "pve"]);

function groupsOf(config: UserConfig, user: string): string[] {
  return [...config.groups].filter(([, { users }]) => users.has(user)).map(([name]) => name);
}

/** What is set, as PVE shows it. */
function view(user: User): Record<string, unknown> {
  const { firstname, lastname, email, comment, keys } = user;
  const texts = Object.entries({ firstname, lastname, email, comment, keys }).filter(
    ([, text]) => text !== "",
  );
  return { enable: user.enable ? 1 : 0, expire: user.expire, ...Object.fromEntries(texts) };
}

function list(context: Context): unknown {
  const { parameters } = context;
  const config = readUserConfig();
  const me = authIdOf(context.identity);
  const rights = ["User.Modify", "Sys.Audit"];
  const all = context.allowed("/access/groups", rights, true);
  const visible = (id: string): boolean =>
    all ||
    id === userOf(me) ||
    groupsOf(config, id).some((group) => isAllowed(me, `/access/groups/${group}`, rights, true));
  return [...config.users]
    .filter(
      ([id, { enable }]) =>
        visible(id) && (parameters["enabled"] === undefined || enable === parameters["enabled"]),
    )
    .map(([userid, user]) => ({
      userid,
      "realm-type": userid.slice(userid.lastIndexOf("@") + 1),
      ...view(user),
      ...(parameters["full"] === true
        ? {
            groups: groupsOf(config, userid).join(","),
            tokens: [...user.tokens].map(([tokenid, token]) => ({ tokenid, ...tokenView(token) })),
          }
        : {}),
    }));
}

function get({ parameters }: Context): unknown {
  const config = readUserConfig();
  const id = asText(parameters["userid"]);
  const user = requireUser(config, id);
  const tokens = [...user.tokens].map(([name, token]) => [name, tokenView(token)]);
  return {
    ...view(user),
    groups: groupsOf(config, id),
    ...(tokens.length > 0 ? { tokens: Object.fromEntries(tokens) as unknown } : {}),
  };
}

function applySettings(user: User, parameters: Parameters): void {
  for (const key of ["firstname", "lastname", "email", "comment", "keys"] as const)
    if (parameters[key] !== undefined) user[key] = asText(parameters[key]);
  if (parameters["enable"] !== undefined) user.enable = parameters["enable"] === true;
  if (parameters["expire"] !== undefined) user.expire = Number(parameters["expire"]);
}

function setGroups(config: UserConfig, user: string, groups: readonly string[], append: boolean): void {
  for (const name of groups) if (!config.groups.has(name)) throw new ApiError(500, `no such group '${name}'`);
  for (const [name, { users }] of config.groups) {
    if (groups.includes(name)) users.add(user);
    else if (!append) users.delete(user);
  }
}

function create({ parameters }: Context): null {
  const id = asText(parameters["userid"]);
  const realm = id.slice(id.lastIndexOf("@") + 1);
  changeUserConfig((config) => {
    if (config.users.has(id)) throw new ApiError(500, `user '${id}' already exists`);
    if (!REALMS.has(realm)) throw new ApiError(500, `domain '${realm}' does not exist`);
    const user = emptyUser();
    applySettings(user, parameters);
    config.users.set(id, user);
    setGroups(config, id, splitList(parameters["groups"]), true);
    const password = parameters["password"];
    if (typeof password === "string") {
      if (realm !== "pve") throw new ApiError(500, "the lab keeps passwords of the realm pve only");
      setPassword(id, password);
    }
  }, "create user failed");
  return null;
}

function update({ parameters }: Context): null {
  const id = asText(parameters["userid"]);
  changeUserConfig((config) => {
    applySettings(requireUser(config, id), parameters);
    if (parameters["groups"] !== undefined)
      setGroups(config, id, splitList(parameters["groups"]), parameters["append"] === true);
  }, "update user failed");
  return null;
}

function remove({ parameters }: Context): null {
  const id = asText(parameters["userid"]);
  changeUserConfig((config) => {
    requireUser(config, id);
    if (id === "root@pam") throw new ApiError(500, "user 'root@pam' can't be deleted");
    config.users.delete(id);
    for (const { users } of config.groups.values()) users.delete(id);
    config.acl = config.acl.filter(({ kind, ugid }) => kind === "group" || userOf(ugid) !== id);
  }, "delete user failed");
  forgetPassword(id);
  forgetTokenSecrets((token) => userOf(token) === id);
  return null;
}

const path = "/access/users";
export const userRoutes: Route[] = [
  { method: "GET", path, evidence: "documented", handler: list },
  { method: "POST", path, evidence: "observed", handler: create },
  { method: "GET", path: `${path}/{userid}`, evidence: "observed", handler: get },
  { method: "PUT", path: `${path}/{userid}`, evidence: "observed", handler: update },
  { method: "DELETE", path: `${path}/{userid}`, evidence: "observed", handler: remove },
];
