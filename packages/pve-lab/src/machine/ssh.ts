import type { Lab } from "./lab.ts";
import { network, places, readMemory } from "./lab.ts";
import { Failure } from "./steps.ts";

/** Arguments of an `ssh` that trusts exactly this lab's host key and offers exactly this lab's own key. */
export function enter(lab: Lab, command: readonly string[]): string[] {
  const memory = readMemory(lab);
  if (memory === undefined) throw new Failure("this lab is not up", "lab up");
  const options = [
    "-F",
    "none",
    "-i",
    places.key(lab),
    "-o",
    "IdentitiesOnly=yes",
    "-o",
    "IdentityAgent=none",
    "-o",
    `UserKnownHostsFile="${places.knownHosts(lab)}"`,
    "-o",
    "GlobalKnownHostsFile=none",
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    "LogLevel=ERROR",
  ];
  return [
    ...options,
    `root@${network(memory.octet).node}`,
    ...(command.length > 0 ? ["--", ...command] : []),
  ];
}
