import { expect, test } from "vitest";
import type { Model } from "../../../model/index.ts";
import { changeLines, containerChanges } from "../src/lib/container-changes.ts";
import type { EngineEvent, StepMetadata } from "../src/lib/events.ts";
import { outcomeLines, outcomesOf } from "../src/lib/outcomes.ts";

const guestType = "proxmoxve:index/containerLegacy:ContainerLegacy";
const urn = (kind: string, types: string, name: string) =>
  `urn:pulumi:dev::phoenix::phoenix:lxc:${kind}$${types}::${name}`;
const guest = (op: string, ctid: string, keys: string[] = [], kind = "Container"): StepMetadata => ({
  op,
  urn: urn(kind, guestType, ctid),
  type: guestType,
  detailedDiff: Object.fromEntries(keys.map((key) => [key, {}])),
});
const step = (
  op: string,
  name: string,
  before: object = {},
  after: object = before,
  kind = "Container",
): StepMetadata => ({
  op,
  urn: urn(kind, "command:remote:Command", name),
  type: "command:remote:Command",
  old: { inputs: { stdin: JSON.stringify({ parameters: before }) } },
  new: { inputs: { stdin: JSON.stringify({ parameters: after }) } },
});

const lines = (...steps: StepMetadata[]) => changeLines(containerChanges(steps)).map((line) => line.trim());

test.each([
  [
    "memory",
    [guest("update", "910", ["memory.dedicated"])],
    "910 is changed in place, and goes on running  (memory)",
  ],
  [
    "host name",
    [guest("update", "910", ["initialization.hostname"])],
    "910 is changed and restarted  (host name)",
  ],
  [
    "a feature's script",
    [step("update", "910-serve_page")],
    "910 is changed in place, and goes on running  (serve_page runs again)",
  ],
  [
    "feature flags",
    [step("update", "910-settings", { features: { fuse: false } }, { features: { fuse: true } })],
    "910 is changed and restarted  (feature flags)",
  ],
  [
    "disk growth",
    [step("update", "910-settings", { rootfsGb: 4 }, { rootfsGb: 8 })],
    "910 is changed in place, and goes on running  (root disk)",
  ],
  [
    "a replacement is the word, whatever else runs",
    [guest("create-replacement", "910", ["unprivileged"]), step("update", "910-settings")],
    "910 is replaced: a new one takes its place, and what is inside the old one goes  (unprivileged)",
  ],
  [
    "a template",
    [guest("replace", "900", [], "Template")],
    "template 900 is built anew; containers that were cloned from it stay  (its recipe or its source)",
  ],
])("%s", (_, steps, line) => {
  expect(lines(...steps)).toEqual([line]);
});

test("what stays is not listed", () => {
  expect(lines(guest("same", "910"), step("same", "910-settings"))).toEqual([]);
});

const spec = (vmid: number, more: object = {}) => ({
  vmid,
  name: `n${vmid}`,
  isTemplate: false,
  source: { kind: "os-template" },
  dependencies: [],
  ...more,
});
const model = {
  templates: [spec(900, { isTemplate: true })],
  containers: [spec(910), spec(911), spec(912, { dependencies: [910] }), spec(913, { dependencies: [912] })],
} as unknown as Model;

test("the outcome of each: done, failed with the script's own words, not reached with what it waits for", () => {
  const failing = step("create", "910-health");
  const events: EngineEvent[] = [
    { resOutputsEvent: { metadata: guest("same", "900", [], "Template") } },
    { resourcePreEvent: { metadata: guest("create", "910") } },
    { resourcePreEvent: { metadata: guest("create", "911") } },
    { resourcePreEvent: { metadata: failing } },
    {
      diagnosticEvent: {
        urn: failing.urn,
        severity: "error",
        message:
          "<{%reset%}>Process exited with status 32:\n  | refused\nerror UNHEALTHY (32): it is not healthy\n  hint: look<{%reset%}>",
      },
    },
    { resOpFailedEvent: { metadata: failing } },
  ];
  expect(outcomeLines(outcomesOf(events, model))).toEqual([
    "  ✓ 900 n900 (template): as it was",
    "  ✗ 910 n910: failed: error UNHEALTHY (32): it is not healthy",
    "  ✓ 911 n911: made",
    "  – 912 n912: not reached: it needs 910",
    "  – 913 n913: not reached: it needs 912",
  ]);
});

test("a step that was tried again and succeeded is no failure", () => {
  const locked = guest("create", "911");
  const events: EngineEvent[] = [
    { resourcePreEvent: { metadata: locked } },
    { diagnosticEvent: { urn: locked.urn, severity: "error", message: "CT is locked (disk)" } },
    { resOpFailedEvent: { metadata: locked } },
    { resOutputsEvent: { metadata: locked } },
  ];
  expect(outcomesOf(events, model).find(({ ctid }) => ctid === "911")).toMatchObject({
    end: "done",
    word: "made",
  });
});
