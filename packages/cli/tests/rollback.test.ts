import { expect, test } from "vitest";
import type { Finding, Stack } from "../src/drift/inspect.ts";
import type { NodeStep, StepResult } from "../src/drift/node.ts";
import { markForReapplication } from "../src/lib/reapply.ts";
import { affected, rollBack, snapshotNames } from "../src/lib/rollback.ts";

const listing = [
  "`-> pre-configured              2026-11-24 10:00:00     Phoenix: pre-configured",
  "  `-> final-form                2026-11-24 10:05:00     Phoenix: final-form",
  "    `-> current                                         You are here!",
].join("\n");
const mark = "phoenix stack=dev vmid=910 incarnation=0123456789abcdef recipe=ab12";
/** The generation's record; without it inherited features cannot be checked. */
const record = JSON.stringify({ features: [] });
const stack: Stack = {
  name: "dev",
  connection: undefined,
  runs: [
    {
      urn: "urn:settings",
      ctid: "910",
      feature: "settings",
      script: "/s/configure_container.sh",
      input: '{"ctid":910}',
      inherited: false,
      checkable: true,
    },
  ],
  containers: ["910"],
  sources: new Map(),
  variables: {},
};

/** A node with container 910; keeps what it is told. */
function node(answers: Readonly<Record<string, Partial<StepResult>>> = {}) {
  const told: string[] = [];
  const usual: Record<string, Partial<StepResult>> = {
    "pct config 910": { stdout: `description: ${mark}%0A\n` },
    "pct status 910": { stdout: "status: running\n" },
    "pct listsnapshot 910": { stdout: listing },
    "cat /var/lib/phoenix/dev/generations/ab12.json": { stdout: record },
  };
  const run = (groups: readonly (readonly NodeStep[])[]) => {
    const results = groups.flat().map(({ id, command }): [string, StepResult] => {
      told.push(command);
      return [id, { id, code: 0, stdout: "", stderr: "", ...usual[command], ...answers[command] }];
    });
    return Promise.resolve(new Map(results));
  };
  return { run, told };
}

test("snapshots are read as `pct listsnapshot` shows them", () => {
  expect(snapshotNames(listing)).toEqual(["pre-configured", "final-form"]);
  expect(snapshotNames("`-> current                                             You are here!")).toEqual([]);
});

test("a container that ran is started again, and what is off then is told", async () => {
  const { run, told } = node({ "/s/configure_container.sh check": { code: 10, stdout: "mp0 is missing\n" } });
  const findings = await rollBack(stack, "910", "final-form", run);
  expect(told.filter((command) => /rollback|start/.test(command))).toEqual([
    "pct rollback 910 final-form",
    "pct start 910",
  ]);
  expect(affected(findings).map(({ urn }) => urn)).toEqual(["urn:settings"]);
});

test("one that was stopped stays so", async () => {
  const { run, told } = node({ "pct status 910": { stdout: "status: stopped\n" } });
  await rollBack(stack, "910", "final-form", run);
  expect(told).not.toContain("pct start 910");
});

test("nothing is touched without such a snapshot, or in a container of somebody else", async () => {
  const unknown = node();
  await expect(rollBack(stack, "910", "mine", unknown.run)).rejects.toThrow(
    "CT 910 has no snapshot mine (it has pre-configured, final-form); nothing was touched.",
  );
  const strange = node({ "pct config 910": { stdout: "hostname: x\n" } });
  await expect(rollBack(stack, "910", "final-form", strange.run)).rejects.toThrow("does not carry the mark");
  expect([...unknown.told, ...strange.told].filter((command) => command.includes("rollback"))).toEqual([]);
});

test("newer snapshots are in the way, and are named", async () => {
  const refusal = "can't rollback, 'final-form' is not most recent";
  const { run } = node({ "pct rollback 910 pre-configured": { code: 255, stderr: `${refusal}\n` } });
  await expect(rollBack(stack, "910", "pre-configured", run)).rejects.toMatchObject({
    message: `pct rollback 910 pre-configured: ${refusal}`,
    next: "pct delsnapshot 910 final-form on the node, if what they hold may go",
  });
});

test("only what is not as configured and stands in the state is affected", () => {
  const [own] = stack.runs;
  const finding = (verdict: Finding["verdict"], more: Partial<Finding> = {}): Finding => ({
    ...{ container: "910", feature: "settings", inherited: false, verdict, reasons: [] },
    ...(own ? { run: own } : {}),
    ...more,
  });
  expect(affected([finding("clean"), finding("drift", { inherited: true })])).toEqual([]);
  expect(affected([finding("error"), finding("unchecked")])).toHaveLength(2);
});

test("a marked step differs from what the program gives by one variable, and nothing else does", () => {
  const type = "command:remote:Command";
  const resources = [
    { urn: "a", type, inputs: { create: "x apply", stdin: "{}" } },
    { urn: "b", type, inputs: { create: "y apply" } },
  ];
  const marked = markForReapplication(
    JSON.stringify({ version: 3, deployment: { resources } }),
    ["a"],
    "rolled back",
  );
  expect(JSON.parse(marked)).toEqual({
    version: 3,
    deployment: {
      resources: [
        {
          urn: "a",
          type,
          inputs: { create: "x apply", stdin: "{}", environment: { PHOENIX_APPLY_AGAIN: "rolled back" } },
        },
        resources[1],
      ],
    },
  });
});
