import { splitList } from "../../core/lists.ts";
import { BUILT_IN_ROLES } from "../../core/privileges.ts";
import { ApiError, type Context, type Route } from "../../core/route.ts";
import { changeUserConfig, readUserConfig, type Group, type UserConfig } from "../../core/user-config.ts";
import { asText } from "../../core/text.ts";

function requireGroup(config: UserConfig, id: string): Group {
  const group = config.groups.get(id);
  if (!group) throw new ApiError(500, `group '${id}' does not exist`);
  return group;
}

function listGroups(context: Context): unknown {
  const rights = ["User.Modify", "Sys.Audit", "Group.Allocate"];
  return [...readUserConfig().groups]
    .filter(([id]) => context.allowed(`/access/groups/${id}`, rights, true))
    .map(([groupid, { users, comment }]) => ({
      groupid,
      users: [...users].sort().join(","),
      ...(comment === "" ? {} : { comment }),
    }));
}

function getGroup({ parameters }: Context): unknown {
  const { users, comment } = requireGroup(readUserConfig(), asText(parameters["groupid"]));
  return { members: [...users].sort(), ...(comment === "" ? {} : { comment }) };
}

function createGroup({ parameters }: Context): null {
  const id = asText(parameters["groupid"]);
  changeUserConfig((config) => {
    if (config.groups.has(id)) throw new ApiError(500, `group '${id}' already exists`);
    config.groups.set(id, { users: new Set(), comment: asText(parameters["comment"] ?? "") });
  }, "create group failed");
  return null;
}

function updateGroup({ parameters }: Context): null {
  changeUserConfig((config) => {
    const group = requireGroup(config, asText(parameters["groupid"]));
    if (parameters["comment"] !== undefined) group.comment = asText(parameters["comment"]);
  }, "update group failed");
  return null;
}

function removeGroup({ parameters }: Context): null {
  const id = asText(parameters["groupid"]);
  changeUserConfig((config) => {
    requireGroup(config, id);
    config.groups.delete(id);
    config.acl = config.acl.filter(({ kind, ugid }) => kind !== "group" || ugid !== id);
  }, "delete group failed");
  return null;
}

function listRoles(): unknown {
  const roles = [
    ...[...BUILT_IN_ROLES].map(([roleid, privileges]) => ({ roleid, privileges, special: 1 })),
    ...[...readUserConfig().roles].map(([roleid, privileges]) => ({ roleid, privileges, special: 0 })),
  ];
  return roles.map(({ roleid, privileges, special }) => ({
    roleid,
    privs: [...privileges].sort().join(","),
    special,
  }));
}

function getRole({ parameters }: Context): unknown {
  const id = asText(parameters["roleid"]);
  const privileges = BUILT_IN_ROLES.get(id) ?? readUserConfig().roles.get(id);
  if (!privileges) throw new ApiError(500, `role '${id}' does not exist`);
  return Object.fromEntries([...privileges].sort().map((privilege) => [privilege, 1]));
}

function createRole({ parameters }: Context): null {
  const id = asText(parameters["roleid"]);
  changeUserConfig((config) => {
    if (config.roles.has(id) || BUILT_IN_ROLES.has(id))
      throw new ApiError(500, `role '${id}' already exists`);
    config.roles.set(id, new Set(splitList(parameters["privs"])));
  }, "create role failed");
  return null;
}

function requireOwnRole(config: UserConfig, id: string, verb: string): Set<string> {
  if (BUILT_IN_ROLES.has(id)) throw new ApiError(500, `auto-generated role '${id}' cannot be ${verb}`);
  const role = config.roles.get(id);
  if (!role) throw new ApiError(500, `role '${id}' does not exist`);
  return role;
}

function updateRole({ parameters }: Context): null {
  const id = asText(parameters["roleid"]);
  changeUserConfig((config) => {
    const role = requireOwnRole(config, id, "modified");
    const old = parameters["append"] === true ? [...role] : [];
    config.roles.set(id, new Set([...old, ...splitList(parameters["privs"])]));
  }, "update role failed");
  return null;
}

function removeRole({ parameters }: Context): null {
  const id = asText(parameters["roleid"]);
  changeUserConfig((config) => {
    requireOwnRole(config, id, "deleted");
    config.roles.delete(id);
    config.acl = config.acl.filter(({ role }) => role !== id);
  }, "delete role failed");
  return null;
}

const groups = "/access/groups";
const roles = "/access/roles";
export const groupAndRoleRoutes: Route[] = [
  { method: "GET", path: groups, evidence: "documented", handler: listGroups },
  { method: "POST", path: groups, evidence: "observed", handler: createGroup },
  { method: "GET", path: `${groups}/{groupid}`, evidence: "observed", handler: getGroup },
  { method: "PUT", path: `${groups}/{groupid}`, evidence: "observed", handler: updateGroup },
  { method: "DELETE", path: `${groups}/{groupid}`, evidence: "observed", handler: removeGroup },
  { method: "GET", path: roles, evidence: "documented", handler: listRoles },
  { method: "POST", path: roles, evidence: "observed", handler: createRole },
  { method: "GET", path: `${roles}/{roleid}`, evidence: "observed", handler: getRole },
  { method: "PUT", path: `${roles}/{roleid}`, evidence: "observed", handler: updateRole },
  { method: "DELETE", path: `${roles}/{roleid}`, evidence: "observed", handler: removeRole },
];
