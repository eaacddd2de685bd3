import { spawnSync } from "node:child_process";

export type Tool = "zfs" | "zpool";

const directory = process.env["LAB_ZFS_REAL"] ?? "/usr/lib/zfs-fuse";

/** The real program failed; its own words were already printed. */
export class RealFailed extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`ended with ${status}`);
    this.status = status;
  }
}

export interface Answer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function ask(tool: Tool, args: readonly string[]): Answer {
  const result = spawnSync(`${directory}/${tool}`, [...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 256 * 1024 * 1024,
  });
  if (result.error !== undefined) return { status: 127, stdout: "", stderr: `${result.error.message}\n` };
  return { status: result.status ?? 1, stdout: result.stdout, stderr: result.stderr };
}

/** Runs the real program and ends this one with its status and words if it fails. */
export function must(tool: Tool, args: readonly string[]): string {
  const answer = ask(tool, args);
  const noise = answer.stderr
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("Defaulting to 4K"));
  if (noise.length > 0) process.stderr.write(`${noise.join("\n")}\n`);
  if (answer.status !== 0) throw new RealFailed(answer.status);
  return answer.stdout;
}

/** Gives the terminal, the pipes and the exit status to the real program. */
export function pass(tool: Tool, args: readonly string[]): number {
  const result = spawnSync(`${directory}/${tool}`, [...args], { stdio: "inherit" });
  return result.status ?? 1;
}

/** Some things are busy for a moment after a change with zfs-fuse; the real thing is not. */
export function mustSoon(tool: Tool, args: readonly string[]): string {
  const end = Date.now() + 5000;
  for (;;) {
    const answer = ask(tool, args);
    if (answer.status === 0 || !answer.stderr.includes("busy") || Date.now() > end) {
      process.stderr.write(answer.stderr);
      if (answer.status !== 0) throw new RealFailed(answer.status);
      return answer.stdout;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}
