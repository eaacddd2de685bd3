import { mkdir, rm } from "node:fs/promises";
import { ApiError, type TaskLog } from "../core/route.ts";
import { run } from "../volumes/run.ts";
import type { GuestConfig } from "./config-file.ts";
import { loadConfig, requireUnlocked, saveConfig, withConfigLock } from "./config-store.ts";
import { unenforcedLimits } from "./lxc-config.ts";
import { unmountGuest } from "./mounts.ts";
import { nodeFacts } from "./node-facts.ts";
import { applyPending, hasPending } from "./pending.ts";
import {
  isRunning,
  startFailure,
  stderrFile,
  unitOf,
  waitForSignalHandling,
  waitUntilDown,
  waitUntilUp,
} from "./process.ts";

/** @throws ApiError 500 `CT 910 not running` */
export function requireRunning(vmid: number): void {
  if (!isRunning(vmid)) throw new ApiError(500, `CT ${vmid} not running`);
}

/** @throws ApiError 500 when the guest is a template */
export function requireNoTemplate(config: GuestConfig, action: string): void {
  if (config.values["template"] === "1")
    throw new ApiError(500, `you can't ${action} a CT if it's a template`);
}

/** Starts a guest: waiting changes are applied first; back when it has an init. */
export function startGuest(vmid: number, log: TaskLog, skipLock = false): Promise<void> {
  return withConfigLock(vmid, async () => {
    const config = loadConfig(vmid);
    requireNoTemplate(config, "start");
    // Mounted by `pct mount`: no hindrance.
    if (!skipLock && config.values["lock"] !== "mounted") requireUnlocked(config);
    if (isRunning(vmid)) throw new ApiError(500, `CT ${vmid} already running`);
    await launch(vmid, config, log);
  });
}

async function launch(vmid: number, config: GuestConfig, log: TaskLog): Promise<void> {
  const idle = unenforcedLimits(config.values, nodeFacts().controllers);
  if (idle.length > 0)
    log(`lab: not enforced, the kernel here has no control group for it: ${idle.join(", ")}`);
  if (hasPending(config)) {
    await applyPending(vmid, config);
    saveConfig(vmid, config);
  }
  await mkdir("/run/pve", { recursive: true });
  await rm(stderrFile(vmid), { force: true });
  try {
    await run("systemctl", ["start", unitOf(vmid)], { timeoutSeconds: 120 });
  } catch {
    throw new Error(await startFailure(vmid));
  }
  await waitUntilUp(vmid);
}

/** Ends a guest at once. */
export function stopGuest(vmid: number): Promise<void> {
  return withConfigLock(vmid, async () => {
    requireUnlocked(loadConfig(vmid));
    requireRunning(vmid);
    await kill(vmid);
  });
}

async function kill(vmid: number): Promise<void> {
  await run("lxc-stop", ["-n", String(vmid), "--kill"], { timeoutSeconds: 60 });
  await settle(vmid);
}

async function settle(vmid: number): Promise<void> {
  await waitUntilDown(vmid);
  // A unit that was killed is "failed" to systemd; for us it is off.
  await run("systemctl", ["reset-failed", unitOf(vmid)]).catch(() => undefined);
  await unmountGuest(vmid);
}

export interface Shutdown {
  /** Seconds that the guest gets. */
  readonly timeout?: number;
  /** Ends it the hard way after that time. */
  readonly force?: boolean;
}

/** Asks the guest's init to shut down. @throws Error when it has not done so in time */
export function shutdownGuest(vmid: number, how: Shutdown = {}): Promise<void> {
  return withConfigLock(vmid, async () => {
    requireUnlocked(loadConfig(vmid));
    requireRunning(vmid);
    await halt(vmid, how);
  });
}

async function halt(vmid: number, { timeout = 60, force = false }: Shutdown): Promise<void> {
  await waitForSignalHandling(vmid, Math.min(timeout, 10));
  const args = ["-n", String(vmid), ...(force ? [] : ["--nokill"]), "--timeout", String(timeout)];
  await run("lxc-stop", args, { timeoutSeconds: timeout + 15, long: true }).catch((error: unknown) => {
    if (isRunning(vmid)) throw error;
  });
  if (isRunning(vmid)) throw new Error("container did not stop");
  await settle(vmid);
}

/** Shuts down and starts again, with waiting changes applied; kills a guest that does not go in time. */
export function rebootGuest(vmid: number, log: TaskLog, timeout?: number): Promise<void> {
  return withConfigLock(vmid, async () => {
    if (!isRunning(vmid)) return;
    await halt(vmid, { force: true, ...(timeout === undefined ? {} : { timeout }) });
    await launch(vmid, loadConfig(vmid), log);
  });
}

/** Ends a running guest at once; for operations that hold its configuration lock already. */
export async function killUnderLock(vmid: number): Promise<void> {
  if (isRunning(vmid)) await kill(vmid);
}

/** Starts a guest; for operations that hold its configuration lock already. */
export async function launchUnderLock(vmid: number, log: TaskLog): Promise<void> {
  await launch(vmid, loadConfig(vmid), log);
}
