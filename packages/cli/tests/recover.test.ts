import { expect, test } from "vitest";
import type { Model, StorageSpec } from "../../../model/index.ts";
import type { NodeStep, StepResult } from "../src/drift/node.ts";
import type { StepMetadata } from "../src/lib/events.ts";
import { countOf, providerOf, resourcesOf, withTaken } from "../src/recover/state.ts";
import { survey } from "../src/recover/survey.ts";
import { refuseHarm, takenOf } from "../src/recover/take-back.ts";
import { differenceLines, refuseForeign, standingLines } from "../src/verbs/recover.ts";

const mark = (vmid: number, stack = "dev") =>
  `phoenix stack=${stack} vmid=${vmid} incarnation=0123456789abcdef recipe=ab12`;

const storage = (id: string, more: Partial<StorageSpec> = {}): StorageSpec => ({
  ...{ id, type: "dir", content: ["iso", "vztmpl"], path: `/${id}`, existing: false, allow: [] },
  ...more,
});

const model = {
  templates: [
    { vmid: 900, name: "base", isTemplate: true, source: { kind: "os" } },
    { vmid: 902, name: "docker", isTemplate: true, source: { kind: "clone", vmid: 900, mode: "linked" } },
  ],
  containers: [{ vmid: 910, name: "hello", isTemplate: false, source: { kind: "clone", vmid: 902 } }],
  host: { storages: [storage("mine"), storage("other"), storage("local", { existing: true })] },
} as unknown as Model;

/** A node that answers commands with these texts. */
function node(answers: Readonly<Record<string, string>>) {
  return (groups: readonly (readonly NodeStep[])[]) => {
    const results = groups.flat().map(({ id, command }): [string, StepResult] => {
      const stdout = answers[command];
      return [id, { id, code: stdout === undefined ? 2 : 0, stdout: stdout ?? "", stderr: "none such" }];
    });
    return Promise.resolve(new Map(results));
  };
}

const guests = (...vmids: number[]) => JSON.stringify(vmids.map((vmid) => ({ vmid })));
const commands = {
  storages: "pvesh get /storage --output-format json",
  guests: "pvesh get /cluster/resources --type vm --output-format json",
};

test("what carries the mark is ours, what occupies a configured CTID without it is not", async () => {
  const standing = await survey(
    node({
      [commands.storages]: JSON.stringify([{ storage: "mine" }, { storage: "other" }, { storage: "local" }]),
      [commands.guests]: guests(900, 902, 100),
      // The note of another stack makes nothing this one's.
      "grep -lxs ours /var/lib/phoenix/*/claims/* || true":
        "/var/lib/phoenix/dev/claims/mine\n/var/lib/phoenix/home/claims/other\n",
      "pct config 900": `arch: amd64\ndescription: ${encodeURIComponent(`${mark(900)}\nmy own words\n`)}\n`,
      // As Proxmox VE copies it to a clone.
      "pct config 902": `description: ${encodeURIComponent(mark(900))}\n`,
    }),
    "dev",
    model,
  );
  expect(standing).toEqual({
    marks: new Map([[900, mark(900)]]),
    foreign: [902],
    storages: ["mine"],
    foreignStorages: ["other"],
  });
  expect(standingLines(standing, "dev", model).join("\n")).toMatch(
    /template 900 base[^]*storage mine [^]*Not there[^]*902 docker[^]*910 hello/,
  );
  expect(() => refuseForeign(standing, "dev")).toThrow(
    /nothing was touched: guest 902 is there .*; storage other is there, and the node has no note/,
  );
  expect(() => refuseForeign({ ...standing, foreign: [], foreignStorages: [] }, "dev")).not.toThrow();
});

test("a node that does not answer is an error, and no empty node", async () => {
  await expect(survey(node({ [commands.storages]: "[]" }), "dev", model)).rejects.toThrow(
    /does not say which guests it has: none such/,
  );
});

const start = "urn:pulumi:dev::phoenix::";
const stackUrn = `${start}pulumi:pulumi:Stack::phoenix-dev`;
const guestType = "proxmoxve:index/containerLegacy:ContainerLegacy";
const create = (
  type: string,
  name: string,
  parent: string,
  inputs?: Record<string, unknown>,
): StepMetadata => ({
  op: "create",
  urn: `${start}${type}::${name}`,
  type,
  new: { parent, ...(inputs ? { inputs } : {}) },
});
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const steps: StepMetadata[] = [
  create("pulumi:pulumi:Stack", "phoenix-dev", ""),
  create("phoenix:lxc:Template", "902", stackUrn),
  create("phoenix:lxc:Container", "910", stackUrn),
  create("command:remote:Command", "902-settings", `${start}phoenix:lxc:Template::902`, {}),
  create(guestType, "902", `${start}phoenix:lxc:Template::902`, {
    __defaults: ["console"],
    vmId: 902,
    startOnBoot: true,
    description: "phoenix stack=dev vmid=902 incarnation=ffffffffffffffff recipe=ab12",
    clone: { __defaults: [], full: false, vmId: unknown },
    initialization: {
      __defaults: ["dns"],
      dns: null,
      ipConfigs: [{ __defaults: [], ipv4: { address: "x" } }],
    },
  }),
  create(guestType, "910", `${start}phoenix:lxc:Container::910`, { vmId: 910 }),
];

test("the state of what is taken: the node's mark, the source's number, the parents; no command, and not the rest", () => {
  const standing = { marks: new Map([[902, mark(902)]]), foreign: [], storages: [], foreignStorages: [] };
  const taken = takenOf(steps, standing, model);
  const resources = resourcesOf({ steps, taken, provider: "provider::id" });
  expect(resources.map(({ urn }) => urn.replace(start, ""))).toEqual([
    "phoenix:lxc:Template::902",
    `${guestType}::902`,
  ]);
  expect(resources[0]).toMatchObject({ custom: false, parent: stackUrn });
  expect(resources[1]).toMatchObject({
    custom: true,
    id: "902",
    provider: "provider::id",
    inputs: { description: mark(902), clone: { vmId: 900 } },
  });
  // Without notes on defaults; and with values by which a refresh asks the node for what it would not read of a clone.
  expect(resources[1]?.outputs).toMatchObject({
    clone: { full: false, vmId: 900 },
    initialization: { ipConfigs: [{ ipv4: { address: "x" } }] },
    startOnBoot: false,
    protection: true,
  });
  expect(JSON.stringify(resources[1]?.outputs)).not.toMatch(/__defaults|null/);
});

test("it is added to a state behind what is there, once", () => {
  const state = JSON.stringify({
    version: 3,
    deployment: {
      resources: [
        { urn: stackUrn, type: "pulumi:pulumi:Stack", custom: false },
        { urn: "urn:p", type: "pulumi:providers:proxmoxve", custom: true, id: "1" },
      ],
    },
  });
  expect(providerOf(state)).toBe("urn:p::1");
  expect(countOf(state)).toBe(1);
  expect(countOf(JSON.stringify({ version: 3, deployment: {} }))).toBe(0);
  const more = { urn: "urn:a", type: "phoenix:lxc:Template", custom: false };
  const once = withTaken(state, [more]);
  expect(countOf(once)).toBe(2);
  expect(countOf(withTaken(once, [more]))).toBe(2);
});

test("a run that would make anything anew is refused before it", () => {
  const step = {
    op: "create-replacement",
    urn: `${start}${guestType}::910`,
    type: guestType,
    diffs: ["clone"],
  };
  expect(() => refuseHarm([step])).toThrow("the node was not touched: 910 would be made anew (clone).");
  expect(() => refuseHarm([{ ...step, op: "update" }])).not.toThrow();
});

test("the last word is that the preview is empty, or what differs", () => {
  const same = { op: "same", urn: `${start}${guestType}::910`, type: guestType };
  expect(differenceLines([same])).toEqual(["Everything is back in the state, and the preview is empty."]);
  const pool = {
    op: "update",
    urn: `${start}command:remote:Command::pool-tank`,
    type: "command:remote:Command",
  };
  expect(differenceLines([same, pool]).join("\n")).toMatch(
    /Today's configuration is another one[^]*pool-tank/,
  );
});
