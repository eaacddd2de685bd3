import { splitList } from "../../core/lists.ts";
import { ApiError, type Context, type Parameters, type Route } from "../../core/route.ts";
import { forgetTokenSecrets, setTokenSecret } from "../../core/secrets.ts";
import {
  changeUserConfig,
  readUserConfig,
  requireUser,
  type Token,
  type UserConfig,
} from "../../core/user-config.ts";
import { asText } from "../../core/text.ts";

/** A token as PVE shows it; its secret is told once, at creation. */
export function tokenView({ expire, privsep, comment }: Token): Record<string, unknown> {
  return { expire, privsep: privsep ? 1 : 0, ...(comment === "" ? {} : { comment }) };
}

function idsOf(parameters: Parameters): { user: string; name: string; full: string } {
  const user = asText(parameters["userid"]);
  const name = asText(parameters["tokenid"]);
  return { user, name, full: `${user}!${name}` };
}

function requireToken(config: UserConfig, user: string, name: string): Token {
  const token = requireUser(config, user).tokens.get(name);
  if (!token) throw new ApiError(500, `no such token '${name}' for user '${user}'`);
  return token;
}

function applySettings(token: Token, parameters: Parameters): void {
  for (const key of splitList(parameters["delete"])) {
    if (key === "comment") token.comment = "";
    else if (key === "expire") token.expire = 0;
    else throw new ApiError(400, "Parameter verification failed.", { delete: `cannot delete '${key}'` });
  }
  if (parameters["expire"] !== undefined) token.expire = Number(parameters["expire"]);
  if (parameters["privsep"] !== undefined) token.privsep = parameters["privsep"] === true;
  if (parameters["comment"] !== undefined) token.comment = asText(parameters["comment"]);
}

function create({ parameters }: Context): unknown {
  const { user, name, full } = idsOf(parameters);
  // The description says that the user's time limit is the default; Proxmox VE's code sets none.
  const token: Token = { expire: 0, privsep: true, comment: "" };
  changeUserConfig((config) => {
    const { tokens } = requireUser(config, user);
    if (tokens.has(name))
      throw new ApiError(400, "Parameter verification failed.", { tokenid: "Token already exists." });
    applySettings(token, parameters);
    tokens.set(name, token);
  }, "generating token failed");
  return { "full-tokenid": full, value: setTokenSecret(full), info: tokenView(token) };
}

function update({ parameters }: Context): unknown {
  const { user, name } = idsOf(parameters);
  return changeUserConfig((config) => {
    const token = requireToken(config, user, name);
    applySettings(token, parameters);
    return tokenView(token);
  }, "updating token info failed");
}

function remove({ parameters }: Context): null {
  const { user, name, full } = idsOf(parameters);
  changeUserConfig((config) => {
    requireToken(config, user, name);
    config.users.get(user)?.tokens.delete(name);
    config.acl = config.acl.filter(({ kind, ugid }) => kind !== "token" || ugid !== full);
  }, "deleting token failed");
  forgetTokenSecrets((token) => token === full);
  return null;
}

const path = "/access/users/{userid}/token";
export const tokenRoutes: Route[] = [
  {
    method: "GET",
    path,
    evidence: "documented",
    handler: ({ parameters }) =>
      [...requireUser(readUserConfig(), asText(parameters["userid"])).tokens].map(([tokenid, token]) => ({
        tokenid,
        ...tokenView(token),
      })),
  },
  {
    method: "GET",
    path: `${path}/{tokenid}`,
    evidence: "observed",
    handler: ({ parameters }) => {
      const { user, name } = idsOf(parameters);
      return tokenView(requireToken(readUserConfig(), user, name));
    },
  },
  { method: "POST", path: `${path}/{tokenid}`, evidence: "observed", handler: create },
  { method: "PUT", path: `${path}/{tokenid}`, evidence: "observed", handler: update },
  { method: "DELETE", path: `${path}/{tokenid}`, evidence: "observed", handler: remove },
];
