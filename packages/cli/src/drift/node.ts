import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../lib/failure.ts";
import { capture } from "../lib/process.ts";

/** How the stack's own commands reach the node; as it stands in their state. */
export interface Connection {
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  readonly hostKey?: string;
}

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
const alias = "phoenix-node";

/**
 * Runs steps on the node in one SSH session: those of a group in order, the groups side by side.
 * @param variables the environment with the ssh-agent that the stack uses
 * @throws Failure where the node cannot be reached, or answers for fewer steps than it was asked
 */
export async function runOnNode(
  connection: Connection,
  groups: readonly (readonly NodeStep[])[],
  variables: NodeJS.ProcessEnv,
): Promise<Map<string, StepResult>> {
  const wanted = groups.flat().length;
  if (wanted === 0) return new Map();
  const room = mkdtempSync(join(tmpdir(), "phoenix-ssh-"));
  try {
    const program = readFileSync(join(import.meta.dirname, "batch.pl"), "utf8");
    const job = JSON.stringify({ parallel, groups: groups.map((steps) => ({ steps })) });
    const { code, stdout, stderr } = await capture("ssh", [...sshOptions(connection, room), "perl", "-"], {
      env: variables,
      input: `${program}\n__END__\n${job}\n`,
    });
    const results = new Map<string, StepResult>();
    for (const line of stdout.split("\n")) {
      if (!line.startsWith("{")) continue;
      const result = JSON.parse(line) as StepResult;
      results.set(result.id, result);
    }
    if (results.size < wanted) {
      const why =
        stderr.trim().split("\n").at(-1) || `${results.size} of ${wanted} steps answered, exit code ${code}`;
      throw new Failure(`node ${connection.host}: ${why}`, {
        next: "bin/phoenix lab status, or ssh to your node by hand",
      });
    }
    return results;
  } finally {
    rmSync(room, { recursive: true, force: true });
  }
}

function sshOptions({ host, port, user, hostKey }: Connection, room: string): string[] {
  const options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15"];
  if (hostKey) {
    const known = join(room, "known_hosts");
    writeFileSync(known, `${alias} ${hostKey}\n`);
    options.push(
      "-o",
      `UserKnownHostsFile=${known}`,
      "-o",
      `HostKeyAlias=${alias}`,
      "-o",
      "StrictHostKeyChecking=yes",
    );
  }
  return [...options, "-p", String(port ?? 22), `${user ?? "root"}@${host}`];
}
