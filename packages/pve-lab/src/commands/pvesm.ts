import { parseArguments, UsageError, type Arguments } from "./arguments.ts";
import { call, finish } from "./client.ts";
import type { Command } from "./main.ts";
import { cell, records, table } from "./output.ts";

const FLAGS = new Set([
  "disable",
  "sparse",
  "shared",
  "mkdir",
  "create-base-path",
  "create-subdirs",
  "enabled",
  "raw-options",
]);

/** `pvesm status|list|path|alloc|free|add|set|remove` */
export async function pvesm(command: Command): Promise<void> {
  const [verb = "", ...rest] = command.args;
  const args = parseArguments(rest, FLAGS);
  switch (verb) {
    case "status":
      return status(command, args);
    case "list":
      return list(command, args);
    case "path":
      return path(command, args);
    case "alloc":
      return alloc(command, args);
    case "free":
      return free(command, args);
    case "add":
      return add(args);
    case "set":
      await call("PUT", `/storage/${first(args)}`, args.options);
      return;
    case "remove":
      await call("DELETE", `/storage/${first(args)}`);
      return;
    default:
      throw new UsageError(`ERROR: unknown command 'pvesm ${verb}'\nUSAGE: pvesm <COMMAND> [ARGS] [OPTIONS]`);
  }
}

function first({ positional }: Arguments): string {
  const [value] = positional;
  if (value === undefined) throw new UsageError("400 not enough arguments");
  return encodeURIComponent(value);
}

async function status({ node, print }: Command, { options }: Arguments): Promise<void> {
  const storages = records(await call("GET", `/nodes/${node}/storage`, options));
  const kibi = (value: unknown) => String(Math.floor(Number(value ?? 0) / 1024));
  const rows = storages
    .sort((a, b) => (cell(a["storage"]) < cell(b["storage"]) ? -1 : 1))
    .map((storage) => {
      const [total, used] = [Number(storage["total"] ?? 0), Number(storage["used"] ?? 0)];
      const percent = total > 0 ? ((used / total) * 100).toFixed(2) : "0.00";
      const state = storage["active"] === 1 ? "active" : storage["enabled"] === 0 ? "disabled" : "inactive";
      return [
        cell(storage["storage"]),
        cell(storage["type"]),
        state,
        kibi(total),
        kibi(used),
        kibi(storage["avail"]),
        `${percent}%`,
      ];
    });
  print(table(["Name", "Type", "Status", "Total", "Used", "Available", "%"], rows));
}

async function list({ node, print }: Command, args: Arguments): Promise<void> {
  const volumes = records(await call("GET", `/nodes/${node}/storage/${first(args)}/content`, args.options));
  const rows = volumes.map(({ volid, format, content, size, vmid }) =>
    [volid, format, content, size, vmid].map(cell),
  );
  print(table(["Volid", "Format", "Type", "Size", "VMID"], rows));
}

async function path({ print }: Command, { positional }: Arguments): Promise<void> {
  const { resolveVolumePath } = await import("../volumes/index.ts");
  const [volid] = positional;
  if (volid === undefined) throw new UsageError("400 not enough arguments");
  print(`${await resolveVolumePath(volid)}\n`);
}

async function alloc({ node, print }: Command, { positional, options }: Arguments): Promise<void> {
  const [storage, vmid, filename, size] = positional;
  if (storage === undefined || vmid === undefined || filename === undefined || size === undefined)
    throw new UsageError("400 not enough arguments");
  const answer = await call("POST", `/nodes/${node}/storage/${storage}/content`, {
    ...options,
    vmid,
    filename,
    size,
  });
  print(`successfully created '${cell(answer)}'\n`);
}

async function free({ node, print }: Command, { positional }: Arguments): Promise<void> {
  const [volid] = positional;
  if (volid === undefined) throw new UsageError("400 not enough arguments");
  const storage = volid.split(":")[0] ?? "";
  const answer = await call(
    "DELETE",
    `/nodes/${node}/storage/${storage}/content/${encodeURIComponent(volid)}`,
  );
  // The task's own last line says what was removed.
  if (typeof answer === "string" && answer.startsWith("UPID:"))
    await finish(node, answer, (line) => print(`${line}\n`));
  else print(`Removed volume '${volid}'\n`);
}

async function add({ positional, options }: Arguments): Promise<void> {
  const [type, storage] = positional;
  if (type === undefined || storage === undefined) throw new UsageError("400 not enough arguments");
  await call("POST", "/storage", { ...options, type, storage });
}
