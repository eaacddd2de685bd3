import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { places } from "./checkout.ts";
import type { NodeFile } from "./checkout.ts";
import { Failure } from "./failure.ts";
import { capture } from "./process.ts";

// The kernel's limit for a socket's path is 108 bytes, and ssh-agent binds a longer, temporary one first.
const longestSocket = 90;

/** The fixed socket of this checkout's own agent. */
export function agentSocket(): string {
  if (Buffer.byteLength(places.agent) <= longestSocket) return places.agent;
  const id = createHash("sha256").update(places.own).digest("hex").slice(0, 12);
  return join(tmpdir(), `phoenix-agent-${userInfo().uid}-${id}`, "agent.sock");
}

const pidFile = (): string => join(places.own, "agent.pid");

const missing = (error: string) =>
  new Failure(`ssh-agent cannot be used: ${error.trim()}`, {
    next: "apt-get install openssh-client",
  });

/**
 * Makes sure that the agent behind `agentSocket()` lives and holds the lab's key; a dead socket is replaced.
 * @returns the socket
 */
export async function ensureAgent(node: NodeFile): Promise<string> {
  const socket = agentSocket();
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  const noAgent = 2; // ssh-add's code for an agent that does not answer; 1 is an empty one
  const listed = await capture("ssh-add", ["-L"], { env });
  if (listed.code === 127) throw missing(listed.stderr);
  if (listed.code === noAgent) {
    mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
    rmSync(socket, { force: true });
    const started = await capture("ssh-agent", ["-s", "-a", socket]);
    if (started.code !== 0) throw missing(started.stderr);
    writeFileSync(pidFile(), /SSH_AGENT_PID=(\d+)/.exec(started.stdout)?.[1] ?? "");
  }
  const key = await capture("ssh-keygen", ["-y", "-f", node.ssh.keyFile]);
  if (key.code !== 0) throw new Failure(`${node.ssh.keyFile} is no usable key: ${key.stderr.trim()}`);
  const body = key.stdout.split(" ")[1] ?? "";
  if (listed.code === 0 && listed.stdout.includes(body)) return socket;
  // A lab that was made anew has a new key; the old one would only cost attempts.
  await capture("ssh-add", ["-q", "-D"], { env });
  const added = await capture("ssh-add", ["-q", node.ssh.keyFile], { env });
  if (added.code !== 0) throw missing(added.stderr);
  return socket;
}

/** Ends this checkout's own agent; none running is fine. */
export async function stopAgent(): Promise<void> {
  const file = pidFile();
  if (!existsSync(file)) return;
  const pid = readFileSync(file, "utf8").trim();
  const socket = agentSocket();
  const alive = await capture("ssh-add", ["-l"], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  // The number alone could be somebody else's by now; the socket proves that it is ours.
  if (alive.code < 2 && /^\d+$/.test(pid)) process.kill(Number(pid), "SIGTERM");
  rmSync(socket, { force: true });
  rmSync(file, { force: true });
}
