import { expect, test } from "vitest";
import { buildModel, plan } from "../../model/index.ts";
import type { ContainerSpec, Model } from "../../model/types.ts";
import { settingsOf } from "../../components/lxc/settings.ts";
import { build, findingsOf, modelOf, set, small, sourcesOf, type Json } from "./sources.ts";

/** What the systems that are replaced did to containers (legacy-system.md B.5 and F): each by its number. */

type Edit = readonly [path: (string | number)[], value: unknown];

function edited(...edits: Edit[]): { hypervisor: Json; lxc: Json } {
  const config = small();
  for (const [path, value] of edits) set(config.lxc, ["lxc_configs", ...path], value);
  return config;
}

const model = (...edits: Edit[]): Model => {
  const { hypervisor, lxc } = edited(...edits);
  return modelOf(build(hypervisor, lxc));
};
const container = (vmid: number, found: Model): ContainerSpec =>
  [...found.templates, ...found.containers].find((spec) => spec.vmid === vmid) ?? expect.fail(`no ${vmid}`);
const volume = (name: string): Json => ({ name, pool: "tank-lxc", size_gb: 1, mount_point: `/${name}` });

test("B.5.4: an edit of a feature's parameter reaches the feature, and nothing else of the container", () => {
  const before = container(910, model());
  const after = container(910, model([["910", "features", 0, "parameters", "text"], "bye"]));
  expect(after.features[0]?.parameters).toMatchObject({ text: "bye" });
  expect({ ...after, features: [] }).toEqual({ ...before, features: [] });
});

test("B.5.5: an application that nobody edited is told the same each time, so that it does not run again", () => {
  expect(model()).toEqual(model());
});

test("B.5.6: a container made anew gets its volumes as they are: they are datasets that it does not own", () => {
  const { volumes } = container(910, model([["910", "volumes"], [volume("data")]]));
  expect(volumes.map(({ dataset, allow }) => [dataset, allow])).toEqual([["tank/lxc/volume-910-data", []]]);
  // PVE destroys what carries the guest's number in its own scheme of names.
  expect(volumes[0]?.dataset).not.toMatch(/(subvol|vm|basevol)-910-/);
});

test("B.5.11: what is installed is asked of the guest: a feature's recipe is its own parameters, not the whole list", () => {
  const more = model([["910", "features", 1], "own_thing"]);
  expect(container(910, more).features[0]).toEqual(container(910, model()).features[0]);
});

test("B.5.12: what a feature needs is given in a list of one and in a list of many", () => {
  const one = container(910, model());
  const many = container(910, model([["910", "features", 1], "own_thing"]));
  for (const { settings } of [one, many]) expect(settings).toMatchObject({ nesting: true, keyctl: true });
});

test("B.5.13: a container gets no profile and no id map that nobody asked for", () => {
  const { raw, subordinateIds } = settingsOf(container(910, model()));
  expect([raw, subordinateIds]).toEqual([undefined, undefined]);
  expect(container(910, model()).unprivileged).toBe(true);
});

test("B.5.14: a storage that cannot hold containers is an error before anything is made", () => {
  const { hypervisor, lxc } = edited([["910", "storage_pool"], "tank-iso"]);
  const outcome = build(hypervisor, lxc);
  expect(outcome.ok).toBe(false);
  expect(
    findingsOf(outcome)
      .map(({ message }) => message)
      .join(),
  ).toContain("cannot hold containers");
});

test("B.5.15: the image that a template is made from is the one that is downloaded, by one name", () => {
  const { host, templates } = model();
  const [image] = host.osTemplates;
  expect(templates[0]?.source).toMatchObject({ volid: `${image?.storage}:vztmpl/${image?.fileName}` });
});

test("F3: a key that nobody reads is an error with its place, and not a setting that does nothing", () => {
  const { hypervisor, lxc } = edited([["910", "firewal"], { enabled: true }]);
  const [finding] = findingsOf(buildModel(sourcesOf(hypervisor, lxc)));
  expect(finding).toMatchObject({ severity: "error", file: "lxc.json" });
  expect(finding?.remedy).toContain("firewall");
});

test("F5: a container comes after what it needs, whatever its number and wherever it is written", () => {
  const needs = {
    name: "needs",
    clone_from_ctid: "902",
    network_config: { ip: "10.0.0.105/24" },
    dependencies: ["910"],
  };
  const found = model([["905"], needs]);
  expect(found.containers.map(({ vmid }) => vmid)).toEqual([910, 905]);
  const digests = {
    "bin/lxc/feature_setup_base.sh": "a",
    "bin/lxc/feature_install_docker.sh": "b",
    "bin/lxc/feature_serve_page.sh": "c",
  };
  const { edges } = plan(found, digests);
  const before = (to: string): string[] => edges.filter((edge) => edge.to === to).map(({ from }) => from);
  expect(before("container:905")).toEqual(expect.arrayContaining(["container:910", "template:902"]));
  expect(before("template:902")).toContain("template:900");
});

test("F7: settings go through Proxmox VE's own keys; a raw line is only what somebody wrote", () => {
  const asked = settingsOf(container(910, model([["910", "lxc_options"], ["lxc.mount.auto: sys:rw"]])));
  expect(asked["raw"]).toEqual([["lxc.mount.auto", "sys:rw"]]);
});
