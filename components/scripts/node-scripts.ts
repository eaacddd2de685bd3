import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Target } from "../node/target.ts";
import type { ScriptReader } from "./script-source.ts";

/** One version of a script, on the node. */
export interface ScriptVersion {
  /** Absolute path on the node. */
  readonly path: string;
  readonly digest: string;
  /** Whatever runs the script depends on its upload. */
  readonly upload: pulumi.Resource;
}

/**
 * The stack's scripts on the node: `/var/lib/phoenix/<stack>/scripts/<digest>/`.
 * A directory per version lets one edit touch only its users, and lets the old version live until the last command
 * that names it is gone. Each version travels in one SSH session.
 */
export class NodeScripts extends pulumi.ComponentResource {
  readonly #target: Target;
  readonly #reader: ScriptReader;
  readonly #receiver: string;
  readonly #directory: command.remote.Command;
  readonly #versions = new Map<string, ScriptVersion>();

  constructor(
    name: string,
    args: { target: Target; root: string; reader: ScriptReader },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("phoenix:NodeScripts", name, {}, opts);
    this.#target = args.target;
    this.#reader = args.reader;
    this.#receiver = readFileSync(join(args.root, "bin/node/receive_scripts.pl"), "utf8");
    this.#directory = this.#run("directory", "create", "remove", {}, []);
    this.registerOutputs({});
  }

  /** The stack's directory on the node. */
  get stackDirectory(): string {
    return `/var/lib/phoenix/${this.#target.stack}`;
  }

  /** The script as it is in the checkout now, uploaded at its first use. */
  version(path: string): ScriptVersion {
    const source = this.#reader.read(path);
    const key = `${source.name}-${source.digest}`;
    let version = this.#versions.get(key);
    if (!version) {
      const { name, digest, files } = source;
      const upload = this.#run(`${name}-${digest.slice(0, 8)}`, "receive", "drop", { digest, files }, [
        this.#directory,
      ]);
      version = { path: `${this.stackDirectory}/scripts/${digest}/${name}`, digest, upload };
      this.#versions.set(key, version);
    }
    return version;
  }

  #run(
    name: string,
    create: string,
    remove: string,
    input: object,
    dependsOn: pulumi.Resource[],
  ): command.remote.Command {
    const document = JSON.stringify({ stackDirectory: this.stackDirectory, ...input });
    return new command.remote.Command(
      name,
      {
        connection: this.#target.connection,
        create: `perl - ${create}`,
        delete: `perl - ${remove}`,
        stdin: this.#receiver + document,
        addPreviousOutputInEnv: false,
      },
      { parent: this, dependsOn, deleteBeforeReplace: true },
    );
  }
}
