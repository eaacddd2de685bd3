import { percentDecode } from "./percent.ts";
import { ApiError, type Identity, type Method } from "./route.ts";
import { equalSecrets, isPassword, tokenSecret } from "./secrets.ts";
import { isCsrfToken, ticketUser } from "./tickets.ts";
import { readUserConfig } from "./user-config.ts";

const unauthorized = (text: string): ApiError => new ApiError(401, text);

function isExpired(expire: number): boolean {
  return expire > 0 && expire < Date.now() / 1000;
}

/** @throws ApiError 401 unless the user exists, is enabled and not expired */
function requireUsableUser(user: string): void {
  const entry = readUserConfig().users.get(user);
  if (!entry) throw unauthorized(`no such user ('${user}')`);
  if (!entry.enable) throw unauthorized(`user '${user}' is disabled`);
  if (isExpired(entry.expire)) throw unauthorized(`user '${user}' access expired`);
}

function byToken(header: string): Identity {
  const [, id, secret] = /^PVEAPIToken=([^=]+)=(.+)$/.exec(header) ?? [];
  const [, user, name] =
    /^([^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+)!([A-Za-z][A-Za-z0-9.\-_]+)$/.exec(id ?? "") ?? [];
  if (id === undefined || secret === undefined || user === undefined || name === undefined)
    throw unauthorized("invalid tokenid format");
  requireUsableUser(user);
  const token = readUserConfig().users.get(user)?.tokens.get(name);
  if (!token) throw unauthorized(`no such token '${name}' for user '${user}'`);
  if (isExpired(token.expire)) throw unauthorized(`token '${id}' access expired`);
  const known = tokenSecret(id);
  if (known === undefined || !equalSecrets(known, secret)) throw unauthorized("invalid token value!");
  return { user, token: id };
}

/** What a request says about who sent it. */
export interface Credentials {
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
  readonly csrfToken: string | undefined;
}

function ticketFromCookie(cookie: string | undefined): string | undefined {
  const value = /(?:^|;\s*)PVEAuthCookie=([^;]*)/.exec(cookie ?? "")?.[1];
  return value === undefined ? undefined : percentDecode(value);
}

/** Who sent the request. @throws ApiError 401 with PVE's texts */
export function authenticate(credentials: Credentials, method: Method): Identity {
  const { authorization } = credentials;
  if (authorization?.startsWith("PVEAPIToken=")) return byToken(authorization);
  // Clients may also send the ticket as the value of the header.
  const ticket =
    /^PVEAuthCookie=(.+)$/.exec(authorization ?? "")?.[1] ?? ticketFromCookie(credentials.cookie);
  if (ticket === undefined || ticket === "") throw unauthorized("No ticket");
  const user = ticketUser(ticket);
  if (user === undefined) throw unauthorized("permission denied - invalid PVE ticket");
  if (method !== "GET" && !isCsrfToken(user, credentials.csrfToken ?? ""))
    throw unauthorized("Permission denied - invalid csrf token");
  requireUsableUser(user);
  return { user };
}

/** Checks a login; a valid ticket of the same user serves as password, to renew it. @throws ApiError 401 */
export function login(user: string, password: string): void {
  try {
    requireUsableUser(user);
  } catch {
    throw unauthorized("authentication failure");
  }
  if (ticketUser(password) !== user && !isPassword(user, password))
    throw unauthorized("authentication failure");
}

/** The name under which ACLs and tasks know an identity. */
export function authIdOf(identity: Identity): string {
  return identity.token ?? identity.user;
}
