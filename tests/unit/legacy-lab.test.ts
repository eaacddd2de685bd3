import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { formatOverlayChanges, overlayChanges } from "../../model/index.ts";
import { readSources } from "../../model/read-files.ts";
import { root } from "./sources.ts";

const { config } = parse(readFileSync(join(root, "Pulumi.legacy-lab.yaml"), "utf8")) as {
  config: { "phoenix:hypervisorFiles": string[]; "phoenix:lxcFiles": string[] };
};
const sources = readSources(root, {
  hypervisor: config["phoenix:hypervisorFiles"],
  lxc: config["phoenix:lxcFiles"],
});

/** Images, driver, disks, sizes and memory may be swapped; features beyond three, applications and their checks left out. */
const permitted: [kind: string, place: RegExp][] = [
  ["left out|added", /^zfs\/pools\/\w+\/disks$/],
  ["added", /^os_templates$/],
  ["swapped|added|left out", /^nvidia_driver\/(version|source|runfile_url|runfile_checksum)$/],
  ["swapped|left out", /^nvidia_(driver_version|repo_url|runfile_url)$/],
  // They come from the vendor's repositories alone, and leave with that source.
  ["left out", /^nvidia_driver\/cuda_version$/],
  ["added", /^nvidia_container_toolkit$/],
  // The cache of ZFS is memory.
  ["swapped", /^zfs\/arc_max_gb$/],
  ["swapped", /^lxc_configs\/\d+\/(memory_mb|storage_size_gb)$/],
  ["left out", /^lxc_configs\/\d+\/features\/(?!base_setup$|docker$|nvidia$)\w+$/],
  [
    "left out",
    /^lxc_configs\/\d+\/(application_script|health_check|integration_tests|run_integration_tests)$/,
  ],
];

test("the overlays of legacy-lab leave out and swap what they may, and nothing else", () => {
  const changes = [...overlayChanges(sources.hypervisor), ...overlayChanges(sources.lxc)];
  expect(changes.length).toBeGreaterThan(30);
  const others = changes.filter(({ kind, path }) => {
    const place = path.slice(0, 4).join("/");
    return !permitted.some(([kinds, form]) => kinds.split("|").includes(kind) && form.test(place));
  });
  expect(formatOverlayChanges(others)).toBe("");
});

test("what an overlay changes is said for each thing, those of a container in one line", () => {
  const files = (base: object, overlay: object) => [
    { path: "a.json", text: JSON.stringify(base) },
    { path: "b.json", text: JSON.stringify(overlay) },
  ];
  const base = {
    zfs: { pools: [{ name: "tank", disks: ["a", "b"] }] },
    lxc_configs: { "900": { memory_mb: 1024, features: ["x", "y"], name: "base" } },
  };
  const overlay = {
    zfs: { pools: [{ name: "tank", disks: ["a", "c"] }] },
    lxc_configs: { "900": { memory_mb: 512, features: ["x"], name: null, cores: 2 } },
  };
  expect(formatOverlayChanges(overlayChanges(files(base, overlay)))).toBe(
    [
      "zfs.pools.tank.disks.b left out",
      "zfs.pools.tank.disks.c added",
      "container 900: memory_mb: 1024 → 512; features.y left out; name left out; cores added: 2",
    ].join("\n"),
  );
  expect(overlayChanges(files(base, {}))).toEqual([]);
});
