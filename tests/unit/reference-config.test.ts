import { expect, test } from "vitest";
import { buildModel, formatFindings, plan, renderGraph } from "../../model/index.ts";
import type { ContainerSpec } from "../../model/types.ts";
import { modelOf, reference } from "./sources.ts";

const byId = (containers: ContainerSpec[], vmid: number): ContainerSpec => {
  const found = containers.find((container) => container.vmid === vmid);
  if (found === undefined) throw new Error(`no ${vmid}`);
  return found;
};

test("the reference configuration and the dev overlay are valid without a warning", () => {
  for (const sources of [reference(), reference("dev")]) {
    const outcome = buildModel(sources);
    expect(outcome.ok ? formatFindings(outcome.warnings) : formatFindings(outcome.findings)).toBe(
      "0 errors, 0 warnings",
    );
  }
});

test("the dev stack: templates parents first, inheritance resolved, needs of the chain added up", () => {
  const { templates, containers, host } = modelOf(buildModel(reference("dev")));
  expect(templates.map(({ vmid }) => vmid)).toEqual([900, 902]);
  expect(containers.map(({ vmid }) => vmid)).toEqual([910]);
  const docker = byId(templates, 902);
  expect(docker.source).toEqual({ kind: "clone", vmid: 900, mode: "linked" });
  expect(docker.features.map(({ name }) => name)).toEqual(["docker"]);
  expect(docker.inheritedFeatures.map(({ name, from }) => [name, from])).toEqual([["base_setup", 900]]);
  const page = byId(containers, 910);
  expect(page.source).toEqual({ kind: "clone", vmid: 902, mode: "full" });
  expect(page.rootfs).toEqual({ storage: "quickOS-lxc-disks", sizeGb: 4 });
  expect(page.network).toEqual([
    { name: "eth0", bridge: "vmbr0", address: "10.0.0.110/24", gateway: "10.0.0.13" },
  ]);
  expect(page.settings).toEqual({ nesting: true, keyctl: true, fuse: false });
  expect(page.features[0]?.parameters).toEqual({ port: 80, text: "hello from Phoenix" });
  expect(host.pools[0]?.vdevs[0]?.disks[0]).toBe("/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_1");
  expect(host.storages.map(({ id, type, path }) => ({ id, type, path }))).toEqual([
    { id: "quickOS-lxc-disks", type: "zfspool", path: undefined },
    { id: "quickOS-shared-iso", type: "dir", path: "/quickOS/shared-iso" },
  ]);
  expect(host.osTemplates[0]?.fileName).toBe("debian-12-standard_12_amd64.tar.zst");
});

test("the graph of the dev stack", () => {
  const model = modelOf(buildModel(reference("dev")));
  expect(renderGraph(model, "mermaid")).toMatchSnapshot();
  expect(renderGraph(model, "dot")).toMatchSnapshot();
});

test("the plan says whom a change reaches", () => {
  const model = modelOf(buildModel(reference("dev")));
  const digests = {
    "bin/lxc/feature_setup_base.sh": "1",
    "bin/lxc/feature_install_docker.sh": "2",
    "bin/lxc/feature_serve_page.sh": "3",
  };
  const before = plan(model, digests);
  expect(before.affected("script:bin/lxc/feature_setup_base.sh")).toEqual({
    rebuilt: ["template:900", "template:902"],
    outdated: ["container:910"],
    updated: [],
  });
  expect(before.affected("script:bin/lxc/feature_serve_page.sh").updated).toEqual(["container:910"]);
  expect(before.recipes.get(910)).toBe(before.recipes.get(902));
  const after = plan(model, { ...digests, "bin/lxc/feature_setup_base.sh": "changed" });
  expect(after.recipes.get(900)).not.toBe(before.recipes.get(900));
  expect(after.recipes.get(902)).not.toBe(before.recipes.get(902));
  const page = plan(model, { ...digests, "bin/lxc/feature_serve_page.sh": "changed" });
  expect(page.recipes).toEqual(before.recipes);
});
