import { isAllowed, permissionError, requireAllowed } from "./permissions.ts";
import { splitList } from "./lists.ts";
import { readUserConfig, requireUser } from "./user-config.ts";
import { asText } from "./text.ts";

/** `permissions` of the API description: who may call a route, and the check on the parameters. */
export interface Declared {
  readonly user?: string;
  readonly check?: readonly unknown[];
}
type Values = Readonly<Record<string, unknown>>;

/** Who asks with which parameters. */
export interface Query {
  readonly authId: string;
  readonly values: Values;
}

const fill = (template: string, values: Values): string =>
  template.replaceAll(/\{([^}]+)\}/g, (_match, name: string) => asText(values[name] ?? ""));

function pairs(list: readonly unknown[]): Map<string, unknown> {
  const map = new Map<string, unknown>();
  for (let index = 0; index + 1 < list.length; index += 2) map.set(asText(list[index]), list[index + 1]);
  return map;
}

/** Runs `action`; a refusal counts as false when the caller only asks. */
function attempt(quiet: boolean, action: () => void): boolean {
  if (!quiet) {
    action();
    return true;
  }
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

function checkPerm(query: Query, check: readonly unknown[], quiet: boolean): boolean {
  const [, template, privileges, ...rest] = check;
  const options = pairs(rest);
  const needed = options.get("require_param");
  if (typeof needed === "string" && query.values[needed] === undefined) {
    if (quiet) return false;
    throw permissionError();
  }
  const path = fill(asText(template), query.values);
  return attempt(quiet, () =>
    requireAllowed(query.authId, path, privileges as string[], options.get("any") === 1),
  );
}

/** Rights over a user come from rights over the groups the user is in. */
function checkUserGroup(query: Query, check: readonly unknown[]): void {
  const [, privilegeList, ...rest] = check;
  const privileges = privilegeList as string[];
  const option = pairs(rest).get("groups_param");
  const config = readUserConfig();
  const userId = asText(query.values["userid"] ?? "");
  const existing = option !== "create";
  if (existing) requireUser(config, userId);
  if (isAllowed(query.authId, "/access/groups", privileges, true)) return;
  const mine = [...config.groups].filter(([name]) =>
    isAllowed(query.authId, `/access/groups/${name}`, privileges, true),
  );
  if (option !== undefined) {
    const asked = splitList(query.values["groups"]);
    if (asked.length === 0) throw permissionError(`/access/groups, ${privileges.join("|")}`);
    for (const group of asked)
      if (!mine.some(([name]) => name === group))
        throw permissionError(`/access/groups/${group}, ${privileges.join("|")}`);
  }
  if (existing && !mine.some(([, group]) => group.users.has(userId))) throw permissionError();
}

function checkUserParameter(query: Query, subject: string): void {
  const userId = asText(query.values["userid"] ?? "");
  if (subject === "self") {
    // A token acts for itself, not for its user.
    requireUser(readUserConfig(), userId);
    if (query.authId !== userId) throw permissionError();
    return;
  }
  const realm = userId.slice(userId.lastIndexOf("@") + 1);
  requireAllowed(query.authId, `/access/realm/${realm}`, [subject]);
}

/** Changing an ACL needs Permissions.Modify, or the right to hand out the object in question. */
export function checkModify(query: Query, path: string): void {
  const kinds: readonly (readonly [RegExp, string[]])[] = [
    [/^\/storage\/[^/]+$/, ["Datastore.Allocate"]],
    [/^\/vms\/\d+$/, ["VM.Allocate"]],
    [/^\/pool\/.+$/, ["Pool.Allocate"]],
  ];
  const allocate = kinds.find(([pattern]) => pattern.test(path))?.[1] ?? [];
  requireAllowed(query.authId, path, [...allocate, "Permissions.Modify"], true);
}

function run(query: Query, check: readonly unknown[], quiet: boolean): boolean {
  const [test, ...rest] = check;
  switch (test) {
    case "and":
      return rest.every((part) => run(query, part as unknown[], quiet));
    case "or":
      if (rest.some((part) => run(query, part as unknown[], true))) return true;
      if (quiet) return false;
      throw permissionError();
    case "perm":
      return checkPerm(query, check, quiet);
    case "userid-group":
      return attempt(quiet, () => checkUserGroup(query, check));
    case "userid-param":
      return attempt(quiet, () => checkUserParameter(query, asText(rest[0])));
    case "perm-modify":
      return attempt(quiet, () => checkModify(query, fill(asText(rest[0]), query.values)));
    default:
      throw new Error(`unknown permission test '${asText(test)}'`);
  }
}

/**
 * Enforces what a route declares, on the raw parameters, as PVE does before it verifies them.
 * @throws ApiError 403
 */
export function enforceDeclared(declared: Declared | undefined, authId: string, values: Values): void {
  if (authId === "root@pam" || declared?.user === "world") return;
  if (!declared) throw permissionError("user != root@pam");
  if (declared.user === "all") return;
  if (!declared.check) throw permissionError();
  run({ authId, values }, declared.check, false);
}
