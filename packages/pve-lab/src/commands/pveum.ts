import { drop } from "../guests/config-file.ts";
import { parseArguments, UsageError } from "./arguments.ts";
import { call } from "./client.ts";
import type { Command } from "./main.ts";
import { cell, prettyJson, records, table } from "./output.ts";

const FLAGS = new Set(["privsep", "enable", "propagate", "append", "regenerate", "full"]);

interface Action {
  readonly method: string;
  readonly path: string;
  /** Positional parameters; they take their place in the path or go with the others. */
  readonly takes: readonly string[];
  /** Columns of the list that it prints. */
  readonly columns?: readonly string[];
}

const ACTIONS: Readonly<Record<string, Action>> = {
  "user list": {
    method: "GET",
    path: "/access/users",
    takes: [],
    columns: ["userid", "comment", "email", "enable", "expire", "realm-type"],
  },
  "user add": { method: "POST", path: "/access/users", takes: ["userid"] },
  "user modify": { method: "PUT", path: "/access/users/{userid}", takes: ["userid"] },
  "user delete": { method: "DELETE", path: "/access/users/{userid}", takes: ["userid"] },
  "user token list": {
    method: "GET",
    path: "/access/users/{userid}/token",
    takes: ["userid"],
    columns: ["tokenid", "comment", "expire", "privsep"],
  },
  "user token add": {
    method: "POST",
    path: "/access/users/{userid}/token/{tokenid}",
    takes: ["userid", "tokenid"],
  },
  "user token modify": {
    method: "PUT",
    path: "/access/users/{userid}/token/{tokenid}",
    takes: ["userid", "tokenid"],
  },
  "user token remove": {
    method: "DELETE",
    path: "/access/users/{userid}/token/{tokenid}",
    takes: ["userid", "tokenid"],
  },
  "user permissions": { method: "GET", path: "/access/permissions", takes: ["userid"] },
  "group list": {
    method: "GET",
    path: "/access/groups",
    takes: [],
    columns: ["groupid", "comment", "users"],
  },
  "group add": { method: "POST", path: "/access/groups", takes: ["groupid"] },
  "group modify": { method: "PUT", path: "/access/groups/{groupid}", takes: ["groupid"] },
  "group delete": { method: "DELETE", path: "/access/groups/{groupid}", takes: ["groupid"] },
  "role list": { method: "GET", path: "/access/roles", takes: [], columns: ["roleid", "privs", "special"] },
  "role add": { method: "POST", path: "/access/roles", takes: ["roleid"] },
  "role modify": { method: "PUT", path: "/access/roles/{roleid}", takes: ["roleid"] },
  "role delete": { method: "DELETE", path: "/access/roles/{roleid}", takes: ["roleid"] },
  "acl list": {
    method: "GET",
    path: "/access/acl",
    takes: [],
    columns: ["path", "propagate", "roleid", "type", "ugid"],
  },
  "acl modify": { method: "PUT", path: "/access/acl", takes: ["path"] },
  "acl delete": { method: "PUT", path: "/access/acl", takes: ["path"] },
  "pool list": { method: "GET", path: "/pools", takes: [], columns: ["poolid", "comment"] },
  "pool add": { method: "POST", path: "/pools", takes: ["poolid"] },
  "pool delete": { method: "DELETE", path: "/pools/{poolid}", takes: ["poolid"] },
};

const OLD_NAMES: Readonly<Record<string, string>> = {
  useradd: "user add",
  usermod: "user modify",
  userdel: "user delete",
  groupadd: "group add",
  groupmod: "group modify",
  groupdel: "group delete",
  roleadd: "role add",
  rolemod: "role modify",
  roledel: "role delete",
  aclmod: "acl modify",
  acldel: "acl delete",
};

/** `pveum user|group|role|acl|pool …`, `pveum passwd USER` */
export async function pveum({ args, print }: Command): Promise<void> {
  const words = OLD_NAMES[args[0] ?? ""]?.split(" ") ?? [];
  const line = words.length > 0 ? [...words, ...args.slice(1)] : [...args];
  if (line[0] === "passwd") return passwd(line.slice(1));
  for (const length of [3, 2]) {
    const action = ACTIONS[line.slice(0, length).join(" ")];
    if (action) return perform(line.slice(0, length).join(" "), action, line.slice(length), print);
  }
  throw new UsageError(`ERROR: unknown command 'pveum ${args.slice(0, 2).join(" ")}'`);
}

async function perform(
  name: string,
  action: Action,
  rest: readonly string[],
  print: (text: string) => void,
): Promise<void> {
  const { positional, options } = parseArguments(rest, FLAGS);
  const values: Record<string, readonly string[]> = { ...options };
  delete values["output-format"];
  action.takes.forEach((key, index) => {
    const value = positional[index];
    if (value === undefined) throw new UsageError("400 not enough arguments");
    values[key] = [value];
  });
  if (name === "acl delete") values["delete"] = ["1"];
  let path = action.path;
  for (const key of action.takes) {
    if (!path.includes(`{${key}}`)) continue;
    path = path.replace(`{${key}}`, encodeURIComponent(values[key]?.[0] ?? ""));
    drop(values, key);
  }
  const answer = await call(action.method, path, values);
  const json = options["output-format"]?.at(-1);
  if (json === "json") print(`${JSON.stringify(answer)}\n`);
  else if (json === "json-pretty") print(prettyJson(answer));
  else if (action.columns)
    print(
      table(
        action.columns,
        records(answer).map((row) => (action.columns ?? []).map((column) => cell(row[column]))),
      ),
    );
  else if (answer !== null && typeof answer === "object")
    print(
      table(
        ["key", "value"],
        Object.entries(answer).map(([key, value]) => [key, cell(value)]),
      ),
    );
}

/** Reads the new password from standard input, once per line as PVE asks twice. */
async function passwd([userid]: readonly string[]): Promise<void> {
  if (userid === undefined) throw new UsageError("400 not enough arguments");
  let text = "";
  for await (const chunk of process.stdin) text += String(chunk);
  const [password = "", again = password] = text.split("\n");
  if (again !== "" && again !== password) throw new Error("Passwords do not match.");
  await call("PUT", "/access/password", { userid, password });
}
