import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { set, small } from "../unit/sources.ts";
import { known, type Registered, runProgram } from "./harness.ts";

/** The small configuration with a driver, and container 910 as told. */
async function run(container: object, registered: Registered[] = []): Promise<Registered[]> {
  const room = mkdtempSync(join(tmpdir(), "phoenix-gpus-"));
  onTestFinished(() => rmSync(room, { recursive: true }));
  const own = join(room, "mine");
  mkdirSync(own);
  for (const name of ["feature_do_thing.sh", "say_hello"]) {
    writeFileSync(join(own, name), "#!/bin/sh\n");
    chmodSync(join(own, name), 0o755);
  }
  const manifest = {
    ...{ name: "own_thing", version: "1.0.0", description: "Mine.", target: "lxc" },
    ...{ parameters: { type: "object", properties: { size: { type: "integer", default: 3 } } } },
    verbs: ["check", "apply", "remove"],
  };
  writeFileSync(join(own, "feature_do_thing.json"), JSON.stringify(manifest));
  const { hypervisor, lxc } = small();
  hypervisor["nvidia_driver"] = { install: true, version: "580.76.05" };
  lxc["nvidia_container_toolkit"] = { install: false };
  for (const [key, value] of Object.entries(container)) set(lxc, ["lxc_configs", "910", key], value);
  writeFileSync(join(room, "h.json"), JSON.stringify(hypervisor));
  writeFileSync(join(room, "c.json"), JSON.stringify(lxc));
  return runProgram(
    { hypervisor: [join(room, "h.json")], lxc: [join(room, "c.json")], features: [own] },
    registered,
  );
}

const command = (all: Registered[], name: string): Registered | undefined =>
  all.find((one) => one.type === "command:remote:Command" && one.name === name);

async function parameters(all: Registered[], name: string): Promise<Record<string, unknown>> {
  const text = await known(command(all, name)?.inputs["stdin"] as string | undefined);
  return (JSON.parse(text ?? "{}") as { parameters: Record<string, unknown> }).parameters;
}

test("a container's devices come from what the driver's step found, by index", async () => {
  const all = await run({ gpu_assignment: "0", features: ["nvidia"] });
  // The node of the harness has the first GPU at the second minor.
  const paths = ["/dev/nvidia1", "/dev/nvidiactl", "/dev/nvidia-uvm"];
  expect((await parameters(all, "910-settings"))["devices"]).toEqual(
    paths.map((path) => ({ path, mode: "0666" })),
  );
  // A new driver makes the step run again: a guest that could not start without its devices is started.
  expect((await parameters(all, "910-settings"))["driver"]).toBe("580.76.05");
  expect((await parameters(all, "910-nvidia"))["nvidia"]).toEqual({
    version: "580.76.05",
    source: "distribution",
  });
  expect(await parameters(all, "nvidia-driver-install")).toMatchObject({ version: "580.76.05" });
});

test("a container without a GPU does not wait for what the driver finds", async () => {
  const all = await run({ features: [] });
  expect(typeof command(all, "910-settings")?.inputs["stdin"]).toBe("string");
  expect(await parameters(all, "910-settings")).not.toHaveProperty("devices");
});

test("a folder's executables are steps: one with a manifest is removed with its entry, one without cannot be checked", async () => {
  const all = await run({ features: ["say_hello", "own_thing"] });
  const steps = ["910-say_hello", "910-own_thing"].map((name) => command(all, name)?.inputs);
  expect(steps[0]?.["create"]).toMatch(/\/lib\/run_level0\.sh say_hello apply$/);
  expect(steps[0]?.["delete"]).toBeUndefined();
  expect(steps[1]?.["create"]).toMatch(/\/feature_do_thing\.sh apply$/);
  expect(steps[1]?.["delete"]).toMatch(/\/feature_do_thing\.sh remove$/);
  expect(await parameters(all, "910-own_thing")).toEqual({ size: 3 });
});
