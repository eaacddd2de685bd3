import { call } from "./client.ts";
import { runTool, type Commands } from "./cli.ts";
import { UsageError } from "./getopt.ts";
import type { Command } from "./main.ts";
import { cell, records } from "./output.ts";

/** The lab runs no virtual machines: of `qm` only the list is there. */
const COMMANDS: Commands = {
  list: {
    class: "PVE::API2::Qemu",
    describes: "GET /nodes/{node}/qemu",
    run: async ({ node, print }) => {
      const machines = records(await call("GET", `/nodes/${node}/qemu`));
      if (machines.length === 0) return;
      const line = (cells: readonly string[]): void =>
        print(`${cells.map((text, i) => (i < 1 ? text.padStart(10) : text.padEnd(20))).join(" ")}\n`);
      line(["VMID", "NAME", "STATUS"]);
      for (const { vmid, name, status } of machines) line([vmid, name, status].map(cell));
    },
  },
};

/** `qm list` */
export function qm(command: Command): Promise<void> {
  const [verb] = command.args;
  if (verb !== undefined && verb !== "list" && verb !== "help")
    throw new UsageError("the lab runs no virtual machines: only 'qm list' answers");
  return runTool("qm", COMMANDS, command);
}
