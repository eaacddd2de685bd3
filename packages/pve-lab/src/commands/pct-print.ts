import { encodeText } from "../guests/config-file.ts";
import { call } from "./client.ts";
import type { Arguments } from "./getopt.ts";
import type { Command } from "./main.ts";
import { cell, records } from "./output.ts";
import { guestPath, vmidOf } from "./pct-common.ts";

export async function list({ node, print }: Command): Promise<void> {
  const guests = records(await call("GET", `/nodes/${node}/lxc`));
  if (guests.length === 0) return;
  const line = (...cells: string[]) =>
    print(`${[10, 10, 12, 20].map((width, i) => (cells[i] ?? "").padEnd(width)).join(" ")}\n`);
  line("VMID", "Status", "Lock", "Name");
  for (const { vmid, status: state, lock, name } of guests.sort(
    (a, b) => Number(a["vmid"]) - Number(b["vmid"]),
  ))
    line(cell(vmid), cell(state), cell(lock), cell(name));
}

export async function config({ node, print }: Command, args: Arguments): Promise<void> {
  const answer = (await call("GET", guestPath(node, vmidOf(args), "/config"), args.options)) as Record<
    string,
    unknown
  >;
  for (const key of Object.keys(answer).sort()) {
    if (key === "digest" || key === "lxc") continue;
    print(`${key}: ${key === "description" ? encodeText(cell(answer[key])) : cell(answer[key])}\n`);
  }
  for (const [key, value] of (answer["lxc"] ?? []) as [string, string][]) print(`${key}: ${value}\n`);
}

export async function status({ node, print }: Command, args: Arguments): Promise<void> {
  const answer = (await call("GET", guestPath(node, vmidOf(args), "/status/current"))) as Record<
    string,
    unknown
  >;
  if (args.options["verbose"] === undefined) {
    print(`status: ${cell(answer["status"])}\n`);
    return;
  }
  for (const key of Object.keys(answer).sort())
    if (key !== "cpu" && key !== "ha") print(`${key}: ${cell(answer[key])}\n`);
}

export async function pending({ node, print }: Command, args: Arguments): Promise<void> {
  for (const { key, value, pending: waiting, delete: gone } of records(
    await call("GET", guestPath(node, vmidOf(args), "/pending")),
  )) {
    const text = (of: unknown) => (key === "description" ? encodeText(cell(of)) : cell(of));
    if (waiting !== undefined) {
      if (value !== undefined) print(`cur ${cell(key)}: ${text(value)}\n`);
      print(`new ${cell(key)}: ${text(waiting)}\n`);
    } else print(`${gone === undefined ? "cur" : "del"} ${cell(key)}: ${text(value)}\n`);
  }
}

export async function listSnapshots({ node, print }: Command, args: Arguments): Promise<void> {
  const snapshots = records(await call("GET", guestPath(node, vmidOf(args), "/snapshot")));
  const show = (parent: unknown, depth: number): void => {
    for (const entry of snapshots.filter((one) => (one["parent"] ?? "") === (parent ?? ""))) {
      const name = cell(entry["name"]);
      const time = Number(entry["snaptime"] ?? 0);
      const when = time > 0 ? new Date(time * 1000).toISOString().slice(0, 19).replace("T", " ") : "";
      const words = cell(entry["description"]).split("\n")[0] ?? "";
      print(
        `${" ".repeat(depth * 2)}\`-> ${name.padEnd(27 - depth * 2)} ${when.padEnd(23)} ${words || "no-description"}\n`,
      );
      show(name, depth + 1);
    }
  };
  show(undefined, 0);
}
