import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../lib/failure.ts";
import { capture } from "../lib/process.ts";
import { addressOf, sshOptions } from "../lib/ssh.ts";
import type { Connection } from "../lib/ssh.ts";

export interface NodeStep {
  readonly id: string;
  readonly command: string;
  readonly input?: string;
}

export interface StepResult {
  readonly id: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const parallel = 8;

/** Runs steps on the node: those of a group in order, the groups side by side. */
export type RunSteps = (groups: readonly (readonly NodeStep[])[]) => Promise<Map<string, StepResult>>;

/** The same in a session of its own; see {@link withNode}. */
export function runOnNode(
  connection: Connection,
  groups: readonly (readonly NodeStep[])[],
  variables: NodeJS.ProcessEnv,
): Promise<Map<string, StepResult>> {
  if (groups.flat().length === 0) return Promise.resolve(new Map<string, StepResult>());
  return withNode(connection, variables, (run) => run(groups));
}

/**
 * One login on the node, for as many batches of steps as `work` asks for.
 * @param variables the environment with the ssh-agent that the stack uses
 * @throws Failure where the node cannot be reached, or answers for fewer steps than it was asked
 */
export async function withNode<T>(
  connection: Connection,
  variables: NodeJS.ProcessEnv,
  work: (run: RunSteps) => Promise<T>,
): Promise<T> {
  const room = mkdtempSync(join(tmpdir(), "phoenix-ssh-"));
  const socket = join(room, "login");
  const options = [...sshOptions(connection, room), "-o", `ControlPath=${socket}`];
  const login = spawn("ssh", ["-M", "-N", ...options, addressOf(connection)], {
    env: variables,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  login.stderr.setEncoding("utf8").on("data", (piece: string) => (said += piece));
  const ended = new Promise<void>((resolve) => {
    login.on("close", () => resolve());
    login.on("error", (error) => {
      said += error.message;
      resolve();
    });
  });
  try {
    await Promise.race([ended, appears(socket)]);
    if (!existsSync(socket)) throw unreachable(connection, said.trim().split("\n").at(-1) || "no login");
    return await work((groups) => batch(connection, options, groups, variables));
  } finally {
    login.kill();
    await ended;
    rmSync(room, { recursive: true, force: true });
  }
}

const unreachable = ({ host }: Connection, why: string): Failure =>
  new Failure(`node ${host}: ${why}`, { next: "bin/phoenix lab status, or ssh to your node by hand" });

/** ssh makes the socket once it is logged in, and gives no other sign; it ends by itself where it cannot. */
async function appears(path: string): Promise<void> {
  while (!existsSync(path)) await sleep(20, undefined, { ref: false });
}

async function batch(
  connection: Connection,
  options: readonly string[],
  groups: readonly (readonly NodeStep[])[],
  variables: NodeJS.ProcessEnv,
): Promise<Map<string, StepResult>> {
  const wanted = groups.flat().length;
  const results = new Map<string, StepResult>();
  if (wanted === 0) return results;
  const program = readFileSync(join(import.meta.dirname, "batch.pl"), "utf8");
  const job = JSON.stringify({ parallel, groups: groups.map((steps) => ({ steps })) });
  const { code, stdout, stderr } = await capture("ssh", [...options, addressOf(connection), "perl", "-"], {
    env: variables,
    input: `${program}\n__END__\n${job}\n`,
  });
  for (const line of stdout.split("\n")) {
    if (!line.startsWith("{")) continue;
    const result = JSON.parse(line) as StepResult;
    results.set(result.id, result);
  }
  if (results.size < wanted) {
    const last = stderr.trim().split("\n").at(-1);
    throw unreachable(connection, last || `${results.size} of ${wanted} steps answered, exit code ${code}`);
  }
  return results;
}
