import { beforeAll, expect, test } from "vitest";
import { type Registered, runProgram } from "./harness.ts";

let resources: Registered[];
beforeAll(async () => {
  resources = await runProgram({
    hypervisor: ["etc/phoenix_hypervisor_config.json", "etc/dev/hypervisor.json"],
    lxc: ["etc/phoenix_lxc_configs.json", "etc/dev/lxc.json"],
  });
});

test("lists", () => {
  console.log(resources.map((r) => `${r.type} ${r.name}`).join("\n"));
  expect(resources.length).toBeGreaterThan(10);
});
