import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildModel } from "../../model/index.ts";
import { readSources } from "../../model/read-files.ts";
import { brief, findingsOf, modelOf, small } from "./sources.ts";
import type { Json } from "./sources.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "phoenix-model-"));
  mkdirSync(join(folder, "bin/lxc"), { recursive: true });
  mkdirSync(join(folder, "mine"));
  const { hypervisor, lxc } = small();
  const containers = lxc["lxc_configs"] as Record<string, Json>;
  for (const config of Object.values(containers)) config["features"] = [];
  containers["910"] = { ...containers["910"], features: ["tune_it", "own-script", "extra"] };
  writeFileSync(join(folder, "h.json"), JSON.stringify(hypervisor));
  writeFileSync(join(folder, "l.json"), JSON.stringify(lxc));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function script(path: string, mode = 0o755): void {
  writeFileSync(join(folder, path), "#!/bin/sh\n");
  chmodSync(join(folder, path), mode);
}

const read = (...features: string[]): ReturnType<typeof buildModel> =>
  buildModel(readSources(folder, { hypervisor: ["h.json"], lxc: ["l.json"], features }));

test("scripts without manifest are features of level 0; steps and plain files are none", () => {
  script("bin/lxc/feature_tune_it.sh");
  script("bin/lxc/seal_template.sh");
  script("mine/own-script");
  script("mine/notes.txt", 0o644);
  script("mine/feature_extra.sh");
  const manifest = {
    name: "extra",
    version: "1.0.0",
    description: "More.",
    target: "lxc",
    parameters: { type: "object", properties: { level: { type: "integer", default: 3 } } },
    verbs: ["check", "apply"],
  };
  writeFileSync(join(folder, "mine/feature_extra.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "mine/other.json"), "not a manifest: no script lies beside it");
  const features = modelOf(read("mine")).containers[0]?.features ?? [];
  expect(
    features.map(({ name, level, script: path, parameters }) => [name, level, path, parameters]),
  ).toEqual([
    ["tune_it", 0, "bin/lxc/feature_tune_it.sh", {}],
    ["own-script", 0, "mine/own-script", {}],
    ["extra", 1, "mine/feature_extra.sh", { level: 3 }],
  ]);
});

test("what is not there, or no file, is named", () => {
  script("bin/lxc/feature_tune_it.sh");
  rmSync(join(folder, "l.json"));
  mkdirSync(join(folder, "l.json"));
  expect(findingsOf(read("elsewhere")).map(brief)).toEqual([
    "l.json:1:1 error file  the file is a folder",
    "elsewhere:1:1 error file  the folder does not exist",
  ]);
});

test("a manifest that is wrong is an error at its place", () => {
  script("bin/lxc/feature_tune_it.sh");
  script("mine/own-script");
  script("mine/extra");
  const manifest = {
    name: "Extra!",
    version: "1.0.0",
    target: "lxc",
    parameters: {},
    verbs: ["aply"],
    neds: {},
  };
  writeFileSync(join(folder, "mine/extra.json"), JSON.stringify(manifest, null, 1));
  const found = findingsOf(read("mine")).filter(({ file }) => file === "mine/extra.json");
  expect(found.map(({ line, message }) => `${line} ${message}`)).toEqual([
    "1 `description` is missing",
    '2 "Extra!" has not the right form',
    '6 "apply" must be in this list',
    '7 "aply" is not one of `check`, `apply`, `remove`',
    "9 unknown key `neds`",
  ]);
});
