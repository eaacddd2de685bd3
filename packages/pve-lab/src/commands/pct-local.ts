import { spawn } from "node:child_process";
import { chmod, chown, open } from "node:fs/promises";
import { loadConfig, removeLock, updateConfig } from "../guests/config-store.ts";
import { rootfsPath } from "../guests/lxc-config.ts";
import { mountGuest, unmountGuest } from "../guests/mounts.ts";
import { isRunning } from "../guests/process.ts";
import type { Arguments } from "./getopt.ts";
import type { Command } from "./main.ts";
import { vmidOf } from "./pct-common.ts";

/** What PVE's `pct` does itself, without the API. */
export async function local(command: Command, verb: string, args: Arguments): Promise<void> {
  switch (verb) {
    case "unlock":
      return removeLock(Number(vmidOf(args)));
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
    case "internal-startall":
      return (await import("./pct-boot.ts")).startAll(command);
    case "internal-stopall":
      return (await import("./pct-boot.ts")).stopAll(command);
    default:
      return (await import("./pct-volumes.ts")).onVolumes(command, verb, args);
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
  const [, source = "", target = ""] = args.positional;
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
  const [, source = "", target = ""] = args.positional;
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
