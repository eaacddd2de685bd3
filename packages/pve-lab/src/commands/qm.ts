import { UsageError } from "./arguments.ts";
import { call } from "./client.ts";
import type { Command } from "./main.ts";
import { cell, records } from "./output.ts";

/** `qm list`: the lab runs no virtual machines. */
export async function qm({ node, args, print }: Command): Promise<void> {
  if (args[0] !== "list") throw new UsageError("the lab runs no virtual machines: only 'qm list' answers");
  const machines = records(await call("GET", `/nodes/${node}/qemu`));
  if (machines.length === 0) return;
  const line = (cells: readonly string[]) =>
    print(`${cells.map((text, i) => (i < 1 ? text.padStart(10) : text.padEnd(20))).join(" ")}\n`);
  line(["VMID", "NAME", "STATUS"]);
  for (const { vmid, name, status } of machines) line([vmid, name, status].map(cell));
}
