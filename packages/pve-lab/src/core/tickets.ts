import { equalSecrets, sign } from "./secrets.ts";

/** PVE's tickets live two hours and may come from a clock up to five minutes ahead. */
const LIFETIME_S = 7200;
const AHEAD_S = 300;

const stamp = (): string =>
  Math.floor(Date.now() / 1000)
    .toString(16)
    .toUpperCase()
    .padStart(8, "0");

function isFresh(hexTime: string): boolean {
  const age = Math.floor(Date.now() / 1000) - Number.parseInt(hexTime, 16);
  return age > -AHEAD_S && age < LIFETIME_S;
}

/** `PVE:user:time::signature`, as the cookie PVEAuthCookie carries it. */
export function makeTicket(user: string): string {
  const plain = `PVE:${user}:${stamp()}`;
  return `${plain}::${sign(plain)}`;
}

/** The user of a valid ticket. */
export function ticketUser(ticket: string): string | undefined {
  const [, plain, user, time, signature] = /^(PVE:([^:\s]+):([0-9A-F]{8}))::([^:]+)$/.exec(ticket) ?? [];
  if (plain === undefined || time === undefined || signature === undefined) return undefined;
  return isFresh(time) && equalSecrets(sign(plain), signature) ? user : undefined;
}

/** The token which a write with a ticket must carry in the header CSRFPreventionToken. */
export function makeCsrfToken(user: string): string {
  const time = stamp();
  return `${time}:${sign(`${time}:${user}`)}`;
}

export function isCsrfToken(user: string, token: string): boolean {
  const [, time, signature] = /^([0-9A-F]{8}):(.+)$/.exec(token) ?? [];
  if (time === undefined || signature === undefined) return false;
  return isFresh(time) && equalSecrets(sign(`${time}:${user}`), signature);
}
