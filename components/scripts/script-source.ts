import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";

/** A script with everything that it needs on the node: its manifest and the library. */
export interface ScriptSource {
  /** File name, e.g. `feature_install_docker.sh`. */
  readonly name: string;
  /** The first 16 hex digits of the SHA-256 over all files: names, run bits and contents. */
  readonly digest: string;
  readonly files: Readonly<Record<string, ScriptFile>>;
}

export interface ScriptFile {
  readonly mode: "0500" | "0400";
  readonly text: string;
}

/** Reads scripts from the checkout or from a person's own folders, each once. */
export class ScriptReader {
  readonly #root: string;
  readonly #sources = new Map<string, ScriptSource>();

  /** @param root the project's root */
  constructor(root: string) {
    this.#root = root;
  }

  /** @param path relative to the project's root, or absolute */
  read(path: string): ScriptSource {
    let source = this.#sources.get(path);
    if (!source) {
      source = readScript(resolve(this.#root, path), join(this.#root, "bin/lib"));
      this.#sources.set(path, source);
    }
    return source;
  }
}

/** An edit of the library counts as an edit of every script, so its files are part of each digest. */
function readScript(path: string, library: string): ScriptSource {
  const files: Record<string, ScriptFile> = {};
  const add = (name: string, file: string): void => {
    const runs = (statSync(file).mode & 0o100) !== 0;
    files[name] = { mode: runs ? "0500" : "0400", text: readFileSync(file, "utf8") };
  };
  add(basename(path), path);
  const manifest = path.replace(/(\.[^./]+)?$/, ".json");
  if (manifest !== path && existsSync(manifest)) add(basename(manifest), manifest);
  for (const name of readdirSync(library).sort()) add(`lib/${name}`, join(library, name));
  return { name: basename(path), digest: digestOf(files), files };
}

function digestOf(files: Readonly<Record<string, ScriptFile>>): string {
  const hash = createHash("sha256");
  for (const [name, { mode, text }] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name}\0${mode}\0${text.length}\0${text}`);
  }
  return hash.digest("hex").slice(0, 16);
}
