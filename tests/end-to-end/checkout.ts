import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const repository = join(import.meta.dirname, "../..");

/** Variables of whoever runs the tests that would make a checkout talk to somebody else's Pulumi or lab. */
const foreign = /^(PULUMI_|PROXMOX_|PHOENIX_LAB_STATE|SSH_AUTH_SOCK|VITEST|NODE_ENV|NODE_OPTIONS|TEST$)/;

/** A working tree of its own, as a person has it after a clone; it is driven through its own bin/phoenix only. */
export class Checkout {
  readonly directory: string;
  readonly home: string;

  constructor(room: string) {
    this.directory = join(room, "checkout");
    this.home = join(room, "home");
  }

  /** Copies this repository as it is now, uncommitted edits included. */
  static make(room: string): Checkout {
    const checkout = new Checkout(room);
    mkdirSync(checkout.directory, { recursive: true });
    mkdirSync(checkout.home, { recursive: true });
    const git = (where: string, ...args: string[]) =>
      execFileSync("git", ["-C", where, ...args], { encoding: "utf8" });
    const files = git(repository, "ls-files", "-co", "--exclude-standard", "-z").split("\0");
    for (const file of files) {
      if (file === "" || !existsSync(join(repository, file))) continue;
      mkdirSync(dirname(join(checkout.directory, file)), { recursive: true });
      cpSync(join(repository, file), join(checkout.directory, file), {
        verbatimSymlinks: true,
        preserveTimestamps: true,
      });
    }
    execFileSync("cp", ["-a", join(repository, "node_modules"), checkout.directory]);
    git(checkout.directory, "init", "-q");
    git(checkout.directory, "add", "-A");
    git(
      checkout.directory,
      "-c",
      "user.name=test",
      "-c",
      "user.email=test@localhost",
      "commit",
      "-q",
      "-m",
      "copy",
    );
    return checkout;
  }

  get environment(): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(([name]) => !foreign.test(name));
    // The person's own home is empty and has to stay so; what was brought once is shared.
    return { ...Object.fromEntries(own), HOME: this.home, PHOENIX_CACHE: sharedCache() };
  }

  path(...parts: string[]): string {
    return join(this.directory, ...parts);
  }

  read(file: string): string {
    return readFileSync(this.path(file), "utf8");
  }

  /** Changes a file for as long as `work` takes. */
  async withEdit<T>(file: string, edit: (text: string) => string, work: () => Promise<T>): Promise<T> {
    const before = this.read(file);
    writeFileSync(this.path(file), edit(before));
    try {
      return await work();
    } finally {
      writeFileSync(this.path(file), before);
    }
  }

  phoenix(...args: string[]): Promise<Result> {
    return this.run(this.path("bin/phoenix"), args);
  }

  /** Plain Pulumi, as a person has it after eval "$(bin/phoenix env)". */
  pulumi(...args: string[]): Promise<Result> {
    return this.shell('eval "$(bin/phoenix env)" && exec pulumi --non-interactive "$@"', ...args);
  }

  /** A command on the node; its words are given to a shell there. */
  async node(command: string): Promise<string> {
    const result = await this.phoenix("lab", "ssh", command);
    if (result.code !== 0)
      throw new Error(`on the node: ${command}: ${result.code}\n${result.stdout}${result.stderr}`);
    return result.stdout;
  }

  /** A command in a guest. */
  guest(ctid: number, command: string): Promise<string> {
    return this.node(`pct exec ${ctid} -- sh -c ${quote(command)}`);
  }

  shell(script: string, ...args: string[]): Promise<Result> {
    return this.run("bash", ["-c", script, "bash", ...args]);
  }

  run(command: string, args: readonly string[]): Promise<Result> {
    return collect(this.start(command, args));
  }

  start(command: string, args: readonly string[]): ChildProcess {
    return spawn(command, args, {
      cwd: this.directory,
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  async gitStatus(): Promise<string> {
    return (await this.run("git", ["status", "--porcelain"])).stdout;
  }
}

function sharedCache(): string {
  const { PHOENIX_CACHE: own, XDG_CACHE_HOME: base, HOME: home } = process.env;
  return own || join(base || join(home ?? "/root", ".cache"), "phoenix");
}

/** Waits for a program's end and keeps what it printed. */
export function collect(child: ChildProcess): Promise<Result> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (piece: string) => (stdout += piece));
    child.stderr?.setEncoding("utf8").on("data", (piece: string) => (stderr += piece));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 137, stdout, stderr }));
  });
}

export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
