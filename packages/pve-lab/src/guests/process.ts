import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isMissing, readTextOr } from "../core/files.ts";
import { CommandError, poll, run } from "../volumes/run.ts";
import { LXC_FOLDER } from "./lxc-config.ts";

/** Containers whose monitor listens, by its abstract socket. */
export function runningGuests(): Set<number> {
  const guests = new Set<number>();
  let text = "";
  try {
    text = readFileSync("/proc/net/unix", "utf8");
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const pattern = new RegExp(`@${LXC_FOLDER}/(\\d+)/command$`, "gm");
  for (const match of text.matchAll(pattern)) guests.add(Number(match[1]));
  return guests;
}

export function isRunning(vmid: number): boolean {
  return runningGuests().has(vmid);
}

/** Process id of the guest's init on the node, or undefined when it does not run. */
export async function initPid(vmid: number): Promise<number | undefined> {
  try {
    const pid = Number((await run("lxc-info", ["-n", String(vmid), "-p", "-H"])).trim());
    return pid > 0 ? pid : undefined;
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

export function unitOf(vmid: number): string {
  return `pve-container@${vmid}.service`;
}

async function unitState(vmid: number): Promise<string> {
  return (await run("systemctl", ["show", "--property=ActiveState", "--value", unitOf(vmid)])).trim();
}

/** Waits until the guest has an init. @throws Error with what LXC said when it ended instead */
export async function waitUntilUp(vmid: number, seconds = 30): Promise<void> {
  const up = await poll(seconds, 100, async () => {
    if ((await initPid(vmid)) !== undefined) return true;
    const state = await unitState(vmid);
    if (state === "failed" || state === "inactive") throw new Error(await startFailure(vmid));
    return false;
  });
  if (!up) throw new Error(`container '${vmid}' did not start in ${seconds} s`);
}

/** Waits until the unit is through with its cleaning up, mounts included. */
export async function waitUntilDown(vmid: number, seconds = 60): Promise<void> {
  const down = await poll(seconds, 100, async () => ["inactive", "failed"].includes(await unitState(vmid)));
  if (!down) throw new Error("container did not stop");
}

export function stderrFile(vmid: number): string {
  return `/run/pve/ct-${vmid}.stderr`;
}

/** PVE's text for a start that failed, with the log of LXC below it. */
export async function startFailure(vmid: number): Promise<string> {
  const log = await readFile(stderrFile(vmid), "utf8").catch(() => "");
  return `startup for container '${vmid}' failed${log.trim() === "" ? "" : `\n${log.trim()}`}`;
}

// SIGRTMIN+3, by which LXC asks systemd to halt, as a bit of the masks in /proc/<pid>/status.
const HALT_BIT = 1n << 36n;

/**
 * A signal to an init that has just started is lost. Waits until it listens to LXC's halt signal, or until it is old
 * enough to be one that never will (LXC then sends SIGPWR).
 */
export async function waitForSignalHandling(vmid: number, seconds: number): Promise<void> {
  await poll(seconds, 50, async () => {
    const pid = await initPid(vmid);
    if (pid === undefined || uptimeOf(pid) >= 5) return true;
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const mask = (name: string) =>
      BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)`, "m").exec(status)?.[1] ?? "0"}`);
    return ((mask("SigBlk") | mask("SigCgt")) & HALT_BIT) !== 0n;
  });
}

/** Seconds since a process started; the kernel counts its start in hundredths of a second since boot. */
export function uptimeOf(pid: number): number {
  const stat = readTextOr(`/proc/${pid}/stat`, "");
  const started = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? 0) / 100;
  const now = Number(readTextOr("/proc/uptime", "0").split(" ")[0]);
  return started === 0 ? 0 : Math.max(0, now - started);
}
