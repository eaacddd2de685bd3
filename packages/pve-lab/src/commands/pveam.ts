import { parseArguments, UsageError } from "./arguments.ts";
import { call } from "./client.ts";
import type { Command } from "./main.ts";
import { cell, records } from "./output.ts";

/** `pveam list STORAGE`, `pveam remove VOLUME`; the lab has no index of appliances. */
export async function pveam({ node, args, print }: Command): Promise<void> {
  const [verb = "", ...rest] = args;
  const { positional } = parseArguments(rest, new Set());
  const [what] = positional;
  if (verb === "update") throw new Error("update failed - the lab has no index of appliances");
  if (verb === "available") return;
  if (what === undefined) throw new UsageError("400 not enough arguments");
  if (verb === "list") {
    const volumes = records(
      await call("GET", `/nodes/${node}/storage/${what}/content`, { content: "vztmpl" }),
    );
    print(`${"NAME".padEnd(60)} SIZE\n`);
    for (const { volid, size } of volumes)
      print(`${cell(volid).padEnd(60)} ${(Number(size ?? 0) / 1024 / 1024).toFixed(2)}MB\n`);
  } else if (verb === "remove")
    await call(
      "DELETE",
      `/nodes/${node}/storage/${what.split(":")[0] ?? ""}/content/${encodeURIComponent(what)}`,
    );
  else if (verb === "download") throw new Error(`no such template: '${positional[1] ?? ""}'`);
  else throw new UsageError(`ERROR: unknown command 'pveam ${verb}'`);
}
