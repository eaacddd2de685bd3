import { call, finish } from "./client.ts";
import { runTool, type Commands } from "./cli.ts";
import type { Arguments } from "./getopt.ts";
import type { Command } from "./main.ts";
import { cell, records } from "./output.ts";

const CONFIG = "PVE::API2::Storage::Config";
const CONTENT = "PVE::API2::Storage::Content";
const content = "/nodes/{node}/storage/{storage}/content";

const COMMANDS: Commands = {
  add: {
    class: CONFIG,
    describes: "POST /storage",
    takes: ["type", "storage"],
    run: async (_command, { positional: [type = "", storage = ""], options }) => {
      await call("POST", "/storage", { ...options, type, storage });
    },
  },
  set: {
    class: CONFIG,
    describes: "PUT /storage/{storage}",
    takes: ["storage"],
    run: async (_command, { positional: [storage = ""], options }) => {
      await call("PUT", `/storage/${encodeURIComponent(storage)}`, options);
    },
  },
  remove: {
    class: CONFIG,
    describes: "DELETE /storage/{storage}",
    takes: ["storage"],
    run: async (_command, { positional: [storage = ""] }) => {
      await call("DELETE", `/storage/${encodeURIComponent(storage)}`);
    },
  },
  status: { class: "PVE::API2::Storage::Status", describes: "GET /nodes/{node}/storage", run: status },
  list: { class: CONTENT, describes: `GET ${content}`, takes: ["storage"], run: list },
  alloc: {
    class: CONTENT,
    describes: `POST ${content}`,
    takes: ["storage", "vmid", "filename", "size"],
    run: alloc,
  },
  free: { class: CONTENT, describes: `DELETE ${content}/{volume}`, takes: ["volume"], run: free },
  scan: {
    zfs: {
      class: "PVE::API2::Storage::Scan",
      describes: "GET /nodes/{node}/scan/zfs",
      run: async ({ node, print }) => {
        for (const { pool } of records(await call("GET", `/nodes/${node}/scan/zfs`)))
          print(`${cell(pool)}\n`);
      },
    },
  },
  zfsscan: { alias: "scan zfs" },
  path: {
    class: "PVE::CLI::pvesm",
    properties: { volume: { type: "string" } },
    takes: ["volume"],
    run: path,
  },
};

/** `pvesm COMMAND …` */
export function pvesm(command: Command): Promise<void> {
  return runTool("pvesm", COMMANDS, command);
}

const byName = (a: Record<string, unknown>, b: Record<string, unknown>): number =>
  cell(a["storage"]) < cell(b["storage"]) ? -1 : 1;

async function status({ node, print }: Command, { options }: Arguments): Promise<void> {
  const storages = records(await call("GET", `/nodes/${node}/storage`, options)).sort(byName);
  print(statusTable(storages));
}

/** `pvesm status`: kibibytes, cut off; a disabled storage has no percentage. */
export function statusTable(storages: readonly Record<string, unknown>[]): string {
  const width = Math.max(0, ...storages.map((storage) => cell(storage["storage"]).length)) + 1;
  const widths = [10, 10, 15, 15, 15, 8];
  const line = (name: string, ...cells: string[]): string =>
    `${[name.padEnd(width), ...cells.map((text, i) => text.padStart(widths[i] ?? 0))].join(" ")}\n`;
  const kibi = (value: unknown): string => String(Math.trunc(Number(value ?? 0) / 1024));
  const rows = storages.map((storage) => {
    const [total, used] = [Number(storage["total"] ?? 0), Number(storage["used"] ?? 0)];
    const state = !storage["enabled"] ? "disabled" : storage["active"] ? "active" : "inactive";
    const percent = state === "disabled" ? "N/A" : `${(total > 0 ? (used * 100) / total : 0).toFixed(2)}%`;
    const sizes = [total, used, storage["avail"]].map(kibi);
    return line(cell(storage["storage"]), cell(storage["type"]), state, ...sizes, percent);
  });
  return [line("Name", "Type", "Status", "Total", "Used", "Available", "%"), ...rows].join("");
}

async function list(
  { node, print }: Command,
  { positional: [storage = ""], options }: Arguments,
): Promise<void> {
  const path = `/nodes/${node}/storage/${encodeURIComponent(storage)}/content`;
  print(contentTable(records(await call("GET", path, options))));
}

/** `pvesm list`: what belongs to a guest first, then the files by their format. */
export function contentTable(volumes: readonly Record<string, unknown>[]): string {
  const width = (key: string, least: number): number =>
    Math.max(least, ...volumes.map((volume) => cell(volume[key]).length));
  const [name, size] = [width("volid", 0), width("size", 1)];
  const line = (volid: string, format: string, type: string, bytes: string, vmid?: string): string =>
    `${volid.padEnd(name)} ${format.padEnd(7)} ${type.padEnd(9)} ${bytes.padStart(size)}${vmid === undefined ? "" : ` ${vmid}`}\n`;
  const row = ({ volid, format, content: type, size: bytes, vmid }: Record<string, unknown>): string =>
    line(cell(volid), cell(format), cell(type), cell(bytes), vmid === undefined ? undefined : cell(vmid));
  const files = volumes
    .filter(({ vmid }) => vmid === undefined)
    .sort((a, b) => (cell(a["format"]) < cell(b["format"]) ? -1 : 1));
  const rows = [...volumes.filter(({ vmid }) => vmid !== undefined), ...files].map(row);
  return [line("Volid", "Format", "Type", "Size", "VMID"), ...rows].join("");
}

async function path({ print }: Command, { positional: [volid = ""] }: Arguments): Promise<void> {
  const { resolveVolumePath } = await import("../volumes/index.ts");
  print(`${await resolveVolumePath(volid)}\n`);
}

async function alloc(
  { node, print }: Command,
  { positional: [storage = "", vmid = "", filename = "", size = ""], options }: Arguments,
): Promise<void> {
  const values = { ...options, vmid, filename, size };
  const answer = await call("POST", `/nodes/${node}/storage/${encodeURIComponent(storage)}/content`, values);
  print(`successfully created '${cell(answer)}'\n`);
}

async function free({ node, print }: Command, { positional: [volid = ""] }: Arguments): Promise<void> {
  const storage = volid.split(":")[0] ?? "";
  const answer = await call(
    "DELETE",
    `/nodes/${node}/storage/${encodeURIComponent(storage)}/content/${encodeURIComponent(volid)}`,
  );
  // The task's own last line says what was removed.
  if (typeof answer === "string" && answer.startsWith("UPID:"))
    await finish(node, answer, (line) => print(`${line}\n`));
  else print(`Removed volume '${volid}'\n`);
}
