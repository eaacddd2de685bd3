import path from "node:path";
import { inNode, initPid, rootOf } from "./container.ts";
import { raiseNetwork, uplinkMtu } from "./host-network.ts";
import type { Lab, Memory } from "./lab.ts";
import { network, readMemory, writeMemory, writeWhole } from "./lab.ts";
import { CommandFailed } from "./run.ts";
import { Failure, note } from "./steps.ts";
import { parseNetwork } from "./subnet.ts";

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new Failure(`"${text}" is no port`, "lab publish 80 10.0.0.110:80");
  if (port === 22 || port === 8006)
    throw new Failure(`port ${port} is the node's own`, "choose another port");
  return port;
}

/** Makes a guest's port reachable on the node's own address and, the latest one, on 127.0.0.1. Idempotent. */
export async function publish(lab: Lab, portText: string, target: string): Promise<void> {
  const memory = readMemory(lab);
  const pid = await initPid(lab);
  if (memory === undefined || pid === undefined) throw new Failure("this lab is not running", "lab up");
  const port = parsePort(portText);
  const match = /^([0-9.]+):(\d+)$/.exec(target);
  if (match === null || parseNetwork(match[1] ?? "") === undefined) {
    throw new Failure(`"${target}" is no ADDRESS:PORT`, "lab publish 80 10.0.0.110:80");
  }
  const targetPort = Number(match[2]);
  const entry = { port, address: match[1] ?? "", targetPort };
  const published = [...memory.published.filter((other) => other.port !== port), entry];
  const changed: Memory = { ...memory, published };
  writeMemory(lab, changed);
  const list = published.map((item) => `${item.port} ${item.address} ${item.targetPort}\n`).join("");
  writeWhole(path.join(rootOf(pid), "etc/pve-lab/published"), list);
  const result = await inNode(lab, ["/usr/lib/pve-lab/publish-ports"]);
  if (result.code !== 0) throw new CommandFailed("publish-ports", result);
  await raiseNetwork(lab, changed, await uplinkMtu());
  note(
    `http://${network(memory.octet).node}:${port}/ and http://127.0.0.1:${memory.port + 2}/ lead to ${target}`,
  );
}
