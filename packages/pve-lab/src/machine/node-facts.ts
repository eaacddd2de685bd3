import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Lab, Memory } from "./lab.ts";
import { network, places, writeWhole } from "./lab.ts";
import { hostKey } from "./secrets.ts";

/** What a client needs to know to reach the node: `node.json`, `lab status --json`. */
export interface NodeFacts {
  readonly name: "pve";
  readonly endpoint: string;
  /** SHA-256 of the API's certificate; empty until the API answers. */
  readonly fingerprint: string;
  readonly ssh: {
    readonly host: string;
    readonly port: number;
    readonly user: "root";
    readonly hostKey: string;
    readonly keyFile: string;
  };
  readonly login: { readonly user: "root@pam"; readonly password: string };
  readonly apiToken: string;
  readonly address: string;
  /** The same doors on this machine's loopback. */
  readonly local: { readonly endpoint: string; readonly sshPort: number; readonly webPort: number };
  readonly state: "running" | "stopped";
}

/** The fingerprint of whatever answers TLS there; undefined if nothing does. */
export function fingerprintOf(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    // The certificate is what we want to learn here, so there is nothing to check it against yet.
    const socket = connectTls({ host, port, rejectUnauthorized: false, timeout: 2000 }, () => {
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      resolve(fingerprint256);
    });
    const fail = (): void => {
      socket.destroy();
      resolve(undefined);
    };
    socket.on("error", fail);
    socket.on("timeout", fail);
  });
}

/** Whether an SSH server greets there. */
export function greetsSsh(host: string, port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const end = (answer: true | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("data", (data) => end(data.toString("latin1").startsWith("SSH-") ? true : undefined));
    socket.on("error", () => end(undefined));
    socket.on("timeout", () => end(undefined));
    socket.on("close", () => end(undefined));
  });
}

export function nodeFacts(
  lab: Lab,
  memory: Memory,
  fingerprint: string,
  state: "running" | "stopped",
): NodeFacts {
  const { node } = network(memory.octet);
  return {
    name: "pve",
    endpoint: `https://${node}:8006/`,
    fingerprint,
    ssh: { host: node, port: 22, user: "root", hostKey: hostKey(lab), keyFile: places.key(lab) },
    login: { user: "root@pam", password: memory.password },
    apiToken: `phoenix@pve!lab=${memory.tokenSecret}`,
    address: node,
    local: {
      endpoint: `https://127.0.0.1:${memory.port}/`,
      sshPort: memory.port + 1,
      webPort: memory.port + 2,
    },
    state,
  };
}

export function writeFacts(lab: Lab, facts: NodeFacts): void {
  writeWhole(places.nodeFacts(lab), `${JSON.stringify(facts, undefined, 2)}\n`, 0o600);
}
