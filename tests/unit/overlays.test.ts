import { expect, test } from "vitest";
import { buildModel, formatExplanation } from "../../model/index.ts";
import type { SourceFile } from "../../model/types.ts";
import { brief, findingsOf, modelOf, reference, small, sourcesOf, testFeatures } from "./sources.ts";

const { hypervisor, lxc } = small();
const base = sourcesOf(hypervisor, lxc);
const overlay = (value: unknown, path = "overlay.json"): SourceFile => ({
  path,
  text: JSON.stringify(value, null, 2),
});
const withOverlays = (...overlays: SourceFile[]): ReturnType<typeof buildModel> =>
  buildModel({ ...base, lxc: [...base.lxc, ...overlays] });

test("overlays apply in order, null removes, lists are replaced", () => {
  const outcome = withOverlays(
    overlay({ lxc_configs: { "910": { cores: 2, memory_mb: 1024, features: null } } }),
    overlay(
      { lxc_configs: { "910": { cores: 3 }, "902": null, "900": { features: ["base_setup", "own_thing"] } } },
      "two.json",
    ),
    overlay({ lxc_configs: { "910": { clone_from_ctid: "900" } } }, "three.json"),
  );
  const { templates, containers } = modelOf(outcome);
  expect(templates.map(({ vmid, features }) => [vmid, features.map(({ name }) => name)])).toEqual([
    [900, ["base_setup", "own_thing"]],
  ]);
  expect(containers[0]).toMatchObject({ vmid: 910, cores: 3, memoryMb: 1024, features: [] });
});

test("a finding points at the file in which the value was written", () => {
  const wrong = overlay({ lxc_configs: { "910": { memory_mb: "much", colour: 1 } } });
  expect(findingsOf(withOverlays(wrong)).map(brief)).toEqual([
    'overlay.json:4:20 error schema /lxc_configs/910/memory_mb "much" is not a whole number → `memory_mb`: memory in MiB',
    expect.stringMatching(/^overlay\.json:5:7 error schema \/lxc_configs\/910\/colour unknown key `colour`/),
  ]);
  const clash = overlay({ lxc_configs: { "902": { network_config: { ip: "10.0.0.110/24" } } } });
  expect(findingsOf(withOverlays(clash)).map(brief)).toEqual([
    "lxc.json:32:15 error cross-check /lxc_configs/910/network_config/ip the address 10.0.0.110 is taken by 902",
  ]);
});

test("an overlay that takes out what is not there is warned about: a typing error would change nothing, silently", () => {
  const outcome = withOverlays(overlay({ lxc_configs: { "911": null, "910": { boot_ordr: null } } }));
  expect(findingsOf(outcome).map(brief)).toEqual([
    "overlay.json:4:20 warning cross-check /lxc_configs/910/boot_ordr nothing to take out here: no file before this one has `boot_ordr`",
    "overlay.json:6:12 warning cross-check /lxc_configs/911 nothing to take out here: no file before this one has `911`",
  ]);
});

test("a broken overlay leaves no model, and every broken file is named", () => {
  const outcome = buildModel({
    ...base,
    hypervisor: [...base.hypervisor, { path: "h.json", text: "{" }],
    lxc: [...base.lxc, { path: "gone.json", text: "", problem: "the file does not exist" }],
  });
  expect(findingsOf(outcome).map(brief)).toEqual([
    "h.json:1:2 error syntax  the closing brace `}` is missing",
    "gone.json:1:1 error file  the file does not exist",
  ]);
});

test("no file at all is an error, never an empty node", () => {
  const outcome = buildModel({ hypervisor: [], lxc: [], ...testFeatures });
  expect(findingsOf(outcome).map(({ class: kind, message }) => [kind, message])).toEqual([
    ["file", "no hypervisor configuration is given"],
    ["file", "no lxc configuration is given"],
  ]);
});

test("show: the effective configuration with the origin of every value", async () => {
  const outcome = buildModel(reference("dev"));
  if (!outcome.ok) throw new Error("not valid");
  const rows = outcome.explain(910) ?? [];
  await expect(formatExplanation(rows) + "\n").toMatchFileSnapshot("./expected/show-910.txt");
  expect(outcome.explain(999)).toBeUndefined();
});
