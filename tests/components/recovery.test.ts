import { afterEach, beforeAll, expect, test } from "vitest";
import { formatMark } from "../../components/lxc/mark.ts";
import { surveyRecovery } from "../../components/lxc/recovery.ts";
import { PveApiError } from "../../components/node/pve-api.ts";
import type { ContainerSpec } from "../../model/index.ts";
import { runProgram, type Registered } from "./harness.ts";

const GUEST = "proxmoxve:index/containerLegacy:ContainerLegacy";
const mark = (vmid: number, recipe: string, stack = "dev") =>
  formatMark({ stack, vmid, incarnation: "0123456789abcdef", recipe });

const spec = (vmid: number, isTemplate: boolean) => ({ vmid, isTemplate }) as unknown as ContainerSpec;

test("what carries this stack's mark is found, with the recipe that it was made from", async () => {
  const descriptions: Record<string, string> = {
    900: mark(900, "aa11"),
    901: mark(901, "bb22"),
    902: mark(902, "cc33", "home"),
    910: mark(910, "aa11"),
  };
  const call = (_: string, path: string): Promise<unknown> => {
    const description = descriptions[/\/lxc\/(\d+)\/config/.exec(path)?.[1] ?? ""];
    if (description !== undefined) return Promise.resolve({ description });
    if (path.startsWith("/cluster/nextid")) return Promise.resolve("free");
    return Promise.reject(new PveApiError(500, "does not exist"));
  };
  const specs = [900, 901, 902].map((vmid) => spec(vmid, true));
  const found = await surveyRecovery(
    { node: "pve", call },
    "dev",
    [...specs, spec(910, false), spec(911, false)],
    new Map([
      [900, "aa11"],
      [901, "new"],
      [910, "new"],
    ]),
  );
  expect([...found]).toEqual([
    [900, { recipe: "aa11", older: false }],
    [901, { recipe: "bb22", older: true }],
    [910, { recipe: "aa11", older: false }],
  ]);
});

let recovered: Registered[];
beforeAll(async () => {
  process.env["PHOENIX_RECOVER"] = "1";
  recovered = await runProgram({
    hypervisor: ["etc/phoenix_hypervisor_config.json", "etc/dev/hypervisor.json"],
    lxc: ["etc/phoenix_lxc_configs.json", "etc/dev/lxc.json"],
    node: (path) => {
      const vmid = Number(/\/lxc\/(\d+)\/config/.exec(path)?.[1]);
      return vmid ? { description: mark(vmid, "0dd") } : undefined;
    },
  });
});
afterEach(() => delete process.env["PHOENIX_RECOVER"]);

const named = (name: string) => recovered.find((one) => one.name === name);

test("in a recovery no guest that stands on the node can be made anew", () => {
  const guests = recovered.filter(({ type }) => type === GUEST);
  expect(guests).toHaveLength(3);
  for (const { options } of guests) {
    expect(options.ignoreChanges).toEqual(expect.arrayContaining(["clone", "unprivileged", "nodeName"]));
    expect(options.replaceOnChanges).toBeUndefined();
  }
});

test("a template of another recipe keeps that, and its generation's record on the node", () => {
  expect(guestOf("902")?.options.replacementTrigger).toBe("0dd");
  expect(named("902-seal")).toBeUndefined();
  const { recipe } = JSON.parse(String(named("902-settings")?.inputs["stdin"])) as { recipe: string };
  expect(recipe).toBe("0dd");
});

const guestOf = (name: string) => recovered.find((one) => one.type === GUEST && one.name === name);
