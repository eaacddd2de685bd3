import { parseArguments, UsageError } from "./arguments.ts";
import { call, finish } from "./client.ts";
import type { Command } from "./main.ts";
import { cell, records } from "./output.ts";

/** `pveam available|update`, `pveam list STORAGE`, `pveam download STORAGE TEMPLATE`, `pveam remove VOLUME`. */
export async function pveam({ node, args, print }: Command): Promise<void> {
  const [verb = "", ...rest] = args;
  const { positional } = parseArguments(rest, new Set());
  const [what, template] = positional;
  // The index is what the lab was built with: nothing is to be brought.
  if (verb === "update") {
    print("update successful\n");
    return;
  }
  if (verb === "available") {
    for (const { section, template: name } of records(await call("GET", `/nodes/${node}/aplinfo`)))
      print(`${cell(section).padEnd(15)} ${cell(name)}\n`);
    return;
  }
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
  else if (verb === "download") {
    if (template === undefined) throw new UsageError("400 not enough arguments");
    const upid = await call("POST", `/nodes/${node}/aplinfo`, { storage: what, template });
    await finish(node, cell(upid), (line) => print(`${line}\n`));
  } else throw new UsageError(`ERROR: unknown command 'pveam ${verb}'`);
}
