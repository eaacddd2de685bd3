import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { isMissing } from "../core/files.ts";
import { CommandError, run } from "../volumes/run.ts";
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
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(100)) {
    if ((await initPid(vmid)) !== undefined) return;
    const state = await unitState(vmid);
    if (state === "failed" || state === "inactive") throw new Error(await startFailure(vmid));
  }
  throw new Error(`container '${vmid}' did not start in ${seconds} s`);
}

/** Waits until the unit is through with its cleaning up, mounts included. */
export async function waitUntilDown(vmid: number, seconds = 60): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(100)) {
    const state = await unitState(vmid);
    if (state === "inactive" || state === "failed") return;
  }
  throw new Error("container did not stop");
}

export function stderrFile(vmid: number): string {
  return `/run/pve/ct-${vmid}.stderr`;
}

/** PVE's text for a start that failed, with the log of LXC below it. */
export async function startFailure(vmid: number): Promise<string> {
  const log = await readFile(stderrFile(vmid), "utf8").catch(() => "");
  return `startup for container '${vmid}' failed${log.trim() === "" ? "" : `\n${log.trim()}`}`;
}
