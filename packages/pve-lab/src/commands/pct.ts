import { drop } from "../guests/config-file.ts";
import { call, finish } from "./client.ts";
import { runTool, type Commands, type Entry } from "./cli.ts";
import type { Arguments, Properties } from "./getopt.ts";
import type { Command } from "./main.ts";
import { cell, records } from "./output.ts";
import { guestPath } from "./pct-common.ts";
import { config, list, listSnapshots, pending, status } from "./pct-print.ts";

const LXC = "PVE::API2::LXC";
const STATUS = `${LXC}::Status`;
const SNAPSHOT = `${LXC}::Snapshot`;

/** A command that is one request; what it starts is waited for. */
function request(group: string, describes: string, takes: readonly string[], fixed: Properties = {}): Entry {
  return {
    class: group,
    describes,
    takes,
    fixed: Object.keys(fixed),
    run: async ({ node, print }, { positional, options }) => {
      const values: Record<string, readonly string[]> = { ...options };
      for (const name of Object.keys(fixed)) values[name] = ["1"];
      positional.forEach((value, index) => (values[takes[index] ?? ""] = [value]));
      await readKeyFile(values);
      const [method = "", template = ""] = describes.split(" ");
      let path = template.replace("{node}", node);
      for (const name of takes) {
        if (!path.includes(`{${name}}`)) continue;
        path = path.replace(`{${name}}`, encodeURIComponent(values[name]?.[0] ?? ""));
        drop(values, name);
      }
      const answer = await call(method, path, values);
      if (typeof answer === "string" && answer.startsWith("UPID:"))
        await finish(node, answer, (line) => print(`${line}\n`));
    },
  };
}

/** On the command line the keys are named by a file. */
async function readKeyFile(values: Record<string, readonly string[]>): Promise<void> {
  const file = values["ssh-public-keys"]?.[0];
  if (file === undefined) return;
  const { readFile } = await import("node:fs/promises");
  values["ssh-public-keys"] = [await readFile(file, "utf8")];
}

/** The API names no task for this; the command waits until the work is done. */
async function template({ node, print }: Command, { positional: [vmid = ""] }: Arguments): Promise<void> {
  const since = String(Math.floor(Date.now() / 1000) - 1);
  await call("POST", guestPath(node, vmid, "/template"));
  const tasks = records(
    await call("GET", `/nodes/${node}/tasks`, { vmid, typefilter: "vztemplate", source: "all", since }),
  );
  for (const task of tasks.slice(0, 1)) await finish(node, cell(task["upid"]), (line) => print(`${line}\n`));
}

const VMID: Properties = { vmid: { type: "integer" } };
const text = { type: "string" };
const optional = { type: "string", optional: 1 };
const flag = { type: "boolean", optional: 1 };

/** A command that `pct` carries out itself. */
function own(verb: string, takes: readonly string[] = ["vmid"], more: Properties = {}): Entry {
  return {
    class: "PVE::CLI::pct",
    properties: { ...(takes.includes("vmid") ? VMID : {}), ...more },
    takes,
    run: async (command, args) => (await import("./pct-local.ts")).local(command, verb, args),
  };
}

const guest = "/nodes/{node}/lxc/{vmid}";
const power = (action: string): Entry => request(STATUS, `POST ${guest}/status/${action}`, ["vmid"]);
const printed = (describes: string, group: string, run: Entry["run"]): Entry => ({
  class: group,
  describes,
  takes: ["vmid"],
  run,
});
const files = { user: optional, group: optional, perms: optional };

const COMMANDS: Commands = {
  list: { class: LXC, describes: "GET /nodes/{node}/lxc", run: list },
  config: printed(`GET ${guest}/config`, `${LXC}::Config`, config),
  pending: printed(`GET ${guest}/pending`, LXC, pending),
  set: request(`${LXC}::Config`, `PUT ${guest}/config`, ["vmid"]),
  resize: request(LXC, `PUT ${guest}/resize`, ["vmid", "disk", "size"]),
  create: request(LXC, "POST /nodes/{node}/lxc", ["vmid", "ostemplate"]),
  restore: request(LXC, "POST /nodes/{node}/lxc", ["vmid", "ostemplate"], { restore: {} }),
  destroy: request(LXC, `DELETE ${guest}`, ["vmid"]),
  start: power("start"),
  stop: power("stop"),
  shutdown: power("shutdown"),
  reboot: power("reboot"),
  suspend: power("suspend"),
  resume: power("resume"),
  clone: request(LXC, `POST ${guest}/clone`, ["vmid", "newid"]),
  "move-volume": request(LXC, `POST ${guest}/move_volume`, [
    "vmid",
    "volume",
    "storage",
    "target-vmid",
    "target-volume",
  ]),
  move_volume: { alias: "move-volume" },
  snapshot: request(SNAPSHOT, `POST ${guest}/snapshot`, ["vmid", "snapname"]),
  delsnapshot: request(SNAPSHOT, `DELETE ${guest}/snapshot/{snapname}`, ["vmid", "snapname"]),
  rollback: request(SNAPSHOT, `POST ${guest}/snapshot/{snapname}/rollback`, ["vmid", "snapname"]),
  listsnapshot: printed(`GET ${guest}/snapshot`, SNAPSHOT, listSnapshots),
  template: printed(`POST ${guest}/template`, LXC, template),
  status: { class: "PVE::CLI::pct", properties: { ...VMID, verbose: flag }, takes: ["vmid"], run: status },
  // Named, so that nobody takes them for misspelt; the lab is one node.
  migrate: own("migrate", ["vmid", "target"], {
    target: text,
    online: flag,
    restart: flag,
    timeout: optional,
  }),
  unlock: own("unlock"),
  console: own("console", ["vmid"], { escape: optional }),
  // These two are answered by the shell in front of this program, and named here for the usage texts.
  enter: own("enter", ["vmid"], { "keep-env": flag }),
  exec: own("exec", ["vmid", "extra-args"], {
    "keep-env": flag,
    "extra-args": { type: "array", optional: 1 },
  }),
  fsck: own("fsck", ["vmid"], { device: optional, force: flag }),
  mount: own("mount"),
  unmount: own("unmount"),
  push: own("push", ["vmid", "file", "destination"], { file: text, destination: text, ...files }),
  pull: own("pull", ["vmid", "path", "destination"], { path: text, destination: text, ...files }),
  df: own("df"),
  rescan: own("rescan", [], { vmid: { type: "integer", optional: 1 }, dryrun: flag }),
  cpusets: own("cpusets", []),
  fstrim: own("fstrim", ["vmid"], { "ignore-mountpoints": flag }),
};

/** What the node's own units call: no commands of Proxmox VE's, and not shown. */
const INTERNAL = new Set(["internal-startall", "internal-stopall"]);

/** `pct COMMAND …` */
export async function pct(command: Command): Promise<void> {
  const [verb = ""] = command.args;
  if (INTERNAL.has(verb))
    return (await import("./pct-local.ts")).local(command, verb, { positional: [], options: {} });
  return runTool("pct", COMMANDS, command);
}
