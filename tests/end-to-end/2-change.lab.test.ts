import { readdirSync } from "node:fs";
import { beforeAll, expect, inject, test } from "vitest";
import { Checkout } from "./checkout.ts";
import { stepsOf } from "./cut.ts";
import { changes, nameOf, outputs } from "./facts.ts";

const checkout = new Checkout(inject("room"));

const bootId = () => checkout.guest(910, "cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1");
const rootDataset = () =>
  checkout.node("zfs get -Hp -o value creation,guid $(zfs list -H -o name | grep -E '910-disk-0$')");

let writing = 0;
const writingCalls = async (): Promise<number> => {
  const { stdout } = await checkout.phoenix("lab", "logs", "--requests");
  return stdout.split("\n").filter((line) => /"method": ?"(POST|PUT|DELETE)"/.test(line)).length;
};

test("a second up changes nothing", async () => {
  const { code, stdout } = await checkout.phoenix("up");
  expect(stdout).toMatch(/\d+ unchanged/);
  expect(stdout).not.toMatch(/\d+ (created|updated|deleted|replaced)/);
  expect(code).toBe(0);
});

test("preview --expect-no-changes exits 0, also after a refresh with sealed templates", async () => {
  expect((await checkout.pulumi("preview", "--expect-no-changes")).code).toBe(0);
  const refreshed = await checkout.phoenix("refresh", "--expect-no-changes");
  expect(refreshed.stdout + refreshed.stderr).not.toMatch(/error/i);
  expect(refreshed.code).toBe(0);
  expect((await checkout.pulumi("preview", "--expect-no-changes")).code).toBe(0);
});

test("--target takes one container", async () => {
  const { stdout } = await checkout.phoenix("urns", "910");
  const targets = stdout
    .trim()
    .split("\n")
    .flatMap((urn) => ["--target", urn]);
  const { code } = await checkout.pulumi("preview", "--expect-no-changes", ...targets);
  expect(code).toBe(0);
});

test("the orchestrator's --dry-run makes no writing call", async () => {
  writing = await writingCalls();
  const run = await checkout.run(checkout.path("bin/phoenix_orchestrator.sh"), ["910", "--dry-run"]);
  expect(run.stdout + run.stderr).not.toMatch(/error/i);
  expect(run.code).toBe(0);
  expect(await writingCalls()).toBe(writing);
  expect(writing).toBeGreaterThan(0); // the log does see writing calls
});

test("an edit of 910's own feature script is one update of that feature, and uploads of that script", async () => {
  const edited = "bin/lxc/feature_serve_page.sh";
  await checkout.withEdit(
    edited,
    (text) => `${text}# edited\n`,
    async () => {
      const { stdout } = await checkout.pulumi("preview", "--json");
      const steps = changes(stdout);
      const uploads = steps.filter(({ urn }) => urn.includes("phoenix:NodeScripts"));
      expect(uploads.map(({ op }) => op).toSorted()).toEqual(["create", "delete"]);
      expect(uploads.every(({ urn }) => nameOf(urn).startsWith("feature_serve_page"))).toBe(true);
      const rest = steps
        .filter((step) => !uploads.includes(step))
        .map(({ op, urn }) => `${op} ${nameOf(urn)}`);
      expect(rest).toEqual(["update 910-serve_page"]);
    },
  );
});

test("a broken configuration ends the run with nothing planned", async () => {
  await checkout.withEdit(
    "etc/dev/lxc.json",
    () => '{ "lxc_configs": { "910": { "memoy_mb": 1 } } }',
    async () => {
      const { code, stdout, stderr } = await checkout.phoenix("preview");
      expect(code).not.toBe(0);
      expect(stdout + stderr).toContain("memoy_mb");
      expect(stdout).not.toMatch(/\d+ to delete|delete/);
      const plan = await checkout.pulumi("preview", "--json");
      expect(plan.code).not.toBe(0);
      expect(plan.stdout + plan.stderr).toContain("did you mean");
      expect(changes(plan.stdout)).toEqual([]);
    },
  );
});

test("a vmid that somebody else holds is refused in preview, and nothing is touched", async () => {
  // A copy has 902's mark with 902's number: that does not make it ours.
  await checkout.node("pct clone 902 911 --hostname stranger");
  try {
    const add = (text: string) => {
      const config = JSON.parse(text) as { lxc_configs: Record<string, unknown> };
      config.lxc_configs["911"] = {
        name: "newcomer",
        clone_from_ctid: "902",
        network_config: { ip: "10.0.0.111/24" },
      };
      return JSON.stringify(config);
    };
    await checkout.withEdit("etc/dev/lxc.json", add, async () => {
      const { code, stdout, stderr } = await checkout.phoenix("preview");
      expect(code).not.toBe(0);
      expect(stdout + stderr).toMatch(/vmid 911 is taken/);
    });
    expect(await checkout.node("pct config 911")).toContain("hostname: stranger");
  } finally {
    await checkout.node("pct destroy 911");
  }
});

test("an edit of base_setup rebuilds the templates, children first, and leaves 910 as it is", async () => {
  const [boot, dataset] = [await bootId(), await rootDataset()];
  await checkout.withEdit(
    "bin/lxc/feature_setup_base.sh",
    (text) => `${text}# edited\n`,
    async () => {
      const { stdout } = await checkout.pulumi("preview", "--json");
      const steps = changes(stdout);
      const replaced = steps.filter(({ op }) => op === "replace");
      const guests = replaced
        .filter(({ urn }) => urn.includes("containerLegacy"))
        .map(({ urn }) => nameOf(urn));
      expect(guests.toSorted()).toEqual(["900", "902"]);
      const touched = steps.filter(({ urn }) => urn.includes("phoenix:lxc:Container"));
      expect(touched).toEqual([]);

      const up = await checkout.phoenix("up");
      expect(up.stderr).not.toMatch(/error/i);
      expect(up.code).toBe(0);
      const logs = readdirSync(checkout.path(".phoenix/log")).filter((name) =>
        name.endsWith("up.events.jsonl"),
      );
      const deleted = stepsOf(checkout.read(`.phoenix/log/${logs.sort().at(-1) ?? ""}`))
        .filter(({ op, urn }) => op === "delete-replaced" && urn.includes("containerLegacy"))
        .map(({ urn }) => nameOf(urn));
      expect(deleted).toEqual(["902", "900"]);
      expect(await outputs(checkout)).toMatchObject({ containers: { 910: { generation: "older" } } });
      expect(await bootId()).toBe(boot);
      expect(await rootDataset()).toBe(dataset);
      expect((await checkout.pulumi("preview", "--expect-no-changes")).code).toBe(0);
      // What 910 has from its templates is checked with the scripts of its own generation, which are still there.
      const drift = await checkout.phoenix("drift");
      expect(drift.stdout).toMatch(/as configured/);
      expect(drift.code).toBe(0);
    },
  );
});

beforeAll(async () => {
  expect(await checkout.gitStatus()).toBe("");
});
