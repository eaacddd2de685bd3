import { Command } from "commander";
import { join } from "node:path";
import { stopAgent } from "../lib/agent.ts";
import { root } from "../lib/checkout.ts";
import { inherit } from "../lib/process.ts";

export const verb = () =>
  new Command("lab")
    .description("the lab node: up, down, status, ssh, logs, reset, publish, preflight")
    .allowUnknownOption()
    .helpOption(false)
    .argument("[arguments...]")
    .action(async (args: string[]) => {
      process.exitCode = await inherit("node", [join(root, "packages/pve-lab/src/main.ts"), ...args], {
        env: { ...process.env, PHOENIX_LAB_STATE: process.env["PHOENIX_LAB_STATE"] ?? join(root, ".phoenix/lab") },
      });
      // The agent holds the key of a lab that is gone.
      if (args[0] === "down") await stopAgent();
    });
