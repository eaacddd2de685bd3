import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Checkout, Result } from "./checkout.ts";
import { collect } from "./checkout.ts";

interface Started {
  readonly op: string;
  readonly urn: string;
}

/** The steps that an event log shows as begun, in order. */
export function stepsOf(log: string): Started[] {
  const steps: Started[] = [];
  // The last line may be half written.
  for (const line of log.split("\n").slice(0, -1)) {
    const event = JSON.parse(line) as { resourcePreEvent?: { metadata: Started } };
    if (event.resourcePreEvent) steps.push(event.resourcePreEvent.metadata);
  }
  return steps;
}

const begun = (file: string): Started[] => (existsSync(file) ? stepsOf(readFileSync(file, "utf8")) : []);

/** A process and all below it, as they are now. Plugins have process groups of their own. */
function tree(top: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      continue; // ended meanwhile
    }
  }
  const found = [top];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return found;
}

function killTree(top: number): void {
  for (const pid of tree(top)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      continue; // was faster
    }
  }
}

/**
 * Starts `pulumi up` and kills engine and plugins once `ready` holds for the steps that its event log shows as begun.
 * @returns what it had printed, and whether it came to its own end before that
 */
export async function cutUp(
  checkout: Checkout,
  events: string,
  ready: (steps: readonly Started[]) => boolean | Promise<boolean>,
): Promise<Result & { readonly ended: boolean }> {
  const script =
    'eval "$(bin/phoenix env)"; export PULUMI_DEBUG_COMMANDS=true; exec pulumi up --yes --skip-preview --non-interactive --event-log "$1"';
  const child = checkout.start("bash", ["-c", script, "bash", events]);
  const ended = collect(child);
  while (!(await ready(begun(events)))) {
    if (child.exitCode !== null) return { ...(await ended), ended: true };
    await sleep(50);
  }
  killTree(child.pid ?? 0);
  return { ...(await ended), ended: false };
}

/** Holds once this step has begun, and `more` holds. */
export const creating =
  (urn: RegExp, more: () => Promise<boolean>) =>
  async (steps: readonly Started[]): Promise<boolean> =>
    steps.some((step) => step.op === "create" && urn.test(step.urn)) && (await more());
