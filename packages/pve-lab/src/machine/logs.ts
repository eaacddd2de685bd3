import { handOver } from "./run.ts";
import type { Lab } from "./lab.ts";
import { enter } from "./ssh.ts";

/** The API's own log, or one JSON line per request. */
export function printLogs(lab: Lab, requests: boolean, follow: boolean): Promise<number> {
  const command = requests
    ? ["tail", "-n", "+1", ...(follow ? ["-F"] : []), "/var/log/pve-lab/requests.jsonl"]
    : ["journalctl", "-u", "pve-lab", "--no-pager", "-o", "short-iso", ...(follow ? ["-f"] : [])];
  return handOver("ssh", enter(lab, command));
}
