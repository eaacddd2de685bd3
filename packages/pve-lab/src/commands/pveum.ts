import { drop } from "../guests/config-file.ts";
import { call } from "./client.ts";
import { FORMAT_OPTIONS, runTool, type Commands, type Entry } from "./cli.ts";
import { formatAnswer, formatOf, textTable } from "./formatter.ts";
import type { Arguments } from "./getopt.ts";
import type { Command } from "./main.ts";
import { sorted } from "./output.ts";

interface Options {
  readonly takes?: readonly string[];
  /** Prints the answer; a list in these columns. */
  readonly prints?: true | readonly string[];
  /** Parameters that the command sets. */
  readonly sets?: Readonly<Record<string, string>>;
}

/** A command that is one request. */
function request(group: string, describes: string, { takes = [], prints, sets = {} }: Options): Entry {
  return {
    class: `PVE::API2::${group}`,
    describes,
    takes,
    fixed: Object.keys(sets),
    ...(prints ? { formats: true } : {}),
    run: async (command, args) => {
      const answer = await ask(describes, takes, sets, args);
      if (!prints) return;
      command.print(formatAnswer(answer, formatOf(args.options), prints === true ? undefined : prints));
    },
  };
}

async function ask(
  describes: string,
  takes: readonly string[],
  sets: Readonly<Record<string, string>>,
  { positional, options }: Arguments,
): Promise<unknown> {
  const values: Record<string, string | readonly string[]> = { ...options, ...sets };
  for (const name of Object.keys(FORMAT_OPTIONS)) drop(values, name);
  const [method = "", template = ""] = describes.split(" ");
  let path = template;
  takes.forEach((name, index) => {
    const value = positional[index] ?? "";
    if (path.includes(`{${name}}`)) path = path.replace(`{${name}}`, encodeURIComponent(value));
    else values[name] = value;
  });
  return call(method, path, values);
}

/** Which privileges a user has where; those that are handed down are marked. */
async function permissions({ print }: Command, args: Arguments): Promise<void> {
  const answer = await ask("GET /access/permissions", ["userid"], {}, args);
  const format = formatOf(args.options);
  if (format.form !== "text" || format.quiet) {
    print(formatAnswer(answer, format));
    return;
  }
  const rows = Object.entries(sorted(answer) as Record<string, Record<string, number>>).map(
    ([path, privileges]) => ({
      "ACL path": path,
      Permissions: Object.entries(privileges)
        .map(([name, propagate]) => (propagate ? `${name} (*)` : name))
        .join("\n"),
    }),
  );
  print(textTable(["ACL path", "Permissions"], rows, format));
  print("Permissions marked with '(*)' have the 'propagate' flag set.\n");
}

const user = "/access/users/{userid}";
const token = `${user}/token/{tokenid}`;
const named = (name: string): Options => ({ takes: [name] });
const tokenOf: Options = { takes: ["userid", "tokenid"], prints: true };

const COMMANDS: Commands = {
  user: {
    add: request("User", "POST /access/users", named("userid")),
    modify: request("User", `PUT ${user}`, named("userid")),
    delete: request("User", `DELETE ${user}`, named("userid")),
    list: request("User", "GET /access/users", {
      prints: [
        ...["userid", "comment", "email", "enable", "expire", "firstname", "groups", "keys", "lastname"],
        ...["realm-type", "tfa-locked-until", "tokens", "totp-locked"],
      ],
    }),
    permissions: {
      class: "PVE::API2::AccessControl",
      describes: "GET /access/permissions",
      takes: ["userid"],
      formats: true,
      run: permissions,
    },
    token: {
      add: request("User", `POST ${token}`, tokenOf),
      modify: request("User", `PUT ${token}`, tokenOf),
      delete: request("User", `DELETE ${token}`, tokenOf),
      remove: { alias: "delete" },
      list: request("User", `GET ${user}/token`, {
        takes: ["userid"],
        prints: ["tokenid", "comment", "expire", "privsep"],
      }),
    },
  },
  group: {
    add: request("Group", "POST /access/groups", named("groupid")),
    modify: request("Group", "PUT /access/groups/{groupid}", named("groupid")),
    delete: request("Group", "DELETE /access/groups/{groupid}", named("groupid")),
    list: request("Group", "GET /access/groups", { prints: ["groupid", "comment", "users"] }),
  },
  role: {
    add: request("Role", "POST /access/roles", named("roleid")),
    modify: request("Role", "PUT /access/roles/{roleid}", named("roleid")),
    delete: request("Role", "DELETE /access/roles/{roleid}", named("roleid")),
    list: request("Role", "GET /access/roles", { prints: ["roleid", "privs", "special"] }),
  },
  acl: {
    modify: request("ACL", "PUT /access/acl", { takes: ["path"], sets: { delete: "0" } }),
    delete: request("ACL", "PUT /access/acl", { takes: ["path"], sets: { delete: "1" } }),
    list: request("ACL", "GET /access/acl", { prints: ["path", "roleid", "type", "ugid", "propagate"] }),
  },
  pool: {
    add: request("Pool", "POST /pools", named("poolid")),
    modify: request("Pool", "PUT /pools/{poolid}", named("poolid")),
    delete: request("Pool", "DELETE /pools/{poolid}", named("poolid")),
    list: request("Pool", "GET /pools", { prints: ["poolid", "comment"] }),
  },
  passwd: {
    class: "PVE::API2::AccessControl",
    properties: { userid: { type: "string" } },
    takes: ["userid"],
    run: (_command, { positional: [userid = ""] }) => passwd(userid),
  },
  useradd: { alias: "user add" },
  usermod: { alias: "user modify" },
  userdel: { alias: "user delete" },
  groupadd: { alias: "group add" },
  groupmod: { alias: "group modify" },
  groupdel: { alias: "group delete" },
  roleadd: { alias: "role add" },
  rolemod: { alias: "role modify" },
  roledel: { alias: "role delete" },
  aclmod: { alias: "acl modify" },
  acldel: { alias: "acl delete" },
};

/** `pveum user|group|role|acl|pool …`, `pveum passwd USER` */
export function pveum(command: Command): Promise<void> {
  return runTool("pveum", COMMANDS, command);
}

/** Reads the new password from standard input, once per line as PVE asks twice. */
async function passwd(userid: string): Promise<void> {
  let text = "";
  for await (const chunk of process.stdin) text += String(chunk);
  const [password = "", again = password] = text.split("\n");
  if (again !== "" && again !== password) throw new Error("Passwords do not match.");
  await call("PUT", "/access/password", { userid, password });
}
