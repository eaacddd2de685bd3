import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A place where the node's own tools are stand-ins that write down how they were called. */
export class Bench {
  readonly #folder = mkdtempSync(join(tmpdir(), "phoenix-scripts-"));
  readonly #calls = join(this.#folder, "calls");

  constructor() {
    mkdirSync(join(this.#folder, "bin"));
    writeFileSync(this.#calls, "");
  }

  get folder(): string {
    return this.#folder;
  }

  /** @param body shell text; the arguments of the call are in "$@" */
  tool(name: string, body: string): this {
    const path = join(this.#folder, "bin", name);
    const record = `{ printf '%s\\0' ${name} "$@"; printf '\\n\\0'; } >>'${this.#calls}'`;
    writeFileSync(path, `#!/bin/bash\n${record}\n${body}\n`);
    chmodSync(path, 0o755);
    return this;
  }

  /** A guest as `pct` shows it. */
  guest(config: Readonly<Record<string, string>>, more = ""): this {
    const file = join(this.#folder, "config");
    const lines = Object.entries(config).map(([key, value]) => `${key}: ${value}`);
    writeFileSync(file, `${lines.join("\n")}\n`);
    return this.tool("pct", `case $1 in config) cat '${file}' ;; ${more} esac`);
  }

  run(script: string, args: readonly string[], document: unknown): Outcome {
    return this.shell(
      join(root, script),
      args,
      typeof document === "string" ? document : JSON.stringify(document),
    );
  }

  /** Runs text with the library sourced. */
  library(text: string, input = ""): Outcome {
    const sources = ["phoenix_common.sh", "disks.sh", "zfs.sh", "zfs_layout.sh", "zfs_properties.sh"].map(
      (name) => `source '${root}/bin/lib/${name}'`,
    );
    return this.shell("bash", ["-c", `${sources.join("\n")}\n${text}`], input);
  }

  shell(program: string, args: readonly string[], input: string): Outcome {
    const env = {
      ...process.env,
      PHOENIX_LOCKS: this.#folder,
      PHOENIX_STATE: join(this.#folder, "state"),
      PHOENIX_LXC: join(this.#folder, "lxc"),
      PHOENIX_PVE: this.#folder,
      PATH: `${this.#folder}/bin:${process.env["PATH"] ?? ""}`,
    };
    const { status, stdout, stderr } = spawnSync(program, args, {
      input,
      env,
      encoding: "utf8",
      timeout: 15_000,
    });
    return { code: status ?? -1, stdout, stderr };
  }

  /** How the stand-ins were called so far, each with its arguments. */
  calls(): string[][] {
    return readFileSync(this.#calls, "utf8")
      .split("\n\0")
      .filter((call) => call !== "")
      .map((call) => call.split("\0").slice(0, -1));
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
