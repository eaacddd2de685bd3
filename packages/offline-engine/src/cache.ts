import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join, relative, sep } from "node:path";
import { filesOf, go, goSources, plugins, pulumiVersion, type Origin, type Part } from "./pins.ts";
import { say } from "./say.ts";

/** The cache that all checkouts of a person share. */
export function cacheRoot(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return environment["PHOENIX_CACHE"] || join(base, "phoenix");
}

/** What a finished folder says about itself, in `engine.json`. */
export interface Record {
  readonly part: Part;
  readonly origin: Origin;
  readonly pulumi: string;
  readonly plugins: readonly { name: string; version: string }[];
  /** How long it took to make. */
  readonly seconds: number;
}

/** The folder for a part from an origin: its name covers everything that goes into it. */
export function folderOf(part: Part, origin: "official" | "built"): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([part, origin, process.platform, process.arch, pulumiVersion, plugins]));
  if (origin === "built") {
    hash.update(JSON.stringify(go));
    for (const file of sourcesOf(part)) {
      hash.update(`\0${relative(goSources, file).split(sep).join("/")}\0`).update(readFileSync(file));
    }
  }
  return join(cacheRoot(), `engine-${hash.digest("hex").slice(0, 16)}`);
}

/** The sources of a part; tests do not count. */
function sourcesOf(part: Part): string[] {
  const all = readdirSync(goSources, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith("_test.go"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const ofEngine = /^(cli\/|plugins\/(go\.(mod|sum)$|languagehost\/|cmd\/pulumi-language-nodejs\/))/;
  const ofPlugins = /^(stubs\/|plugins\/(?!languagehost\/|cmd\/pulumi-language-nodejs\/))/;
  return all.filter((file) => (part === "engine" ? ofEngine : ofPlugins).test(relative(goSources, file)));
}

/** What lies in a folder, or undefined if it is not there or not whole. */
export function readRecord(part: Part, folder: string): Record | undefined {
  const file = join(folder, "engine.json");
  if (!existsSync(file) || !filesOf(part).every((name) => existsSync(join(folder, name)))) return undefined;
  return JSON.parse(readFileSync(file, "utf8")) as Record;
}

/**
 * Makes a folder once. `fill` gets an empty folder beside it, which takes its name only when it is whole; two
 * processes do not make the same one, and one that was killed leaves nothing that is mistaken for a whole one.
 */
export async function makeOnce(
  part: Part,
  origin: "official" | "built",
  fill: (folder: string) => Promise<void>,
): Promise<Record> {
  const folder = folderOf(part, origin);
  return locked(`${folder}.lock`, async () => {
    const made = readRecord(part, folder);
    if (made) return made;
    for (const stale of staleOf(folder)) rmSync(stale, { recursive: true, force: true });
    const begun = Date.now();
    const room = `${folder}.${process.pid}`;
    mkdirSync(room);
    try {
      await fill(room);
      const record: Record = {
        part,
        origin,
        pulumi: pulumiVersion,
        plugins: part === "plugins" ? plugins.map(({ name, version }) => ({ name, version })) : [],
        seconds: Math.round((Date.now() - begun) / 1000),
      };
      writeFileSync(join(room, "engine.json"), `${JSON.stringify(record, null, 2)}\n`);
      rmSync(folder, { recursive: true, force: true });
      renameSync(room, folder);
      return record;
    } finally {
      rmSync(room, { recursive: true, force: true });
    }
  });
}

function staleOf(folder: string): string[] {
  const root = cacheRoot();
  return readdirSync(root)
    .map((name) => join(root, name))
    .filter((path) => path.startsWith(`${folder}.`) && statSync(path).isDirectory());
}

/**
 * Holds a lock file while `work` runs. The kernel's lock (through util-linux `flock`, as Node has none) ends with
 * the process that holds it, however that dies; `cat` ends when this process does.
 */
export async function locked<T>(file: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(cacheRoot(), { recursive: true });
  const holder = spawn("flock", [file, "sh", "-c", "echo held && exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => holder.on("close", () => resolve()));
  let waits: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve, reject) => {
    waits = setTimeout(() => say("  another process is making the same: waiting for it"), 1000);
    holder.on("error", reject);
    holder.on("exit", (code) => reject(new Error(`flock ${file} ended with ${code}`)));
    holder.stdout.once("data", () => resolve());
  }).finally(() => clearTimeout(waits));
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
