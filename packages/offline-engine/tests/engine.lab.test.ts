import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../src/command.ts";
import { install } from "../src/install.ts";
import { pulumiVersion } from "../src/pins.ts";
import { provide } from "../src/provide.ts";

const modules = join(dirname(createRequire(import.meta.url).resolve("@pulumi/pulumi/package.json")), "../..");

const program = `
import * as pulumi from "@pulumi/pulumi";
import { local } from "@pulumi/command";
import { appendFileSync, existsSync } from "node:fs";

const note = (line: string) => appendFileSync("log", line + "\\n");
const config = new pulumi.Config();
const before = new pulumi.ResourceHook("before", async (args) => {
  note("before " + args.name + (pulumi.runtime.isDryRun() ? " preview" : " update"));
  if (existsSync("refuse")) throw new Error("taken by somebody else");
}, { onDryRun: true });
const retry = new pulumi.ErrorHook("retry", async (args) => {
  note("error " + args.errors.some((text) => text.includes("exit status 9")));
  return true;
});
const first = new local.Command("first", {
  create: "echo " + config.require("word") + "; test -e ready || { touch ready; exit 9; }",
  delete: "echo removed >> log",
}, { hooks: { beforeCreate: [before], onError: [retry] } });
export const word: pulumi.Output<string> = first.stdout;
export const hidden: pulumi.Output<string> = pulumi.output(config.requireSecret("hidden"));
if (existsSync("throw")) throw new Error("the program is wrong");
`;

describe("the engine runs a program", () => {
  const folder = mkdtempSync(join(tmpdir(), "phoenix-engine-"));
  let environment: NodeJS.ProcessEnv;

  const pulumi = (...args: string[]) =>
    run("pulumi", [...args, "--non-interactive"], { cwd: folder, env: environment });
  const log = () => readFileSync(join(folder, "log"), "utf8").trim().split("\n");

  beforeAll(async () => {
    const engine = await provide("engine");
    install((await provide("plugins")).folder, join(folder, "home"));
    environment = {
      PATH: [engine.folder, dirname(process.execPath), process.env["PATH"]].join(delimiter),
      HOME: folder,
      PULUMI_HOME: join(folder, "home"),
      PULUMI_BACKEND_URL: `file://${join(folder, "backend")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    mkdirSync(join(folder, "backend"));
    symlinkSync(modules, join(folder, "node_modules"));
    const runtime = "runtime: { name: nodejs, options: { typescript: false } }";
    writeFileSync(join(folder, "Pulumi.yaml"), `name: tiny\nmain: index.ts\n${runtime}\n`);
    writeFileSync(join(folder, "package.json"), `{ "name": "tiny", "type": "module" }`);
    writeFileSync(join(folder, "index.ts"), program);
    const made = await pulumi("stack", "init", "dev");
    expect(made.code, made.stderr).toBe(0);
    await pulumi("config", "set", "word", "hello");
    await pulumi("config", "set", "--secret", "hidden", "swordfish");
  }, 600_000);

  afterAll(() => rmSync(folder, { recursive: true }));

  it("is the version that was asked for", async () => {
    expect((await run("pulumi", ["version"], { env: environment })).stdout.trim()).toBe(`v${pulumiVersion}`);
  });

  it("a hook sees a creation in the preview already, and can refuse it", async () => {
    expect((await pulumi("preview")).code).toBe(0);
    expect(log()).toEqual(["before first preview"]);
    writeFileSync(join(folder, "refuse"), "");
    const refused = await pulumi("preview");
    rmSync(join(folder, "refuse"));
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toContain("taken by somebody else");
  }, 60_000);

  it("an error hook sees the plugin's error and makes the engine try again", async () => {
    rmSync(join(folder, "log"));
    const up = await pulumi("up", "--yes", "--skip-preview");
    expect(up.code, up.stdout + up.stderr).toBe(0);
    expect(log()).toEqual(["before first update", "error true"]);
    expect(JSON.parse((await pulumi("stack", "output", "--json")).stdout)).toEqual({
      hidden: "[secret]",
      word: "hello",
    });
  }, 60_000);

  it("nothing changes twice, also after a refresh", async () => {
    expect((await pulumi("refresh", "--yes", "--skip-preview")).code).toBe(0);
    expect((await pulumi("preview", "--expect-no-changes")).code).toBe(0);
  }, 60_000);

  it("secrets are not in the state", async () => {
    const { stdout } = await pulumi("stack", "export");
    expect(stdout).toContain("hello");
    expect(stdout).not.toContain("swordfish");
  });

  it("a program that throws is told once, with its place, and changes nothing", async () => {
    writeFileSync(join(folder, "throw"), "");
    const failed = await pulumi("up", "--yes", "--skip-preview");
    rmSync(join(folder, "throw"));
    const told = failed.stdout + failed.stderr;
    expect(failed.code).not.toBe(0);
    expect(told).toContain("index.ts");
    expect(told).not.toContain("the program exited with code");
    expect((await pulumi("preview", "--expect-no-changes")).code).toBe(0);
  }, 60_000);

  it("destroy runs what the state says", async () => {
    expect((await pulumi("destroy", "--yes", "--skip-preview")).code).toBe(0);
    expect(log().at(-1)).toBe("removed");
  }, 60_000);
});
