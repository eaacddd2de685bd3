import { guestIds, loadConfig } from "../guests/config-store.ts";
import { isRunning } from "../guests/process.ts";
import { bootOrder, stopOrder, type StartEntry } from "../guests/startup.ts";
import { call, finish } from "./client.ts";
import type { Command } from "./main.ts";
import { cell } from "./output.ts";

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

function entries(): StartEntry[] {
  return guestIds().map((vmid) => ({ vmid, values: loadConfig(vmid).values }));
}

/** systemd starts the daemon and goes on; it answers a moment later. */
async function waitForApi(): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await call("GET", "/version");
      return;
    } catch (error) {
      if (attempt === 300) throw error;
      await pause(0.2);
    }
  }
}

/** After the node's start: guests with `onboot`, in order, with their delays. */
export async function startAll(command: Command): Promise<void> {
  await waitForApi();
  for (const { vmid, delay } of bootOrder(entries())) {
    if (isRunning(vmid)) continue;
    command.print(`Starting CT ${vmid}\n`);
    await act(command, vmid, "start", {});
    await pause(delay);
  }
}

/** Before the node goes down: all guests, in reverse order. */
export async function stopAll(command: Command): Promise<void> {
  for (const { vmid, timeout } of stopOrder(entries().filter(({ vmid: id }) => isRunning(id)))) {
    command.print(`Stopping CT ${vmid} (timeout = ${timeout} seconds)\n`);
    await act(command, vmid, "shutdown", { timeout: String(timeout), forceStop: "1" });
  }
}

async function act(
  command: Command,
  vmid: number,
  action: string,
  values: Record<string, string>,
): Promise<void> {
  try {
    const upid = await call("POST", `/nodes/${command.node}/lxc/${vmid}/status/${action}`, values);
    await finish(command.node, cell(upid), (line) => command.print(`${line}\n`));
  } catch (error) {
    // One guest that does not start or stop must not keep the others from it.
    process.stderr.write(`CT ${vmid}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
