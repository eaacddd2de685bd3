import { chmodSync, cpSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Bench, root } from "./run-script.ts";

const settings = "bin/lxc/configure_container.sh";
const page = "bin/lxc/feature_serve_page.sh";
const docker = "bin/lxc/feature_install_docker.sh";
const mark = "phoenix stack=dev vmid=101 incarnation=0123456789abcdef recipe=ab12";
const ours = { description: `${mark}%0Aa person%27s own text%0A`, rootfs: "store:subvol-101-disk-0,size=4G" };

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

const document = (parameters: object, more: object = {}) => ({
  stack: "dev",
  ctid: 101,
  parameters,
  ...more,
});
const verbs = () => bench.calls().map(([, verb]) => verb);

describe("the call", () => {
  test.each([
    [["fix"], "unknown verb 'fix'"],
    [[], "usage:"],
    [["check", "101"], "usage:"],
  ])("%j is refused", (args, message) => {
    const { code, stderr } = bench.guest(ours).run(page, args, document({}));
    expect(code).toBe(20);
    expect(stderr).toContain(message);
    expect(bench.calls()).toEqual([]);
  });

  test("a document that cannot be read is refused without quoting it", () => {
    const { code, stderr } = bench.guest(ours).run(page, ["apply"], '{"parameters":{"password":"hunter2"');
    expect(code).toBe(20);
    expect(stderr).not.toContain("hunter2");
  });

  test.each([
    [{ port: 80 }, "/parameters/text"],
    [{ port: 70000, text: "x" }, "not a port"],
    [{ port: "80; reboot", text: "x" }, "not a port"],
  ])("parameters %j are refused before anything is done", (parameters, message) => {
    const { code, stderr } = bench.guest(ours).run(page, ["apply"], document(parameters));
    expect(code).toBe(20);
    expect(stderr).toContain(message);
    expect(verbs()).toEqual(["config"]);
  });

  test("values travel as arguments and are never part of the text that runs", () => {
    const text = `$(touch ${bench.folder}/spliced) \`x\` "' ü`;
    bench.guest(ours).run(page, ["apply"], document({ text }));
    bench.run(page, ["apply"], document({ text: "other" }));
    const [first, second] = bench.calls().filter(([, verb]) => verb === "exec");
    // pct exec CTID -- /bin/bash -c TEXT phoenix VALUE…
    expect(first?.slice(0, 6)).toEqual(["pct", "exec", "101", "--", "/bin/bash", "-c"]);
    expect(first?.slice(7)).toEqual(["phoenix", "80", text]);
    expect(first?.[6]).toBe(second?.[6]);
    expect(existsSync(join(bench.folder, "spliced"))).toBe(false);
  });
});

describe("whose guest it is", () => {
  test.each([
    ["no description", {}],
    ["a person's description", { description: "my web server" }],
    ["another stack's mark", { description: mark.replace("dev", "prod") }],
    ["a mark that came along with a clone", { description: mark.replace("vmid=101", "vmid=102") }],
    ["a mark below the first line", { description: `hello%0A${mark}` }],
  ])("%s: nothing is done", (_, config) => {
    for (const verb of ["check", "apply", "remove"]) {
      expect(bench.guest(config).run(page, [verb], document({ text: "x" })).code).toBe(27);
    }
    expect(new Set(verbs())).toEqual(new Set(["config"]));
  });

  const gone = `echo "Configuration file 'nodes/pve/lxc/101.conf' does not exist" >&2; exit 2`;
  test.each([
    ["check", 11],
    ["apply", 22],
    ["remove", 0],
  ])("%s of a guest that is gone ends with %i", (verb, code) => {
    expect(bench.tool("pct", gone).run(page, [verb], document({ text: "x" })).code).toBe(code);
  });

  test("a node that does not answer is an error and not a guest that is gone", () => {
    bench.tool("pct", "echo 'ipcc_send_rec failed: Connection refused' >&2; exit 111");
    const { code, stderr } = bench.run(page, ["remove"], document({ text: "x" }));
    expect(code).toBe(29);
    expect(stderr).toContain("| ipcc_send_rec failed: Connection refused");
  });

  test("a stopped guest cannot be checked, nor changed", () => {
    const stopped = "exec) exit 255 ;; status) echo 'status: stopped' ;;";
    expect(bench.guest(ours, stopped).run(page, ["check"], document({ text: "x" }))).toMatchObject({
      code: 11,
      stdout: "guest 101 is stopped\n",
    });
    expect(bench.run(page, ["apply"], document({ text: "x" })).code).toBe(22);
  });
});

describe("a sealed template", () => {
  const sealed = { ...ours, template: "1" };

  test.each([settings, page, docker])("%s leaves it alone when the recipe is the same", (script) => {
    const input = document({ text: "x" }, { recipe: "ab12" });
    for (const verb of ["check", "apply", "remove"]) {
      expect(bench.guest(sealed).run(script, [verb], input).code).toBe(0);
    }
    expect(new Set(verbs())).toEqual(new Set(["config"]));
  });

  test("of another recipe is an error", () => {
    expect(bench.guest(sealed).run(page, ["apply"], document({ text: "x" }, { recipe: "ff" })).code).toBe(31);
    expect(bench.run(page, ["apply"], document({ text: "x" })).code).toBe(31);
  });

  test("is sealed once, and its record must be of its own recipe", () => {
    const seal = "bin/lxc/seal_template.sh";
    const other = document({ record: { recipe: "ff", features: [] } }, { recipe: "ab12" });
    expect(bench.guest(ours).run(seal, ["apply"], other).code).toBe(20);
    const record = document({ record: { recipe: "ff", features: [] } }, { recipe: "ff" });
    expect(bench.guest(sealed).run(seal, ["apply"], record).code).toBe(31);
    expect(verbs()).not.toContain("template");
  });
});

describe("settings", () => {
  const wanted = { features: { nesting: true, keyctl: true, fuse: false }, rootfsGb: 4, started: true };
  const asWanted = { ...ours, features: "keyctl=1,nesting=1" };
  const running = (pending = "") =>
    `status) echo 'status: running' ;; pending) printf '%s\n' 'cur cores: 1' ${pending} ;;`;

  test("as wanted: silent, and nothing is set", () => {
    expect(bench.guest(asWanted, running()).run(settings, ["check"], document(wanted))).toMatchObject({
      code: 0,
      stdout: "",
    });
    bench.run(settings, ["apply"], document(wanted));
    expect(verbs().filter((verb) => /set|start|shutdown|resize/.test(verb ?? ""))).toEqual([]);
  });

  test("every difference is a reason", () => {
    const { code, stdout } = bench
      .guest({ ...ours, features: "nesting=1,mount=nfs" }, running(`'cur swap: 1' 'new swap: 2'`))
      .run(settings, ["check"], document({ ...wanted, rootfsGb: 8, started: false }));
    expect(code).toBe(10);
    expect(stdout.trim().split("\n")).toEqual([
      "feature flags are 'mount=nfs,nesting=1', wanted 'keyctl=1,mount=nfs,nesting=1'",
      "the root disk has 4096 MiB, wanted 8192 MiB",
      "changes wait for a restart: swap",
      "the guest is running",
    ]);
  });

  test("flags of others stay, two spellings of one setting are equal", () => {
    const config = { ...ours, features: "fuse=0,nesting=1,keyctl=1" };
    expect(bench.guest(config, running()).run(settings, ["check"], document(wanted)).code).toBe(0);
    bench.guest({ ...ours, features: "mount=nfs,fuse=1" }, "status) echo 'status: stopped' ;;");
    bench.run(settings, ["apply"], document({ ...wanted, started: false }));
    expect(bench.calls()).toContainEqual(["pct", "set", "101", "--features", "keyctl=1,mount=nfs,nesting=1"]);
  });

  test("a stopped guest is set first and started then; a running one restarts for what is pending", () => {
    bench.guest(ours, "status) echo 'status: stopped' ;;").run(settings, ["apply"], document(wanted));
    expect(verbs()).toEqual(["config", "status", "set", "start", "exec"]);
    bench.guest(asWanted, running(`'new swap: 2'`)).run(settings, ["apply"], document(wanted));
    expect(verbs().slice(5)).toEqual(["config", "status", "pending", "pending", "shutdown", "start", "exec"]);
  });

  test("a root disk never shrinks", () => {
    bench.guest(asWanted, running()).run(settings, ["apply"], document({ ...wanted, rootfsGb: 2 }));
    expect(verbs()).not.toContain("resize");
  });
});

describe("a script without manifest", () => {
  const install = (text: string) => {
    cpSync(join(root, "bin/lib"), join(bench.folder, "version/lib"), { recursive: true });
    const path = join(bench.folder, "version/mine.sh");
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return join(bench.folder, "version/lib/run_level0.sh");
  };

  test("gets the CTID and its parameters, cannot be checked, is not undone", () => {
    const runner = install(`#!/bin/sh\nprintf '%s %s' "$*" "$PHOENIX_PARAMETERS" >'${bench.folder}/seen'\n`);
    const input = JSON.stringify(document({ a: [1, "ü"] }));
    bench.guest(ours);
    expect(bench.shell(runner, ["mine.sh", "check"], input)).toMatchObject({
      code: 11,
      stdout: "mine.sh has no manifest and cannot be checked\n",
    });
    expect(existsSync(join(bench.folder, "seen"))).toBe(false);
    expect(bench.shell(runner, ["mine.sh", "apply"], input).code).toBe(0);
    expect(bench.shell("cat", [join(bench.folder, "seen")], "").stdout).toBe('101 {"a":[1,"ü"]}');
    expect(bench.shell(runner, ["mine.sh", "remove"], input).code).toBe(0);
  });

  test("a failing one is quoted", () => {
    const runner = install("#!/bin/sh\necho the disk is full >&2\nexit 3\n");
    const { code, stderr } = bench
      .guest(ours)
      .shell(runner, ["mine.sh", "apply"], JSON.stringify(document({})));
    expect(code).toBe(29);
    expect(stderr).toContain("| the disk is full");
    expect(stderr).toContain("mine.sh failed (exit 3)");
  });

  test.each(["../lib/phoenix_common.sh", "/bin/true", ""])("the name %j is refused", (name) => {
    const runner = install("#!/bin/sh\n");
    expect(bench.guest(ours).shell(runner, [name, "apply"], JSON.stringify(document({}))).code).toBe(20);
  });
});
