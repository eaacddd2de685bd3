import { join } from "node:path";
import { newLog, readNodeFile, root } from "./checkout.ts";
import type { NodeFile } from "./checkout.ts";
import { Failure } from "./failure.ts";
import { capture } from "./process.ts";

export const labEntry = join(root, "packages/pve-lab/src/main.ts");

/** What `lab preflight --json` says. */
export interface Preflight {
  readonly problems: readonly { readonly what: string; readonly remedy: string }[];
  readonly changes: readonly string[];
  readonly undo: readonly string[];
}

/** Looks only. @throws Failure with one line for each missing prerequisite. */
export async function labPreflight(options: readonly string[]): Promise<Preflight> {
  const result = await capture("node", [labEntry, "preflight", "--json", ...options], { cwd: root });
  let found: Preflight;
  try {
    found = JSON.parse(result.stdout) as Preflight;
  } catch {
    throw new Failure(`the lab cannot be checked: ${result.stderr.trim()}`, {
      next: "bin/phoenix lab preflight",
    });
  }
  const [first, ...more] = found.problems.map(({ what, remedy }) => `${what}: ${remedy}`);
  if (first !== undefined) throw new Failure([first, ...more].join("\nphoenix: "));
  return found;
}

/** Starts this checkout's lab; `onLine` gets what it says. */
export async function labUp(options: readonly string[], onLine: (line: string) => void): Promise<NodeFile> {
  const log = newLog("lab-up.log");
  const { code, stderr } = await capture("node", [labEntry, "up", "--quiet", ...options], {
    cwd: root,
    log,
    onLine,
  });
  const node = code === 0 ? readNodeFile() : undefined;
  if (node) return node;
  const lines = stderr.trim().split("\n");
  const cause = lines.findLast((line) => line.startsWith("✗")) ?? lines.at(-1) ?? "";
  throw new Failure(`the lab did not start: ${cause.replace(/^✗ /, "")}`, {
    log,
    next: "bin/phoenix lab status",
  });
}

/** Runs one command on the lab node. */
export const labRun = (command: readonly string[]) =>
  capture("node", [labEntry, "ssh", ...command], { cwd: root });

/** Makes a guest's port reachable on the node's address. */
export async function labPublish(port: number, target: string): Promise<void> {
  const { code, stderr } = await capture("node", [labEntry, "publish", String(port), target], { cwd: root });
  if (code !== 0)
    throw new Failure(`port ${port} could not be published: ${stderr.trim()}`, {
      next: "bin/phoenix lab status",
    });
}
