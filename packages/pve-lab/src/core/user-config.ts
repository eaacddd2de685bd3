import { digestOf, readTextOr, writeFileAtomic } from "./files.ts";
import { percentDecode } from "./percent.ts";
import { place } from "./places.ts";
import { ApiError } from "./route.ts";

/** One API token of a user. */
export interface Token {
  expire: number;
  privsep: boolean;
  comment: string;
}
export interface User {
  enable: boolean;
  /** Seconds since the epoch, 0: never. */
  expire: number;
  firstname: string;
  lastname: string;
  email: string;
  comment: string;
  keys: string;
  tokens: Map<string, Token>;
}
export interface Group {
  users: Set<string>;
  comment: string;
}
export interface Pool {
  comment: string;
  vms: Set<number>;
  storages: Set<string>;
}
export interface AclEntry {
  path: string;
  kind: "user" | "group" | "token";
  /** User id, group name or full token id. */
  ugid: string;
  role: string;
  propagate: boolean;
}
/** What /etc/pve/user.cfg holds. */
export interface UserConfig {
  users: Map<string, User>;
  groups: Map<string, Group>;
  pools: Map<string, Pool>;
  roles: Map<string, Set<string>>;
  acl: AclEntry[];
}

const FILE = "/etc/pve/user.cfg";

export const emptyUser = (): User => ({
  enable: true,
  expire: 0,
  firstname: "",
  lastname: "",
  email: "",
  comment: "",
  keys: "",
  tokens: new Map(),
});

/** The file parts its fields by `:`; texts carry it percent-encoded. */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll("%20", " ").replaceAll("%40", "@");
function decode(text: string | undefined): string {
  return percentDecode(text ?? "");
}
const list = (text: string | undefined): string[] =>
  (text ?? "").split(/[,;\s]+/).filter((part) => part !== "");

export function parseUserConfig(text: string): UserConfig {
  const config: UserConfig = {
    users: new Map([["root@pam", emptyUser()]]),
    groups: new Map(),
    pools: new Map(),
    roles: new Map(),
    acl: [],
  };
  for (const line of text.split("\n")) {
    const [kind, ...f] = line.trim().split(":");
    const name = f[0] ?? "";
    if (kind === "user") {
      const tokens = config.users.get(name)?.tokens ?? new Map<string, Token>();
      config.users.set(name, {
        enable: f[1] === "1",
        expire: Number(f[2] ?? 0),
        firstname: decode(f[3]),
        lastname: decode(f[4]),
        email: decode(f[5]),
        comment: decode(f[6]),
        keys: f[7] ?? "",
        tokens,
      });
    } else if (kind === "token") {
      const [user = "", token = ""] = name.split("!");
      config.users
        .get(user)
        ?.tokens.set(token, { expire: Number(f[1] ?? 0), privsep: f[2] === "1", comment: decode(f[3]) });
    } else if (kind === "group")
      config.groups.set(name, { users: new Set(list(f[1])), comment: decode(f[2]) });
    else if (kind === "role") config.roles.set(name, new Set(list(f[1])));
    else if (kind === "pool")
      config.pools.set(name, {
        comment: decode(f[1]),
        vms: new Set(list(f[2]).map(Number)),
        storages: new Set(list(f[3])),
      });
    else if (kind === "acl") parseAcl(config, f);
  }
  return config;
}

function parseAcl(config: UserConfig, [propagate, path, members, roles]: string[]): void {
  for (const member of list(members))
    for (const role of list(roles)) {
      const kind = member.startsWith("@") ? "group" : member.includes("!") ? "token" : "user";
      const ugid = kind === "group" ? member.slice(1) : member;
      config.acl.push({ path: path ?? "/", kind, ugid, role, propagate: propagate === "1" });
    }
}

export function formatUserConfig(config: UserConfig): string {
  const lines: string[] = [];
  for (const [id, user] of config.users) {
    const texts = [user.firstname, user.lastname, user.email, user.comment].map(encode).join(":");
    lines.push(`user:${id}:${user.enable ? 1 : 0}:${user.expire}:${texts}:${user.keys}:`);
    for (const [token, { expire, privsep, comment }] of user.tokens)
      lines.push(`token:${id}!${token}:${expire}:${privsep ? 1 : 0}:${encode(comment)}:`);
  }
  lines.push("");
  for (const [id, { users, comment }] of config.groups)
    lines.push(`group:${id}:${[...users].sort().join(",")}:${encode(comment)}:`);
  lines.push("");
  for (const [id, { comment, vms, storages }] of config.pools)
    lines.push(
      `pool:${id}:${encode(comment)}:${[...vms].sort().join(",")}:${[...storages].sort().join(",")}:`,
    );
  lines.push("");
  for (const [id, privileges] of config.roles) lines.push(`role:${id}:${[...privileges].sort().join(",")}:`);
  lines.push("");
  for (const { path, kind, ugid, role, propagate } of config.acl)
    lines.push(`acl:${propagate ? 1 : 0}:${path}:${kind === "group" ? "@" : ""}${ugid}:${role}:`);
  return `${lines.join("\n")}\n`;
}

let cached: { digest: string; config: UserConfig } | undefined;

/** The users' configuration as the file has it now. */
export function readUserConfig(): UserConfig {
  const text = readTextOr(place(FILE), "");
  const digest = digestOf(text);
  if (cached?.digest !== digest) cached = { digest, config: parseUserConfig(text) };
  return cached.config;
}

/** @throws ApiError 500 `no such user ('x')` */
export function requireUser(config: UserConfig, id: string): User {
  const user = config.users.get(id);
  if (!user) throw new ApiError(500, `no such user ('${id}')`);
  return user;
}

/** PVE puts what it was doing before the text of an error under its lock; wrong parameters it reports bare. */
function attempt<T>(action: () => T, failure: string | undefined): T {
  try {
    return action();
  } catch (error) {
    if (failure === undefined || !(error instanceof ApiError) || error.status !== 500) throw error;
    throw new ApiError(500, `${failure}: ${error.message}`);
  }
}

/**
 * Reads, changes and writes the users' configuration as one step; nothing is written when `change` throws.
 * @param failure what PVE puts before the text of an error, as `create user failed`
 */
export function changeUserConfig<T>(change: (config: UserConfig) => T, failure?: string): T {
  const config = parseUserConfig(readTextOr(place(FILE), ""));
  const result = attempt(() => change(config), failure);
  writeFileAtomic(place(FILE), formatUserConfig(config));
  return result;
}
