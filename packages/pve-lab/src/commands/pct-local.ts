import { spawn } from "node:child_process";
import { chmod, chown, open } from "node:fs/promises";
import { loadConfig, guestIds, removeLock, updateConfig } from "../guests/config-store.ts";
import { rootfsPath } from "../guests/lxc-config.ts";
import { mountGuest, unmountGuest } from "../guests/mounts.ts";
import { isRunning } from "../guests/process.ts";
import { bootOrder, stopOrder, type StartEntry } from "../guests/startup.ts";
import { UsageError, type Arguments } from "./arguments.ts";
import { call, finish } from "./client.ts";
import type { Command } from "./main.ts";
import { vmidOf } from "./pct.ts";
import { cell } from "./output.ts";

/** `pct unlock`: works on the file, as PVE's does. */
export async function unlock(vmid: string): Promise<void> {
  await removeLock(Number(vmid));
}

/** What PVE's `pct` does itself, without the API. */
export async function local(command: Command, verb: string, args: Arguments): Promise<void> {
  switch (verb) {
    case "push":
      return push(args);
    case "pull":
      return pull(args);
    case "mount":
      return mount(command, args);
    case "unmount":
      return unmount(args);
    case "console":
      return attached("lxc-console", ["-n", requireRunning(args), "-t", "0"]);
    case "fstrim":
      return attached("lxc-attach", ["-n", requireRunning(args), "--", "fstrim", "-v", "/"]);
    case "df":
      return attached("lxc-attach", ["-n", requireRunning(args), "--", "df", "-h", "-x", "tmpfs"]);
    case "internal-startall":
      return startAll(command);
    case "internal-stopall":
      return stopAll(command);
    default:
      throw new UsageError(`'pct ${verb}' is not implemented in the lab`);
  }
}

function requireRunning(args: Arguments): string {
  const vmid = vmidOf(args);
  loadConfig(Number(vmid));
  if (!isRunning(Number(vmid))) throw new Error(`container '${vmid}' not running!`);
  return vmid;
}

/** A program that talks to the caller's terminal; its exit code becomes ours. */
function attached(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: "inherit" });
    child.once("error", reject);
    child.once("close", (code) => {
      process.exitCode = code ?? 255;
      resolve();
    });
  });
}

/** The file goes in through a process inside, so that no link in the guest can lead it astray. */
async function push(args: Arguments): Promise<void> {
  const vmid = vmidOf(args);
  const [, source, target] = args.positional;
  if (source === undefined || target === undefined) throw new UsageError("400 not enough arguments");
  loadConfig(Number(vmid));
  if (!isRunning(Number(vmid))) throw new Error("can only push files to a running CT");
  const file = await open(source, "r").catch(() => {
    throw new Error(`failed to open ${source} for reading`);
  });
  const option = (name: string) => args.options[name]?.at(-1) ?? "";
  const script =
    'set -e; umask 077; cat >"$1"; [ -z "$2" ] || chmod "$2" "$1"; [ -z "$3" ] || chown "$3" "$1"; [ -z "$4" ] || chgrp "$4" "$1"';
  const inside = [
    "sh",
    "-c",
    script,
    "push",
    target,
    option("perms") || "0644",
    option("user"),
    option("group"),
  ];
  try {
    await piped(["lxc-attach", "-n", vmid, "--clear-env", "--", ...inside], file.fd, "ignore");
  } catch (error) {
    throw new Error(`failed to create file: ${target}`, { cause: error });
  } finally {
    await file.close();
  }
}

async function pull(args: Arguments): Promise<void> {
  const vmid = vmidOf(args);
  const [, source, target] = args.positional;
  if (source === undefined || target === undefined) throw new UsageError("400 not enough arguments");
  loadConfig(Number(vmid));
  if (!isRunning(Number(vmid))) throw new Error("can only pull files from a running CT");
  const file = await open(target, "w", 0o644).catch(() => {
    throw new Error(`failed to create file: ${target}`);
  });
  try {
    await piped(["lxc-attach", "-n", vmid, "--clear-env", "--", "cat", "--", source], "ignore", file.fd);
  } catch {
    throw new Error(`failed to open ${source}`);
  } finally {
    await file.close();
  }
  const perms = args.options["perms"]?.at(-1);
  if (perms !== undefined) await chmod(target, Number.parseInt(perms, 8));
  const owner = Number(args.options["user"]?.at(-1) ?? Number.NaN);
  if (Number.isInteger(owner)) await chown(target, owner, owner);
}

function piped(
  [program = "", ...args]: string[],
  input: number | "ignore",
  output: number | "ignore",
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: [input, output, "pipe"] });
    let stderr = "";
    child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(stderr.trim()))));
  });
}

async function mount({ print }: Command, args: Arguments): Promise<void> {
  const vmid = Number(vmidOf(args));
  const config = loadConfig(vmid);
  if (config.values["lock"] !== undefined) throw new Error(`CT is locked (${config.values["lock"]})`);
  if (isRunning(vmid)) throw new Error("cannot mount the file systems of a running container");
  await updateConfig(vmid, ({ values }) => void (values["lock"] = "mounted"));
  try {
    await mountGuest(vmid, config);
  } catch (error) {
    await removeLock(vmid, "mounted");
    throw error;
  }
  print(`mounted CT ${vmid} in '${rootfsPath(vmid)}'\n`);
}

async function unmount(args: Arguments): Promise<void> {
  const vmid = Number(vmidOf(args));
  if (loadConfig(vmid).values["lock"] !== "mounted")
    throw new Error("no lock found trying to remove 'mounted' lock");
  await unmountGuest(vmid);
  await removeLock(vmid, "mounted");
}

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
async function startAll(command: Command): Promise<void> {
  await waitForApi();
  for (const { vmid, delay } of bootOrder(entries())) {
    if (isRunning(vmid)) continue;
    command.print(`Starting CT ${vmid}\n`);
    await act(command, vmid, "start", {});
    await pause(delay);
  }
}

/** Before the node goes down: all guests, in reverse order. */
async function stopAll(command: Command): Promise<void> {
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
