import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "../src/lib/checkout.ts";
import { capture } from "../src/lib/process.ts";
import type { Result } from "../src/lib/process.ts";

// What bin/phoenix itself needs before anything of it can run, taken away one by one. What the lab needs is in
// packages/pve-lab/tests/preflight.lab.test.ts, what building the engine needs in packages/offline-engine/tests.

let room = "";
let cache = "";
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), "phoenix-prerequisites-"));
  cache = join(room, "cache");
  chmodSync(room, 0o755);
  for (const file of ["bin/phoenix", "package-lock.json", "packages/cli/overview.txt"]) {
    mkdirSync(dirname(join(room, "checkout", file)), { recursive: true });
    cpSync(join(root, file), join(room, "checkout", file));
  }
  mkdirSync(join(room, "tools"));
  const tools = [
    "bash",
    "cat",
    "cmp",
    "cp",
    "dirname",
    "env",
    "flock",
    "gzip",
    "mkdir",
    "mktemp",
    "mv",
    "printf",
    "readlink",
    "rm",
    "sha512sum",
    "tar",
    "uname",
  ];
  for (const tool of tools) symlinkSync(which(tool), join(room, "tools", tool));
});
afterEach(() => rmSync(room, { recursive: true, force: true }));

function which(name: string): string {
  const found = (process.env["PATH"] ?? "").split(delimiter).find((folder) => existsSync(join(folder, name)));
  if (found === undefined) throw new Error(`${name} is not on the PATH`);
  return join(found, name);
}

/** A program that this machine is said to have. */
const fake = (name: string, script: string): void => {
  rmSync(join(room, "tools", name), { force: true });
  writeFileSync(join(room, "tools", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
};

const nobody = 65_534;

/** The verb on a machine with nothing but the tools; as nobody where that is asked for and possible. */
function phoenix(verb: string, asNobody = false): Promise<Result> {
  return new Promise((resolve, reject) => {
    const own = process.getuid?.() === 0 && asNobody ? { uid: nobody, gid: nobody } : {};
    const env = { PATH: join(room, "tools"), HOME: room, PHOENIX_CACHE: cache };
    const child = spawn(join(room, "checkout/bin/phoenix"), [verb], { env, ...own });
    const text = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (piece: string) => (text.stdout += piece));
    child.stderr.setEncoding("utf8").on("data", (piece: string) => (text.stderr += piece));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, ...text }));
  });
}
const says = async (words: string, verb = "validate", asNobody = false): Promise<void> => {
  const { code, stderr } = await phoenix(verb, asNobody);
  expect(stderr.trim().split("\n").at(-1)).toBe(`phoenix: ${words}`);
  expect(code).toBe(1);
};

test("alone it needs nothing but a shell", async () => {
  expect((await phoenix("--help")).stdout).toContain("validate, graph");
});

test("try without root says so before it changes anything", async () => {
  await says(
    "try needs root: it makes containers, a bridge and mounts. Run: sudo bin/phoenix try",
    "try",
    true,
  );
  expect(existsSync(cache)).toBe(false);
});

test("no Node, or one that is too old, and no npm to bring it", async () => {
  const words =
    "npm is missing, and Node 24.21.0 comes through it. Install it (Debian: apt-get install npm), then run this again.";
  await says(words);
  fake("node", "echo v20.19.2");
  await says(words);
  fake("node", "echo v22.17.9");
  await says(words);
});

test("no Node, and a machine for which none can be brought", async () => {
  fake("uname", "echo Darwin-arm64");
  await says(
    "this machine's Node is older than 22.18, and Phoenix can bring one on Linux x86_64 and aarch64 only. Install Node 24.",
  );
});

test("no Node, and a registry that does not give it", async () => {
  fake("npm", "echo 'npm error 404' >&2; exit 1");
  const machine = process.arch === "x64" ? "linux-x64" : "linux-arm64";
  await says(`Node 24.21.0 could not be fetched through npm. Try: npm pack node-${machine}@24.21.0`);
});

test("no Node, and a registry that gives another file under its name", async () => {
  fake("npm", "echo evil >node-linux-24.21.0.tgz");
  const machine = process.arch === "x64" ? "linux-x64" : "linux-arm64";
  await says(
    `what came as node-${machine}@24.21.0 is another file than the pinned one, and was not used. Look at npm's registry: npm config get registry`,
  );
  expect(readdirSync(cache)).toEqual(["node.lock"]);
});

test("a cache that cannot be made", async () => {
  fake("npm", "exit 0");
  writeFileSync(join(room, "file"), "");
  cache = join(room, "file/cache");
  await says(`${cache} cannot be made; set PHOENIX_CACHE to a folder that you can write to.`);
});

test("npm packages that cannot be installed", async () => {
  fake("node", "echo v24.21.0");
  await says(
    "npm is missing, and what Phoenix is built on comes through it. Install it (Debian: apt-get install npm), then run this again.",
  );
  fake("npm", "echo 'npm error network' >&2; exit 1");
  await says(`npm ci failed, see above. Try: cd ${join(room, "checkout")} && npm ci`);
});

test("a checkout that one may not write to", async () => {
  fake("node", "echo v24.21.0");
  fake("npm", "exit 0");
  chmodSync(join(room, "checkout"), 0o555);
  await says(`${join(room, "checkout")} is not writable for you.`, "validate", true);
});

test("no ssh-agent program", async () => {
  const agent = JSON.stringify(join(root, "packages/cli/src/lib/agent.ts"));
  const script = `import(${agent}).then(({ ensureAgent }) => ensureAgent({ ssh: { keyFile: "/nonexistent" } })).catch((error) => console.log(error.message, "→", error.next))`;
  const env = { PATH: join(room, "tools"), HOME: room };
  const { stdout } = await capture(process.execPath, ["--input-type=module", "-e", script], { env });
  expect(stdout).toMatch(/^ssh-agent cannot be used: ssh-add: .*ENOENT.* → apt-get install openssh-client$/m);
});

/** The words of a message that are always the same, as far as they tell it from others. */
const fixed = (text: string): string[] =>
  text
    .split(/\$\w+|\$\{[^}]*\}?/)
    .map((piece) => piece.slice(0, 18))
    .filter((piece) => piece.length >= 8);

test.each<[string, string[], RegExp, string]>([
  ["bin/phoenix", ["bin/phoenix"], /\bfail (")(.*)"(?: ;;)?$/gm, "packages/cli/tests/prerequisites.test.ts"],
  [
    "the lab",
    ["packages/pve-lab/src/machine/preflight.ts", "packages/pve-lab/src/machine/machine-apt.ts"],
    /(?:what: |new Failure\(\s*)(["`])(.+?)\1[,\n ]/g,
    "packages/pve-lab/tests/preflight.lab.test.ts",
  ],
])("whatever %s can name as missing is provoked by a test", (_name, sources, message, tests) => {
  const read = (file: string): string => readFileSync(join(root, file), "utf8");
  const named = sources.flatMap((file) => [...read(file).matchAll(message)].map(([, , words = ""]) => words));
  expect(named.length).toBeGreaterThan(6);
  const provoked = read(tests).replaceAll("\\", "");
  expect(named.filter((words) => !fixed(words).every((piece) => provoked.includes(piece)))).toEqual([]);
});
