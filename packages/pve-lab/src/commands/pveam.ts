import { call, finish } from "./client.ts";
import { runTool, type Commands } from "./cli.ts";
import type { Command } from "./main.ts";
import { cell, records } from "./output.ts";

const OWN = "PVE::CLI::pveam";
const text = { type: "string" };

/** The index of templates is what the lab was built with: nothing is to be brought. */
const COMMANDS: Commands = {
  update: {
    class: OWN,
    run: ({ print }) => {
      print("update successful\n");
      return Promise.resolve();
    },
  },
  available: {
    class: OWN,
    properties: { section: { ...text, optional: 1, enum: ["system", "mail", "turnkeylinux"] } },
    run: async ({ node, print }, { options }) => {
      const wanted = options["section"]?.at(-1);
      for (const { section, template } of records(await call("GET", `/nodes/${node}/aplinfo`)))
        if (wanted === undefined || wanted === section)
          print(`${cell(section).padEnd(15)} ${cell(template)}\n`);
    },
  },
  download: {
    class: "PVE::API2::Nodes::Nodeinfo",
    describes: "POST /nodes/{node}/aplinfo",
    takes: ["storage", "template"],
    run: async ({ node, print }, { positional: [storage = "", template = ""] }) => {
      const upid = await call("POST", `/nodes/${node}/aplinfo`, { storage, template });
      await finish(node, cell(upid), (line) => print(`${line}\n`));
    },
  },
  list: {
    class: OWN,
    properties: { storage: text },
    takes: ["storage"],
    run: async ({ node, print }: Command, { positional: [storage = ""] }) => {
      const path = `/nodes/${node}/storage/${encodeURIComponent(storage)}/content`;
      const volumes = records(await call("GET", path, { content: "vztmpl" }));
      print(`${"NAME".padEnd(60)} ${"SIZE".padEnd(6)}\n`);
      for (const { volid, size } of volumes)
        print(`${cell(volid).padEnd(60)} ${(Number(size ?? 0) / 1024 / 1024).toFixed(2)}MB\n`);
    },
  },
  remove: {
    class: OWN,
    properties: { template_path: text },
    takes: ["template_path"],
    run: async ({ node }, { positional: [volume = ""] }) => {
      const storage = volume.split(":")[0] ?? "";
      await call("DELETE", `/nodes/${node}/storage/${storage}/content/${encodeURIComponent(volume)}`);
    },
  },
};

/** `pveam COMMAND …` */
export function pveam(command: Command): Promise<void> {
  return runTool("pveam", COMMANDS, command);
}
