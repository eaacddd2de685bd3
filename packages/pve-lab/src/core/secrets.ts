import { execFileSync } from "node:child_process";
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { readTextOr, writeFileAtomic } from "./files.ts";
import { place } from "./places.ts";

/** What the lab is told at its first start: root's password and the secret of the first token. */
export interface Bootstrap {
  rootPassword: string;
  token: { id: string; secret: string };
}

const BOOTSTRAP = "/etc/pve-lab/bootstrap.json";
const TOKENS = "/etc/pve/priv/token.cfg";
const PASSWORDS = "/etc/pve/priv/shadow.cfg";
const KEY = "/etc/pve/priv/authkey.key";

export function readBootstrap(): Bootstrap | undefined {
  const text = readTextOr(place(BOOTSTRAP), "");
  return text === "" ? undefined : (JSON.parse(text) as Bootstrap);
}

export function equalSecrets(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** `name value` lines of a file under /etc/pve/priv. */
function readLines(file: string, separator: string): Map<string, string> {
  const entries = readTextOr(place(file), "")
    .split("\n")
    .map((line) => [line.slice(0, line.indexOf(separator)), line.slice(line.indexOf(separator) + 1)] as const)
    .filter(([name]) => name !== "");
  return new Map(entries);
}

function writeLines(file: string, separator: string, lines: ReadonlyMap<string, string>): void {
  const text = [...lines].map(([name, value]) => `${name}${separator}${value}\n`).join("");
  writeFileAtomic(place(file), text, 0o600);
}

export function tokenSecret(tokenId: string): string | undefined {
  return readLines(TOKENS, " ").get(tokenId);
}

/** Keeps the secret for a token, a new one if none is given, and returns it. */
export function setTokenSecret(tokenId: string, secret: string = randomUUID()): string {
  const lines = readLines(TOKENS, " ");
  lines.set(tokenId, secret);
  writeLines(TOKENS, " ", lines);
  return secret;
}

export function forgetTokenSecrets(matches: (tokenId: string) => boolean): void {
  const lines = readLines(TOKENS, " ");
  writeLines(TOKENS, " ", new Map([...lines].filter(([id]) => !matches(id))));
}

function crypt(password: string, salt: string): string {
  return execFileSync("openssl", ["passwd", "-5", "-salt", salt, "-stdin"], {
    input: password,
    encoding: "utf8",
  }).trim();
}

export function setPassword(user: string, password: string): void {
  if (user === "root@pam") {
    const bootstrap = readBootstrap() ?? { rootPassword: "", token: { id: "", secret: "" } };
    writeFileAtomic(
      place(BOOTSTRAP),
      `${JSON.stringify({ ...bootstrap, rootPassword: password }, null, 2)}\n`,
      0o600,
    );
    return;
  }
  const lines = readLines(PASSWORDS, ":");
  lines.set(user.replace(/@pve$/, ""), `${crypt(password, randomBytes(8).toString("hex"))}:`);
  writeLines(PASSWORDS, ":", lines);
}

export function forgetPassword(user: string): void {
  const lines = readLines(PASSWORDS, ":");
  if (lines.delete(user.replace(/@pve$/, ""))) writeLines(PASSWORDS, ":", lines);
}

/** Whether the password is the user's. Of the realm pam only root has one here. */
export function isPassword(user: string, password: string): boolean {
  if (user === "root@pam") {
    const known = readBootstrap()?.rootPassword ?? "";
    return known !== "" && equalSecrets(known, password);
  }
  if (!user.endsWith("@pve")) return false;
  const stored = readLines(PASSWORDS, ":").get(user.slice(0, -4))?.replace(/:.*$/, "");
  const salt = /^\$5\$([^$]+)\$/.exec(stored ?? "")?.[1];
  return stored !== undefined && salt !== undefined && equalSecrets(crypt(password, salt), stored);
}

let key: string | undefined;

/** A keyed digest for tickets; the key is made once and survives restarts. */
export function sign(text: string): string {
  key ??= readTextOr(place(KEY), "");
  if (key === "") {
    key = randomBytes(32).toString("hex");
    writeFileAtomic(place(KEY), key, 0o600);
  }
  return createHmac("sha256", key).update(text).digest("base64");
}
