import { encodeText, drop } from "../guests/config-file.ts";
import { parseArguments, UsageError, type Arguments } from "./arguments.ts";
import { call, finish } from "./client.ts";
import type { Command } from "./main.ts";
import { cell, records } from "./output.ts";

/** Options of `pct` that are booleans, so that their value may be left out. */
const FLAGS = new Set([
  ...[
    "console",
    "onboot",
    "protection",
    "template",
    "unprivileged",
    "debug",
    "start",
    "force",
    "purge",
    "full",
  ],
  ...[
    "restore",
    "unique",
    "ha-managed",
    "ignore-unpack-errors",
    "forceStop",
    "skiplock",
    "overrule-shutdown",
  ],
  ...["destroy-unreferenced-disks", "delete-source", "current", "verbose", "online", "restart", "dryrun"],
]);

interface Verb {
  readonly method: string;
  /** Path below /nodes/{node}/lxc; `{x}` takes the positional parameter x. */
  readonly path: string;
  /** Names of the positional parameters, in order; those with `?` may be missing. */
  readonly takes: readonly string[];
}

const VERBS: Readonly<Record<string, Verb>> = {
  create: { method: "POST", path: "", takes: ["vmid", "ostemplate"] },
  restore: { method: "POST", path: "", takes: ["vmid", "ostemplate"] },
  destroy: { method: "DELETE", path: "/{vmid}", takes: ["vmid"] },
  set: { method: "PUT", path: "/{vmid}/config", takes: ["vmid"] },
  resize: { method: "PUT", path: "/{vmid}/resize", takes: ["vmid", "disk", "size"] },
  start: { method: "POST", path: "/{vmid}/status/start", takes: ["vmid"] },
  stop: { method: "POST", path: "/{vmid}/status/stop", takes: ["vmid"] },
  shutdown: { method: "POST", path: "/{vmid}/status/shutdown", takes: ["vmid"] },
  reboot: { method: "POST", path: "/{vmid}/status/reboot", takes: ["vmid"] },
  suspend: { method: "POST", path: "/{vmid}/status/suspend", takes: ["vmid"] },
  resume: { method: "POST", path: "/{vmid}/status/resume", takes: ["vmid"] },
  clone: { method: "POST", path: "/{vmid}/clone", takes: ["vmid", "newid"] },
  migrate: { method: "POST", path: "/{vmid}/migrate", takes: ["vmid", "target"] },
  "move-volume": {
    method: "POST",
    path: "/{vmid}/move_volume",
    takes: ["vmid", "volume", "storage?", "target-vmid?", "target-volume?"],
  },
  snapshot: { method: "POST", path: "/{vmid}/snapshot", takes: ["vmid", "snapname"] },
  delsnapshot: { method: "DELETE", path: "/{vmid}/snapshot/{snapname}", takes: ["vmid", "snapname"] },
  rollback: { method: "POST", path: "/{vmid}/snapshot/{snapname}/rollback", takes: ["vmid", "snapname"] },
};

/** `pct VERB …` */
export async function pct(command: Command): Promise<void> {
  const [given = "help", ...rest] = command.args;
  const verb = given === "move_volume" ? "move-volume" : given;
  // `delete` is a boolean for move-volume and a list for set.
  const flags = verb === "move-volume" ? new Set([...FLAGS, "delete"]) : FLAGS;
  const args = parseArguments(rest, flags);
  const known = VERBS[verb];
  if (known) return perform(command, known, args);
  switch (verb) {
    case "list":
      return list(command);
    case "config":
      return config(command, args);
    case "status":
      return status(command, args);
    case "pending":
      return pending(command, args);
    case "listsnapshot":
      return listSnapshots(command, args);
    case "template":
      return template(command, args);
    case "unlock":
      return (await import("./pct-local.ts")).unlock(vmidOf(args));
    case "push":
    case "pull":
    case "mount":
    case "unmount":
    case "console":
    case "fstrim":
    case "df":
    case "rescan":
    case "internal-startall":
    case "internal-stopall":
      return (await import("./pct-local.ts")).local(command, verb, args);
    case "help":
    case "--help": {
      command.print(
        `USAGE: pct <COMMAND> [ARGS] [OPTIONS]\n${[...Object.keys(VERBS), ...OTHERS]
          .sort()
          .map((name) => `       pct ${name}\n`)
          .join("")}`,
      );
      return;
    }
    default:
      throw new UsageError(`ERROR: unknown command 'pct ${verb}'\nUSAGE: pct <COMMAND> [ARGS] [OPTIONS]`);
  }
}

const OTHERS = [
  "list",
  "config",
  "status",
  "pending",
  "listsnapshot",
  "template",
  "unlock",
  "push",
  "pull",
  "mount",
  "unmount",
  "exec",
  "enter",
];

export function vmidOf({ positional }: Arguments): string {
  const [vmid = ""] = positional;
  if (!/^[1-9]\d{2,8}$/.test(vmid))
    throw new UsageError(
      vmid === ""
        ? "400 not enough arguments"
        : `400 Parameter verification failed.\nvmid: invalid format - value does not look like a valid VM ID`,
    );
  return vmid;
}

function guestPath(node: string, vmid: string, rest = ""): string {
  return `/nodes/${node}/lxc/${vmid}${rest}`;
}

async function perform(
  { node, print }: Command,
  { method, path, takes }: Verb,
  args: Arguments,
): Promise<void> {
  const values: Record<string, readonly string[]> = { ...args.options };
  for (const [index, name] of takes.entries()) {
    const value = args.positional[index];
    if (value !== undefined) values[name.replace("?", "")] = [value];
    else if (!name.endsWith("?") && values[name] === undefined)
      throw new UsageError("400 not enough arguments");
  }
  if (args.positional.length > takes.length) throw new UsageError("400 too many arguments");
  vmidOf(args);
  await readKeyFile(values);
  let full = `/nodes/${node}/lxc${path}`;
  for (const name of takes) {
    if (!full.includes(`{${name}}`)) continue;
    full = full.replace(`{${name}}`, encodeURIComponent(values[name]?.[0] ?? ""));
    drop(values, name);
  }
  const answer = await call(method, full, values);
  if (typeof answer === "string" && answer.startsWith("UPID:"))
    await finish(node, answer, (line) => print(`${line}\n`));
}

/** On the command line the keys are named by a file. */
async function readKeyFile(values: Record<string, readonly string[]>): Promise<void> {
  const file = values["ssh-public-keys"]?.[0];
  if (file === undefined) return;
  const { readFile } = await import("node:fs/promises");
  values["ssh-public-keys"] = [await readFile(file, "utf8")];
}

async function list({ node, print }: Command): Promise<void> {
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

async function config({ node, print }: Command, args: Arguments): Promise<void> {
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

async function status({ node, print }: Command, args: Arguments): Promise<void> {
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

async function pending({ node, print }: Command, args: Arguments): Promise<void> {
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

async function listSnapshots({ node, print }: Command, args: Arguments): Promise<void> {
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

/** The API names no task for this; the command waits until the work is done. */
async function template(command: Command, args: Arguments): Promise<void> {
  const vmid = vmidOf(args);
  const { node, print } = command;
  const since = String(Math.floor(Date.now() / 1000) - 1);
  await call("POST", guestPath(node, vmid, "/template"));
  const tasks = records(
    await call("GET", `/nodes/${node}/tasks`, { vmid, typefilter: "vztemplate", source: "all", since }),
  );
  for (const task of tasks.slice(0, 1)) await finish(node, cell(task["upid"]), (line) => print(`${line}\n`));
}
