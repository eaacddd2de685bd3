import { call } from "./client.ts";
import { shownKernel } from "../hardware/state.ts";
import type { Command } from "./main.ts";
import { cell } from "./output.ts";

/** `pveversion`, with `-v` one line per package that the lab stands for. */
export async function pveversion({ args, print }: Command): Promise<void> {
  const { version, repoid } = (await call("GET", "/version")) as Record<string, unknown>;
  const kernel = shownKernel().release;
  if (!args.some((argument) => /^--?v(?:erbose)?$/.test(argument))) {
    print(`pve-manager/${cell(version)}/${cell(repoid)} (running kernel: ${kernel})\n`);
    return;
  }
  print(`proxmox-ve: not installed (the lab stands in for it) (running kernel: ${kernel})\n`);
  print(`pve-manager: ${cell(version)} (running version: ${cell(version)}/${cell(repoid)})\n`);
}
