import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, onTestFinished, test } from "vitest";
import { buildModel, featurePage, featureSchema, listFeatures } from "../../model/index.ts";
import { readSources } from "../../model/read-files.ts";
import type { Sources } from "../../model/types.ts";
import { findingsOf, modelOf, root, set, small } from "./sources.ts";

const manifest = {
  name: "own_thing",
  version: "2.1.0",
  description: "A thing of my own.",
  target: "lxc",
  parameters: {
    type: "object",
    additionalProperties: false,
    required: ["size"],
    properties: { size: { type: "integer", minimum: 1, description: "How large." } },
  },
  needs: { keyctl: true },
  verbs: ["check", "apply", "remove"],
};

/** A folder as a person has it: two executables, one of them with a manifest beside it. */
function sources(use: unknown[]): Sources {
  const room = mkdtempSync(join(tmpdir(), "phoenix-own-"));
  onTestFinished(() => rmSync(room, { recursive: true }));
  const folder = join(room, "mine");
  mkdirSync(folder);
  for (const name of ["say_hello", "feature_do_thing.sh"]) {
    writeFileSync(join(folder, name), "#!/bin/sh\n");
    chmodSync(join(folder, name), 0o755);
  }
  writeFileSync(join(folder, "feature_do_thing.json"), JSON.stringify(manifest));
  const { hypervisor, lxc } = small();
  set(lxc, ["lxc_configs", "910", "features"], use);
  const files = { "h.json": hypervisor, "c.json": lxc };
  for (const [name, value] of Object.entries(files)) writeFileSync(join(room, name), JSON.stringify(value));
  return readSources(root, {
    hypervisor: [join(room, "h.json")],
    lxc: [join(room, "c.json")],
    features: [folder],
  });
}

test("an executable without a manifest runs as level 0, one with a manifest as one of Phoenix's own", () => {
  const use = ["say_hello", { name: "own_thing", parameters: { size: 3 } }];
  const { containers } = modelOf(buildModel(sources(use)));
  const features = containers.find(({ vmid }) => vmid === 910)?.features ?? [];
  expect(features.map(({ name, level, removable }) => ({ name, level, removable }))).toEqual([
    { name: "say_hello", level: 0, removable: false },
    { name: "own_thing", level: 1, removable: true },
  ]);
  expect(containers.find(({ vmid }) => vmid === 910)?.settings.keyctl).toBe(true);
});

test("what its manifest does not allow is an error at its place, before anything runs", () => {
  const outcome = buildModel(sources([{ name: "own_thing", parameters: { size: 0 } }]));
  expect(outcome.ok).toBe(false);
  expect(findingsOf(outcome).map(({ pointer }) => pointer)).toContain(
    "/lxc_configs/910/features/0/parameters/size",
  );
});

test("a feature that was dropped into a folder is in the page and in the schema, with no other edit", () => {
  const list = listFeatures(sources([]));
  expect(list.findings).toEqual([]);
  const page = featurePage(list);
  expect(page).toContain("## own_thing\n\nA thing of my own.");
  expect(page).toMatch(/## say_hello\n\nAn executable without a manifest \(level 0\)/);
  expect(page).toContain("## docker");

  const valid = new Ajv2020({ strict: false }).compile(featureSchema(list));
  const withUse = (use: unknown): object => ({
    lxc_configs: { "910": { name: "a", network_config: { ip: "dhcp" }, features: [use] } },
  });
  expect(valid(withUse({ name: "own_thing", parameters: { size: 3 } })), JSON.stringify(valid.errors)).toBe(
    true,
  );
  expect(valid(withUse("say_hello"))).toBe(true);
  expect(valid(withUse({ name: "own_thing", parameters: { size: 0 } }))).toBe(false);
  expect(valid(withUse({ name: "own_thing", parameters: { colour: "red" } }))).toBe(false);
  expect(valid(withUse("telepathy"))).toBe(false);
});
