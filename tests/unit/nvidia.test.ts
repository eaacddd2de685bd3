import { expect, test } from "vitest";
import { devicesFor, readDriverDocument } from "../../model/index.ts";
import type { Model } from "../../model/index.ts";
import { build, findingsOf, modelOf, set, small } from "./sources.ts";
import type { Json } from "./sources.ts";

const sum = "a".repeat(64);

/** Template 902 has Docker and no GPU; 910 is cloned from it. */
function config(gpus: string, change: (hypervisor: Json, lxc: Json) => void = () => undefined) {
  const { hypervisor, lxc } = small();
  hypervisor["nvidia_driver"] = { install: true, version: "535.261.03" };
  lxc["nvidia_container_toolkit"] = { version: "1.17.8-1", key_sha256: sum };
  set(lxc, ["lxc_configs", "910", "gpu_assignment"], gpus);
  set(lxc, ["lxc_configs", "910", "features"], gpus === "none" ? [] : ["nvidia"]);
  change(hypervisor, lxc);
  return build(hypervisor, lxc);
}

const container = (model: Model) => model.containers.find(({ vmid }) => vmid === 910);
const errors = (outcome: ReturnType<typeof config>) =>
  findingsOf(outcome)
    .filter(({ severity }) => severity === "error")
    .map(({ message }) => message);

test("F6: host and container cannot have different drivers: it is one version, or an error", () => {
  const told = container(modelOf(config("0")))?.features.find(({ name }) => name === "nvidia")?.parameters;
  expect(told).toEqual({ nvidia: { version: "535.261.03", source: "distribution" } });
  const other = config("0", (_, lxc) => (lxc["nvidia_driver_version"] = "580.76.05"));
  expect(errors(other)).toEqual(["the containers' NVIDIA driver is 580.76.05, the host's 535.261.03"]);
});

test("F6: an installer without a checksum stops a preview, on the host and in containers", () => {
  const url = "http://example.com/NVIDIA-Linux-x86_64-535.261.03.run";
  const host = (more: Json) => (hypervisor: Json) => Object.assign(hypervisor["nvidia_driver"] as Json, more);
  expect(errors(config("0", host({ runfile_url: url })))).toEqual([
    "the installer's checksum is missing",
    "the checksum of the containers' NVIDIA installer is missing",
  ]);
  expect(errors(config("0", host({ runfile_url: url, runfile_sha256: sum })))).toEqual([]);
});

test("Docker that a template has without a GPU learns of one in the container, and only there", () => {
  const features = (gpus: string) => container(modelOf(config(gpus)))?.features.map(({ name }) => name);
  expect(features("none")).toEqual([]);
  expect(features("0,1")).toEqual(["nvidia", "docker"]);
  const without = config("0", (_, lxc) => (lxc["nvidia_container_toolkit"] = { install: false }));
  expect(container(modelOf(without))?.features.map(({ name }) => name)).toEqual(["nvidia"]);
});

test("a GPU beyond the node is an error before anything is asked of it", () => {
  const outcome = config("2", (hypervisor) => (hypervisor["hardware"] = { gpus: 2 }));
  expect(errors(outcome)).toEqual(["there is no GPU 2: the node has 2, counted from 0"]);
});

const found = {
  version: "535.261.03",
  gpus: [
    {
      index: 0,
      uuid: "GPU-a",
      pci: "0000:01:00.0",
      name: "A",
      devices: [{ path: "/dev/nvidia1", numbers: "195:1" }],
    },
    {
      index: 1,
      uuid: "GPU-b",
      pci: "0000:02:00.0",
      name: "B",
      devices: [{ path: "/dev/nvidia0", numbers: "195:0" }],
    },
  ],
  devices: [{ path: "/dev/nvidia-uvm", numbers: "511:0" }],
};

test("F6: a container gets the devices of its GPUs by their minor, not by their place, and no other", () => {
  const document = readDriverDocument(`something\n${JSON.stringify(found)}\n`);
  expect(devicesFor(document, [1]).map(({ path }) => path)).toEqual(["/dev/nvidia0", "/dev/nvidia-uvm"]);
  expect(devicesFor(document, [])).toEqual([]);
  // A restart gives nvidia-uvm another major: no container is touched for that.
  const later = { ...document, devices: [{ path: "/dev/nvidia-uvm", numbers: "509:0" }] };
  expect(devicesFor(later, [1])).toEqual(devicesFor(document, [1]));
});

test("F6: a GPU that the node does not have is named, with those that it has", () => {
  expect(() => devicesFor(found, [2])).toThrow(
    "there is no GPU 2 on the node; there is 0 (A, 0000:01:00.0), 1 (B, 0000:02:00.0)",
  );
  expect(() => readDriverDocument("no list")).toThrow("ended with no list of GPUs but with: no list");
});
