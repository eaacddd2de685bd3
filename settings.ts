import { readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { SecretState } from "./model/index.ts";

/** Where the node is and how to reach it. Nothing here is secret; authentication is by ssh-agent and API token. */
export interface NodeConnection {
  /** The node's name in Proxmox VE. */
  readonly name: string;
  /** The API's address, `https://HOST:8006/`. */
  readonly endpoint: string;
  readonly insecure: boolean;
  readonly ssh: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly hostKey: string;
  };
}

/** What the selected stack says, see `config:` in Pulumi.yaml. Paths are relative to the project's root. */
export interface Settings {
  readonly stack: string;
  readonly root: string;
  readonly hypervisorFiles: readonly string[];
  readonly lxcFiles: readonly string[];
  readonly featureFolders: readonly string[];
  readonly connection: NodeConnection;
  /** Undefined: the provider plugin takes PROXMOX_VE_API_TOKEN from the environment, and no copy lies in the state. */
  readonly apiToken: pulumi.Output<string> | undefined;
  /** A secret of the stack, as `{"secret": "<name>"}` refers to it. */
  readonly secret: (name: string) => pulumi.Output<string>;
  readonly secretState: (name: string) => SecretState;
}

/** Reads the stack's settings. @throws pulumi.RunError in one line, naming the key and the command that mends it. */
export function readSettings(): Settings {
  const config = new pulumi.Config("phoenix");
  const root = import.meta.dirname;
  const stack = pulumi.getStack();
  // The stack's name becomes a directory on the node.
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(stack)) {
    throw new pulumi.RunError(
      `Stack name '${stack}': only letters, digits and _ . - are possible. Rename the stack.`,
    );
  }
  return {
    stack,
    root,
    hypervisorFiles: config.getObject<string[]>("hypervisorFiles") ?? [],
    lxcFiles: config.getObject<string[]>("lxcFiles") ?? [],
    featureFolders: config.getObject<string[]>("featureFolders") ?? [],
    connection: readConnection(config, root),
    apiToken: config.getSecret("apiToken"),
    secret: (name) => config.requireSecret(name),
    secretState: (name) => stateOfSecret(config, name),
  };
}

/** The engine tells a program which values were encrypted in this variable (sdk/nodejs/runtime/config.ts). */
function stateOfSecret(config: pulumi.Config, name: string): SecretState {
  if (config.get(name) === undefined) return "missing";
  const encrypted = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] || "[]") as string[];
  return encrypted.includes(`phoenix:${name}`) ? "encrypted" : "plain";
}

function readConnection(config: pulumi.Config, root: string): NodeConnection {
  const file = config.get("nodeFile");
  if (file) return readNodeFile(isAbsolute(file) ? file : join(root, file));
  const endpoint = required(config, "endpoint", "https://HOST:8006/");
  return {
    name: config.get("node") || "pve",
    endpoint,
    insecure: config.getBoolean("insecure") ?? false,
    ssh: {
      host: config.get("sshHost") || new URL(endpoint).hostname,
      port: config.getNumber("sshPort") ?? 22,
      user: config.get("sshUser") || "root",
      hostKey: required(config, "sshHostKey", "'ssh-ed25519 AAAA…'"),
    },
  };
}

function required(config: pulumi.Config, key: string, example: string): string {
  const value = config.get(key);
  if (value) return value;
  throw new pulumi.RunError(`phoenix:${key} is not set. Set it: pulumi config set phoenix:${key} ${example}`);
}

interface NodeFile {
  name: string;
  endpoint: string;
  ssh: { host: string; port: number; user: string; hostKey: string };
}

function readNodeFile(path: string): NodeConnection {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new pulumi.RunError(
      `${path} cannot be read: is the lab up? Start it with: bin/phoenix lab up (or bin/phoenix try)`,
    );
  }
  const { name, endpoint, ssh } = JSON.parse(text) as NodeFile;
  // A node file stands for a lab: its certificate is its own.
  return {
    name,
    endpoint,
    insecure: true,
    ssh: { host: ssh.host, port: ssh.port, user: ssh.user, hostKey: ssh.hostKey },
  };
}
