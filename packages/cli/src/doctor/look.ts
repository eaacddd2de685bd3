import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../lib/checkout.ts";
import type { NodeSettings } from "../lib/node-settings.ts";
import { capture } from "../lib/process.ts";
import { addressOf, sshOptions } from "../lib/ssh.ts";
import type { NodeFacts } from "./facts.ts";
import { agentProblem, sshProblem } from "./reach.ts";
import { error } from "./problem.ts";
import type { Problem } from "./problem.ts";
import { readSurvey } from "./read-survey.ts";

/** The agent that the scripts will log in with. */
export async function lookAtAgent(variables: NodeJS.ProcessEnv): Promise<Problem | undefined> {
  const { code } = await capture("ssh-add", ["-l"], { env: variables });
  return agentProblem(variables["SSH_AUTH_SOCK"], code);
}

/** Looks at the node over SSH, read-only. */
export async function lookAtNode(
  { ssh }: NodeSettings,
  stack: string,
  variables: NodeJS.ProcessEnv,
): Promise<{ facts: NodeFacts } | { problem: Problem }> {
  const room = mkdtempSync(join(tmpdir(), "phoenix-ssh-"));
  try {
    const library = ["disks", "zfs", "guest_common", "nvidia_host"].map((name) => `bin/lib/${name}.sh`);
    const parts = [...library, "packages/cli/src/doctor/survey.sh"];
    const program = parts.map((file) => readFileSync(join(root, file), "utf8")).join("\n");
    const { code, stdout, stderr } = await capture(
      "ssh",
      [...sshOptions(ssh, room), addressOf(ssh), "bash", "-s"],
      {
        env: variables,
        input: program,
      },
    );
    const facts = readSurvey(stdout);
    if (facts) return { facts };
    const noConnection = 255;
    if (code === noConnection || code === 127)
      return { problem: sshProblem(stderr, { host: ssh.host, port: ssh.port, user: ssh.user, stack }) };
    const words = stderr.trim().split("\n").at(-1) ?? "";
    return {
      problem: error(
        `looking at the node ended with code ${code}: ${words}`,
        `ssh ${ssh.user}@${ssh.host} by hand`,
      ),
    };
  } finally {
    rmSync(room, { recursive: true, force: true });
  }
}
