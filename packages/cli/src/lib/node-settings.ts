import { resolve } from "node:path";
import { readNodeFile, root } from "./checkout.ts";
import { stackConfig } from "./environment.ts";
import { Failure } from "./failure.ts";
import type { Connection } from "./ssh.ts";

/** How a stack reaches its node, as `Pulumi.<stack>.yaml` says it. */
export interface NodeSettings {
  /** The node's name in Proxmox VE. */
  readonly name: string;
  readonly endpoint: string;
  readonly insecure: boolean;
  readonly ssh: Connection & { readonly port: number; readonly user: string };
}

/** @throws Failure that names the key which is missing, and the command that sets it */
export function nodeSettings(stack: string): NodeSettings {
  const config = stackConfig(stack);
  const text = (key: string): string => {
    const value = config[`phoenix:${key}`];
    return typeof value === "string" || typeof value === "number" ? String(value) : "";
  };
  const file = text("nodeFile");
  if (file !== "") {
    const node = readNodeFile(resolve(root, file));
    if (!node) throw new Failure(`${file} is not there: is the lab up?`, { next: "bin/phoenix lab up" });
    const { host, port, user, hostKey } = node.ssh;
    return { name: node.name, endpoint: node.endpoint, insecure: true, ssh: { host, port, user, hostKey } };
  }
  const required = (key: string, example: string): string => {
    const value = text(key);
    if (value !== "") return value;
    throw new Failure(`phoenix:${key} is not set in Pulumi.${stack}.yaml.`, {
      next: `pulumi config set phoenix:${key} ${example} --stack ${stack}`,
    });
  };
  const endpoint = required("endpoint", "https://HOST:8006/");
  if (!URL.canParse(endpoint)) {
    throw new Failure(`phoenix:endpoint is no address: ${endpoint}`, {
      next: `pulumi config set phoenix:endpoint https://HOST:8006/ --stack ${stack}`,
    });
  }
  return {
    name: text("node") || "pve",
    endpoint,
    insecure: /^(true|1)$/.test(String(config["phoenix:insecure"])),
    ssh: {
      host: text("sshHost") || new URL(endpoint).hostname,
      port: Number(text("sshPort") || 22),
      user: text("sshUser") || "root",
      hostKey: required("sshHostKey", "'ssh-ed25519 AAAA…'"),
    },
  };
}
