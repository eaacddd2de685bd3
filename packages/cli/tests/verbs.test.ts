import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
    expect(report.findings).toContainEqual(expect.objectContaining({ class: "schema", file }));
  } finally {
    rmSync(room, { recursive: true });
  }
});

test("each class of finding is named for tools", async () => {
  const room = mkdtempSync(join(tmpdir(), "phoenix-cli-test-"));
  const classOf = async (text: string | undefined): Promise<string[]> => {
    const file = join(room, text === undefined ? "missing.json" : "lxc.json");
    if (text !== undefined) writeFileSync(file, text);
    const { code, stdout } = await phoenix("validate", "--lxc", file, "--json");
    expect(code).toBe(1);
    const { findings } = JSON.parse(stdout) as { findings: { class: string; severity: string }[] };
    const errors = findings.filter(({ severity }) => severity === "error");
    return [...new Set(errors.map((finding) => finding.class))];
  };
  const dangling = { lxc_configs: { "910": { name: "x", clone_from_ctid: "1234" } } };
  try {
    expect(await classOf(undefined)).toEqual(["file"]);
    expect(await classOf('{ "lxc_configs": ')).toEqual(["syntax"]);
    expect(await classOf('{ "lxc_configs": [] }')).toEqual(["schema"]);
    expect(await classOf(JSON.stringify(dangling))).toContain("cross-check");
  } finally {
    rmSync(room, { recursive: true });
  }
});

test("graph draws in both languages", async () => {
  expect((await phoenix("graph")).stdout).toMatch(/^flowchart[\s\S]*910/);
  expect((await phoenix("graph", "--dot")).stdout).toMatch(/^digraph[\s\S]*910/);
});

test("show: every value with who says so and where it is written", async () => {
  const text = (await phoenix("show", "910", "--stack", "dev")).stdout;
  expect(text).toMatch(/^memory_mb +512 +910 {2}etc\/dev\/lxc\.json:\d+$/m);
  expect(text).toMatch(/^cores +1 +900 {2}etc\/dev\/lxc\.json:\d+$/m);
  expect(text).toMatch(/^swap_mb +512 +default$/m);
  const rows = JSON.parse((await phoenix("show", "910", "--json")).stdout) as {
    key: string;
    value: unknown;
    origin: string;
  }[];
  expect(rows).toContainEqual({ key: "pct_options.nesting", value: true, origin: "needed by docker" });
});

test("show: a number that nobody has and a broken file", async () => {
  const nobody = await phoenix("show", "5");
  expect(nobody.code).toBe(2);
  expect(nobody.stderr).toContain("910");
  expect((await phoenix("show")).code).toBe(2);
  expect((await phoenix("show", "910", "--lxc", "/nonexistent.json")).code).toBe(1);
});

test("migrate: a diff first, files only where a folder is named, nothing overwritten unasked", async () => {
  const room = mkdtempSync(join(tmpdir(), "phoenix-cli-test-"));
  const [old, out] = [join(room, "phoenix_lxc_configs.json"), join(room, "out")];
  const written = join(out, "phoenix_lxc_configs.json");
  const text = `${JSON.stringify({ lxc_configs: { "910": { name: "x", zfs_volumes: [] } } }, null, 2)}\n`;
  writeFileSync(old, text);
  try {
    const look = await phoenix("migrate", old);
    expect(look.code).toBe(0);
    expect(look.stdout).toMatch(/^--- .*\n\+\+\+ /);
    expect(look.stderr).toContain("`zfs_volumes` is now `volumes`");
    expect(readFileSync(old, "utf8")).toBe(text);
    expect(existsSync(out)).toBe(false);

    expect((await phoenix("migrate", old, "--write", out)).code).toBe(0);
    expect(JSON.parse(readFileSync(written, "utf8"))).toEqual({
      lxc_configs: { "910": { name: "x", volumes: [] } },
    });
    expect(readFileSync(old, "utf8")).toBe(text);

    writeFileSync(written, "mine");
    const again = await phoenix("migrate", old, "--write", out);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("would be overwritten");
    expect(readFileSync(written, "utf8")).toBe("mine");
    expect((await phoenix("migrate", old, "--write", out, "--overwrite")).code).toBe(0);
    expect(readFileSync(written, "utf8")).not.toBe("mine");
  } finally {
    rmSync(room, { recursive: true });
  }
});

test("migrate reads the shell configuration as data", async () => {
  const room = mkdtempSync(join(tmpdir(), "phoenix-cli-test-"));
  const [config, trace] = [join(room, "phoenix_config.sh"), join(room, "was-run")];
  writeFileSync(config, `#!/bin/bash\nQUICKOS_POOL="quickOS"\ntouch ${trace}\nX=$(touch ${trace})\n`);
  try {
    const { stderr } = await phoenix("migrate", config);
    expect(stderr).toMatch(/phoenix_config\.sh:3:/);
    expect(stderr).toMatch(/phoenix_config\.sh:4:/);
    expect(existsSync(trace)).toBe(false);
  } finally {
    rmSync(room, { recursive: true });
  }
});

test("migrate: wrong usage is 2, what cannot be read is 1 and nothing is written", async () => {
  expect((await phoenix("migrate")).code).toBe(2);
  expect((await phoenix("migrate", "x.json", "--overwrite")).code).toBe(2);
  const room = mkdtempSync(join(tmpdir(), "phoenix-cli-test-"));
  try {
    const { code, stderr } = await phoenix("migrate", join(room, "gone.json"), "--write", join(room, "out"));
    expect(code).toBe(1);
    expect(stderr).toContain("the file does not exist");
    expect(existsSync(join(room, "out"))).toBe(false);
  } finally {
    rmSync(room, { recursive: true });
  }
});

test("urns: a container comes with its chain and the host; the host alone comes without guests", async () => {
  const container = (await phoenix("urns", "--stack", "dev", "910")).stdout;
  for (const vmid of [900, 902, 910]) expect(container).toContain(`phoenix:lxc:**::${vmid}\n`);
  expect(container).toContain("phoenix:hypervisor:Hypervisor**");
  const host = (await phoenix("urns", "--stack", "dev", "--setup-hypervisor")).stdout;
  expect(host).not.toContain("phoenix:lxc");
  expect((await phoenix("urns")).code).toBe(2);
});
