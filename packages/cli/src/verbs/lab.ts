import { rmSync } from "node:fs";
import { stopAgent } from "../lib/agent.ts";
import { places } from "../lib/checkout.ts";
import { labEntry } from "../lib/lab.ts";
import { inherit } from "../lib/process.ts";

/** The lab's own verbs: up, down, status, ssh, logs, reset, publish, preflight. */
export async function passThrough(args: readonly string[]): Promise<void> {
  const code = await inherit("node", [labEntry, ...args]);
  process.exitCode = code;
  if (code !== 0 || (args[0] !== "down" && args[0] !== "reset")) return;
  // The agent holds the key of a lab that is gone, and the state describes a node that is blank now.
  if (args[0] === "down") await stopAgent();
  rmSync(places.backend, { recursive: true, force: true });
}
