import { existsSync, readFileSync } from "node:fs";
import { initPid } from "./container.ts";
import type { Lab } from "./lab.ts";
import { places, readMemory } from "./lab.ts";
import type { NodeFacts } from "./node-facts.ts";

export interface Status {
  readonly lab: Lab;
  readonly facts: NodeFacts | undefined;
}

export async function status(lab: Lab): Promise<Status> {
  const memory = readMemory(lab);
  if (memory === undefined || !existsSync(places.nodeFacts(lab))) return { lab, facts: undefined };
  const facts = JSON.parse(readFileSync(places.nodeFacts(lab), "utf8")) as NodeFacts;
  const running = (await initPid(lab)) !== undefined;
  return { lab, facts: { ...facts, state: running ? "running" : "stopped" } };
}

export function printStatus(found: Status, json: boolean): void {
  const { lab, facts } = found;
  const out = process.stdout;
  if (json) {
    out.write(`${JSON.stringify(facts ?? { name: "pve", state: "absent" }, undefined, 2)}\n`);
    return;
  }
  if (facts === undefined) {
    out.write(`no lab here (${lab.state}); start one with: lab up\n`);
    return;
  }
  out.write(
    [
      `lab ${lab.id} is ${facts.state}${facts.state === "stopped" ? "; `lab up` starts it again" : ""}`,
      `  API    ${facts.endpoint}  also ${facts.local.endpoint}`,
      `  login  ${facts.login.user}  password and API token: ${places.nodeFacts(lab)}`,
      `  SSH    root@${facts.ssh.host}  also 127.0.0.1:${facts.local.sshPort}  key ${facts.ssh.keyFile}`,
      `  state  ${lab.state}`,
      "",
    ].join("\n"),
  );
}
