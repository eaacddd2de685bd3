import { expect, test } from "vitest";
import type { Finding } from "../src/drift/inspect.ts";
import { groupByContainer, inspectWith } from "../src/drift/inspect.ts";
import type { RunSteps } from "../src/drift/node.ts";
import { inheritedRuns, readState } from "../src/drift/state.ts";
import { markIn } from "../src/lib/mark.ts";
import { driftTable, exitCode } from "../src/drift/table.ts";

const base = "urn:pulumi:dev::phoenix::";
const command = "command:remote:Command";
const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});
const scripts = "/var/lib/phoenix/dev/scripts/d1";

function resource(parents: string, name: string, script: string, input: object, more: object = {}) {
  return {
    urn: `${base}${parents}$${command}::${name}`,
    type: command,
    inputs: {
      create: `${scripts}/${script} apply`,
      stdin: JSON.stringify(input),
      connection: secret({ host: "10.0.0.1", port: 22, user: "root", hostKey: "ssh-ed25519 AAAA" }),
    },
    ...more,
  };
}

const state = JSON.stringify({
  deployment: {
    resources: [
      { urn: `${base}phoenix:hypervisor:Hypervisor::hypervisor`, type: "phoenix:hypervisor:Hypervisor" },
      resource("phoenix:hypervisor:Hypervisor$phoenix:Feature", "pool-quickOS", "feature_setup_zfs.sh", {
        stack: "dev",
      }),
      {
        urn: `${base}phoenix:NodeScripts$${command}::x`,
        type: command,
        inputs: { create: "perl - receive", stdin: "…" },
      },
      resource("phoenix:lxc:Template$phoenix:Feature", "900-base_setup", "feature_setup_base.sh", {
        ctid: 900,
      }),
      resource("phoenix:lxc:Template", "900-seal", "seal_template.sh", { ctid: 900 }),
      {
        urn: `${base}phoenix:lxc:Container$proxmoxve:index/containerLegacy:ContainerLegacy::910`,
        type: "proxmoxve:index/containerLegacy:ContainerLegacy",
      },
      resource("phoenix:lxc:Container", "910-settings", "configure_container.sh", { ctid: 910 }),
      resource("phoenix:lxc:Container$phoenix:Feature", "910-mine", "lib/run_level0.sh mine.py", {
        ctid: 910,
      }),
      resource(
        "phoenix:lxc:Container$phoenix:Feature",
        "910-old",
        "feature_old.sh",
        { ctid: 910 },
        { delete: true },
      ),
    ],
  },
});

test("the state gives what can be checked: no uploads, no steps inside sealed templates, nothing on its way out", () => {
  const { runs, containers, connection } = readState(state);
  expect(runs.map(({ ctid, feature }) => `${ctid}/${feature}`)).toEqual([
    "/pool-quickOS",
    "900/seal",
    "910/settings",
    "910/mine",
  ]);
  expect(runs.map(({ checkable }) => checkable)).toEqual([true, true, true, false]);
  expect(runs[0]?.script).toBe(`${scripts}/feature_setup_zfs.sh`);
  expect(containers).toEqual(["910"]);
  expect(connection?.host).toBe("10.0.0.1");
});

test("an empty stack has nothing to check", () => {
  expect(readState(JSON.stringify({ deployment: {} })).runs).toEqual([]);
});

test("inherited features get the container's own number", () => {
  const record = JSON.stringify({
    recipe: "ab",
    features: [
      { name: "docker", script: `${scripts}/feature_install_docker.sh`, input: { parameters: { a: 1 } } },
    ],
  });
  const [run] = inheritedRuns(record, "dev", "910");
  expect(run).toMatchObject({ ctid: "910", feature: "docker", inherited: true, checkable: true });
  expect(JSON.parse(run?.input ?? "")).toEqual({ stack: "dev", ctid: 910, parameters: { a: 1 } });
});

test("the mark counts only for its own stack and vmid", () => {
  const mark = "phoenix stack=dev vmid=910 incarnation=0123456789abcdef recipe=77aa";
  const config = (text: string) => `arch: amd64\ndescription: ${encodeURIComponent(text)}\ncores: 1\n`;
  expect(markIn(config(`${mark}\nmy own words`), "dev", "910")).toEqual({ line: mark, recipe: "77aa" });
  expect(markIn(config(mark), "dev", "911")).toBeUndefined();
  expect(markIn(config(mark), "prod", "910")).toBeUndefined();
  expect(markIn(config(`my own words\n${mark}`), "dev", "910")).toBeUndefined();
  expect(markIn("arch: amd64\n", "dev", "910")).toBeUndefined();
  expect(markIn("description: 100% mine\n", "dev", "910")).toBeUndefined();
});

const finding = (verdict: Finding["verdict"], more: Partial<Finding> = {}): Finding => ({
  container: "910",
  feature: "docker",
  inherited: true,
  verdict,
  reasons: verdict === "clean" ? [] : ["docker.service is disabled"],
  ...more,
});

test("exit codes: drift before error before clean; what cannot be checked is no failure", () => {
  expect(exitCode([finding("clean"), finding("unchecked")])).toBe(0);
  expect(exitCode([finding("clean"), finding("error")])).toBe(1);
  expect(exitCode([finding("error"), finding("drift")])).toBe(2);
});

test("the table names container, feature and every reason, and leaves out what is clean", () => {
  const lines = driftTable([
    finding("clean", { feature: "settings" }),
    finding("drift", { reasons: ["one", "two"] }),
    finding("error", { container: "host", feature: "pool-quickOS", inherited: false, reasons: ["gone"] }),
  ]);
  expect(lines.slice(1)).toEqual([
    "910        docker (inherited)  one",
    "                               two",
    "host       pool-quickOS        error: gone",
  ]);
});

test("steps of one container stay together, in their order", () => {
  const { runs } = readState(state);
  const groups = groupByContainer(runs, ({ ctid, feature }) => ({ id: `${ctid}/${feature}`, command: "" }));
  expect(groups.map((group) => group.map(({ id }) => id))).toEqual([
    ["/pool-quickOS"],
    ["900/seal"],
    ["910/settings", "910/mine"],
  ]);
});

test("what is not known of a generation is said of clones; a container from an OS image has nothing from a template", async () => {
  const mark = "phoenix stack=dev vmid=910 incarnation=0123456789abcdef recipe=beeb41a3c27a2b5c";
  const run: RunSteps = (groups) =>
    Promise.resolve(
      new Map(
        groups.flat().map(({ id, command }) => {
          const config = command.startsWith("pct config");
          const lost = command.startsWith("cat ");
          return [
            id,
            { id, code: lost ? 1 : 0, stdout: config ? `description: ${mark}\n` : "", stderr: "" },
          ] as const;
        }),
      ),
    );
  const { containers, runs } = readState(state);
  const of = async (sources: [string, string][]): Promise<string[]> => {
    const stack = {
      name: "dev",
      variables: {},
      connection: undefined,
      containers,
      runs,
      sources: new Map(sources),
    };
    return (await inspectWith(run, stack, ["910"])).flatMap(({ reasons }) => reasons);
  };
  expect(await of([])).toEqual([]);
  expect((await of([["910", "902"]])).join()).toContain(
    "the node has no record of generation beeb41a3c27a2b5c",
  );
});
