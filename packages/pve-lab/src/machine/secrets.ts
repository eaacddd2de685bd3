import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import type { Lab } from "./lab.ts";
import { places, writeWhole } from "./lab.ts";
import { run } from "./run.ts";

export function newPassword(): string {
  return randomBytes(12).toString("base64url");
}

export function newTokenSecret(): string {
  return randomUUID();
}

async function keyPair(file: string, comment: string): Promise<void> {
  if (existsSync(file)) return;
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);
}

/** The lab's own login key and the node's host key: made once, kept until `down`. */
export async function ensureKeys(lab: Lab, address: string): Promise<void> {
  mkdirSync(places.ssh(lab), { recursive: true, mode: 0o700 });
  await keyPair(places.key(lab), `phoenix lab ${lab.id}`);
  await keyPair(places.hostKey(lab), "root@pve");
  writeWhole(places.knownHosts(lab), `${address} ${hostKey(lab)}\n`);
}

/** The node's host key as in known_hosts: type and key, without a comment. */
export function hostKey(lab: Lab): string {
  return readFileSync(`${places.hostKey(lab)}.pub`, "utf8")
    .trim()
    .split(" ")
    .slice(0, 2)
    .join(" ");
}
