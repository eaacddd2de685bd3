import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "../src/lib/checkout.ts";
import { pathWith, stackArgument } from "../src/lib/environment.ts";
import { errorsOf, parseEvents, urnParts } from "../src/lib/events.ts";
import { Failure, failureLines } from "../src/lib/failure.ts";
import { capture } from "../src/lib/process.ts";
import { duration, Progress } from "../src/lib/progress.ts";
import { nextCommand } from "../src/lib/pulumi-verb.ts";
import { dropBrokenSideFiles } from "../src/lib/side-files.ts";
import { backendFolder, clearStaleLocks } from "../src/lib/stale-lock.ts";
import { stepTitle } from "../src/lib/up-progress.ts";
import { quoted } from "../src/verbs/env.ts";

let room = "";
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), "phoenix-cli-test-"));
});
afterEach(() => rmSync(room, { recursive: true, force: true }));

function lock(stack: string, name: string, more: object = {}): void {
  const folder = join(room, ".pulumi/locks/organization/phoenix", stack);
  mkdirSync(folder, { recursive: true });
  // Process numbers end at 4194304 (proc(5)): this one cannot be.
  const ours = {
    pid: 4_999_999,
    username: userInfo().username,
    hostname: hostname(),
    timestamp: new Date().toISOString(),
  };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...ours, ...more }));
}
const locks = (stack: string): string[] =>
  readdirSync(join(room, ".pulumi/locks/organization/phoenix", stack)).sort();

test("only a dead run's own lock of this stack on this machine is removed", () => {
  lock("dev", "dead");
  lock("dev", "other-machine", { hostname: "elsewhere" });
  lock("dev", "other-user", { username: "somebody" });
  lock("prod", "dead");
  const cleared = clearStaleLocks(`file://${room}`, "dev");
  expect(cleared).toHaveLength(1);
  expect(cleared[0]).toContain("4999999");
  expect(locks("dev")).toEqual(["other-machine.json", "other-user.json"]);
  expect(locks("prod")).toEqual(["dead.json"]);
});

test("a number that another program has by now does not keep a lock", () => {
  lock("dev", "reused", { pid: process.pid });
  expect(clearStaleLocks(`file://${room}`, "dev")).toHaveLength(1);
});

test("a damaged lock, and a backend that is no folder, are left alone", () => {
  lock("dev", "damaged", { pid: "x" });
  expect(clearStaleLocks(`file://${room}`, "dev")).toEqual([]);
  expect(clearStaleLocks("https://api.example.com", "dev")).toEqual([]);
  expect(backendFolder("s3://bucket")).toBeUndefined();
  expect(backendFolder("file:///a/b")).toBe("/a/b");
});

test("a side file of the state that a killed run left empty or half written is removed, and nothing else", () => {
  const folder = join(room, ".pulumi/stacks/phoenix");
  mkdirSync(folder, { recursive: true });
  const texts = {
    "a.json": "",
    "a.json.attrs": "",
    "b.json.attrs": '{"user.cache_control":"',
    "c.json.attrs": '{"md5":"AAAA"}',
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  dropBrokenSideFiles(`file://${room}`);
  expect(readdirSync(folder).sort()).toEqual(["a.json", "c.json.attrs"]);
  dropBrokenSideFiles(`file://${room}/gone`);
  dropBrokenSideFiles("https://api.example.com");
});

test("every way to Pulumi goes by the side files first", async () => {
  const folder = join(room, ".pulumi/stacks/phoenix");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "dev.json.attrs"), "");
  const bin = join(room, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "pulumi"), "#!/bin/sh\n", { mode: 0o755 });
  const asked = "import('./packages/cli/src/lib/environment.ts').then((m) => m.pulumiEnvironment())";
  const env = { ...process.env, PULUMI_BACKEND_URL: `file://${room}`, PATH: `${bin}:${process.env["PATH"]}` };
  const { code, stderr } = await capture(process.execPath, ["-e", asked], { cwd: root, env });
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  expect(readdirSync(folder)).toEqual([]);
});

test("the stack among Pulumi's arguments", () => {
  expect(stackArgument(["--stack", "a"])).toBe("a");
  expect(stackArgument(["-s", "b", "--json"])).toBe("b");
  expect(stackArgument(["--stack=c"])).toBe("c");
  expect(stackArgument(["--target", "x", "--", "--stack", "d"])).toBeUndefined();
});

test("folders come first in the PATH, and once", () => {
  expect(pathWith(["/e", "/n"], "/bin:/e::/usr/bin")).toBe("/e:/n:/bin:/usr/bin");
});

test("what env prints, a shell reads back unchanged", async () => {
  for (const text of ["plain", "it's", "a b$HOME`x`\\", "ü\n2"]) {
    const { stdout } = await capture("sh", ["-c", `printf %s ${quoted(text)}`]);
    expect(stdout).toBe(text);
  }
});

test("events: half a last line is left out, errors come once and with their resource", () => {
  const urn = "urn:pulumi:dev::phoenix::phoenix:lxc:Container$command:remote:Command::910-docker";
  const error = JSON.stringify({
    diagnosticEvent: { urn, message: "<{%reset%}>exit 24<{%reset%}>\n", severity: "error" },
  });
  const other = JSON.stringify({ diagnosticEvent: { message: "update failed", severity: "error" } });
  const info = JSON.stringify({ diagnosticEvent: { message: "fine", severity: "info" } });
  const events = parseEvents([error, info, error, other, '{"half'].join("\n"));
  expect(events).toHaveLength(4);
  expect(errorsOf(events)).toEqual(["910-docker: exit 24"]);
  expect(urnParts(urn)).toEqual({
    type: "command:remote:Command",
    parents: "phoenix:lxc:Container",
    name: "910-docker",
  });
});

test("a long message keeps what failed and its last words", () => {
  const output = Array.from({ length: 40 }, (_, i) => `line ${i + 1}`).join("\n");
  const message = `Process exited with status 24: running "x.sh apply":\n${output}`;
  const [error = ""] = errorsOf([{ diagnosticEvent: { message, severity: "error" } }]);
  const lines = error.split("\n");
  expect(lines.slice(0, 3)).toEqual([
    'Process exited with status 24: running "x.sh apply":',
    "  … 25 lines more in the log",
    "line 26",
  ]);
  expect(lines.at(-1)).toBe("line 40");
});

test("a step's title names what a person knows; grouping and unchanged ones have none", () => {
  const guest = "proxmoxve:index/containerLegacy:ContainerLegacy";
  const urn = `urn:pulumi:dev::phoenix::phoenix:lxc:Container$${guest}::910`;
  expect(stepTitle({ op: "create", urn, type: guest })).toBe("guest 910");
  expect(stepTitle({ op: "delete-replaced", urn, type: guest })).toBe("delete-replaced guest 910");
  expect(stepTitle({ op: "same", urn, type: guest })).toBeUndefined();
  expect(stepTitle({ op: "create", urn, type: "phoenix:lxc:Container" })).toBeUndefined();
});

test("a failure names cause, log and the next command", () => {
  const lines = failureLines(new Failure("no disk", { log: "/l", next: "df" }));
  expect(lines).toEqual(["phoenix: no disk", "  full log:  /l", "  try next:  df"]);
  expect(nextCommand("preview", "https://10.213.0.2:8006: connect ECONNREFUSED", "dev")).toBe(
    "bin/phoenix lab status",
  );
  expect(nextCommand("up", "dial tcp 10.213.0.2:22: connection refused", "dev")).toBe(
    "bin/phoenix lab status",
  );
  expect(nextCommand("up", "etc/a.json:3:4 unknown key", "dev")).toBe("bin/phoenix validate");
});

test("without a terminal a step is one plain line, with ✓ or ✗ and its time", async () => {
  let text = "";
  const progress = new Progress({ write: (piece: string) => (text += piece) });
  await progress.step("good", () => Promise.resolve());
  await expect(progress.step("bad", () => Promise.reject(new Error("x")))).rejects.toThrow("x");
  expect(text).toMatch(/^✓ good {2}0\.\d s\n✗ bad {2}0\.\d s\n$/);
  expect(duration(200_000)).toBe("3 min 20 s");
});

test("a program that is missing gives 127, not an exception", async () => {
  const { code, stderr } = await capture("/no/such/program", []);
  expect(code).toBe(127);
  expect(stderr).toContain("ENOENT");
});
