import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import type { Lab } from "./lab.ts";
import { places } from "./lab.ts";
import { hasMonitor } from "./monitor.ts";
import type { Result, RunOptions } from "./run.ts";
import { attempt, waitFor } from "./run.ts";
import { Failure } from "./steps.ts";

const base = (lab: Lab): string[] => ["-P", places.lxc(lab), "-n", lab.container];

/** Process id of the node's init on the machine; undefined while the node is not running. */
export async function initPid(lab: Lab): Promise<number | undefined> {
  if (!existsSync(places.config(lab))) return undefined;
  const result = await attempt("lxc-info", [...base(lab), "-p", "-H"]);
  const pid = Number(result.stdout.trim());
  return result.code === 0 && Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

/** The node's root directory as the machine sees it, for writing files into a running node. */
export function rootOf(pid: number): string {
  return `/proc/${pid}/root`;
}

export async function start(lab: Lab): Promise<number> {
  mkdirSync(places.log(lab), { recursive: true });
  const log = path.join(places.log(lab), "lxc.log");
  rmSync(log, { force: true });
  const result = await attempt("lxc-start", [...base(lab), "--daemon", "-l", "INFO", "-o", log]);
  const pid = await initPid(lab);
  if (result.code !== 0 || pid === undefined) {
    const words = existsSync(log)
      ? readFileSync(log, "utf8")
          .split("\n")
          .filter((line) => / (ERROR|WARN) /.test(line))
          .slice(-3)
          .join("\n  ")
      : result.stderr.trim();
    throw new Failure(`the node's container does not start:\n  ${words}`, `see ${log}`);
  }
  return pid;
}

/** Like {@link initPid}, but waits for a node that is on its way up or down, as in the middle of a reboot. */
export async function settledPid(lab: Lab): Promise<number | undefined> {
  const settled = async (): Promise<{ pid: number | undefined } | undefined> => {
    const pid = await initPid(lab);
    return pid === undefined && hasMonitor(places.lxc(lab), lab.container) ? undefined : { pid };
  };
  return (await waitFor(settled, 20_000))?.pid;
}

/**
 * Shuts the node down in order; after `patienceSeconds` it is killed.
 *
 * @returns whether nothing of it runs any more
 */
export async function stop(lab: Lab, patienceSeconds: number): Promise<boolean> {
  // A reboot in its last moment gives the node a new init just after the old one has been stopped.
  for (let patience = patienceSeconds, tries = 0; tries < 4; patience = 0, tries++) {
    const pid = await settledPid(lab);
    if (pid === undefined) break;
    if (patience > 0) await attempt("lxc-stop", [...base(lab), "--timeout", String(patience)]);
    else {
      await attempt("lxc-stop", [...base(lab), "--kill"], { timeoutMs: 10_000 });
      const other = async (): Promise<true | undefined> => (await initPid(lab)) !== pid || undefined;
      if ((await waitFor(other, 10_000)) === undefined) break; // it hangs
    }
  }
  return (await initPid(lab)) === undefined && !hasMonitor(places.lxc(lab), lab.container);
}

/** Runs a command in the node as root, without SSH. */
export function inNode(lab: Lab, command: readonly string[], options: RunOptions = {}): Promise<Result> {
  return attempt(
    "lxc-attach",
    [...base(lab), "--clear-env", "--keep-var", "TERM", "--", ...command],
    options,
  );
}
