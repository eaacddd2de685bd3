import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../src/lib/checkout.ts";
import { capture } from "../src/lib/process.ts";

const phoenix = (...args: string[]) =>
  capture("node", [join(root, "packages/cli/src/main.ts"), ...args], { cwd: root });

test("alone it says in fifteen lines at most what it can do", async () => {
  const { code, stdout } = await phoenix();
  expect(code).toBe(0);
  expect(stdout.trimEnd().split("\n").length).toBeLessThanOrEqual(15);
  for (const verb of ["validate", "graph", "try", "env", "preview", "up", "drift", "repair", "lab", "test"]) {
    expect(stdout).toContain(verb);
  }
});

test("an unknown verb and an unknown option are wrong usage", async () => {
  expect((await phoenix("nonsense")).code).toBe(2);
  expect((await phoenix("validate", "--nonsense")).code).toBe(2);
  expect((await phoenix("toString")).code).toBe(2);
});

test("the reference configuration is valid, alone and as stack dev", async () => {
  for (const args of [[], ["--stack", "dev"]]) {
    const { code, stdout } = await phoenix("validate", ...args);
    expect(stdout).toContain("The configuration is valid");
    expect(code).toBe(0);
  }
});

test("a broken file is an error with its place, in text and in JSON", async () => {
  const room = mkdtempSync(join(tmpdir(), "phoenix-cli-test-"));
  const file = join(room, "lxc.json");
  writeFileSync(file, '{ "lxc_configs": { "910": { "memoy_mb": 1 } } }\n');
  try {
    const text = await phoenix("validate", "--lxc", file);
    expect(text.code).toBe(1);
    expect(text.stdout).toContain(`${file}:1:`);
    const json = await phoenix("validate", "--lxc", file, "--json");
    expect(json.code).toBe(1);
    const report = JSON.parse(json.stdout) as { valid: boolean; findings: { class: string; file: string }[] };
    expect(report.valid).toBe(false);
    expect(report.findings[0]).toMatchObject({ class: "schema", file });
  } finally {
    rmSync(room, { recursive: true });
  }
});

test("graph draws in both languages, show prints one container with what it inherits", async () => {
  expect((await phoenix("graph")).stdout).toMatch(/^flowchart[\s\S]*910/);
  expect((await phoenix("graph", "--dot")).stdout).toMatch(/^digraph[\s\S]*910/);
  const shown = JSON.parse((await phoenix("show", "910", "--json")).stdout) as {
    vmid: number;
    inheritedFeatures: { name: string }[];
  };
  expect(shown.vmid).toBe(910);
  expect(shown.inheritedFeatures.map(({ name }) => name)).toContain("docker");
  const nobody = await phoenix("show", "5");
  expect(nobody.code).toBe(2);
  expect(nobody.stderr).toContain("910");
});

test("urns: a container comes with its chain and the host; the host alone comes without guests", async () => {
  const container = (await phoenix("urns", "--stack", "dev", "910")).stdout;
  for (const vmid of [900, 902, 910]) expect(container).toContain(`phoenix:lxc:**::${vmid}\n`);
  expect(container).toContain("phoenix:hypervisor:Hypervisor**");
  const host = (await phoenix("urns", "--stack", "dev", "--setup-hypervisor")).stdout;
  expect(host).not.toContain("phoenix:lxc");
  expect((await phoenix("urns")).code).toBe(2);
});
