import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { buildModel } from "../../model/index.ts";
import { readSources } from "../../model/read-files.ts";
import type { Model } from "../../model/types.ts";
import { modelOf, root } from "./sources.ts";

interface StackFile {
  config: { "phoenix:hypervisorFiles": string[]; "phoenix:lxcFiles": string[] };
}

/** The files that a stack names, with the real features. */
function stack(name: string): { lxcFiles: string[]; model: Model } {
  const text = readFileSync(join(root, `Pulumi.${name}.yaml`), "utf8");
  const { config } = parse(text) as StackFile;
  const lxcFiles = config["phoenix:lxcFiles"];
  const sources = readSources(root, { hypervisor: config["phoenix:hypervisorFiles"], lxc: lxcFiles });
  return { lxcFiles, model: modelOf(buildModel(sources)) };
}

test("two stacks from one etc/: the second is the first with one more overlay, and so one more container", () => {
  const [one, two] = [stack("dev"), stack("dev-two")];
  expect(two.lxcFiles).toEqual([...one.lxcFiles, "etc/dev-two/lxc.json"]);
  const { containers: more, ...rest } = two.model;
  const { containers, ...same } = one.model;
  expect(rest).toEqual(same);
  expect(more.slice(0, -1)).toEqual(containers);
  expect(more.at(-1)).toMatchObject({ vmid: 911, name: "second", dependencies: [910], memoryMb: 512 });
});
