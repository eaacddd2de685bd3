import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { release as machineRelease, version as machineVersion } from "node:os";
import path from "node:path";
import { place } from "../core/places.ts";
import type { Hardware } from "./description.ts";

/** Where the node keeps what its simulated kernel knows: gone with every start, as a real kernel's memory. */
export const runFolder = "/run/pve-lab";
export const driverFolder = `${runFolder}/proc-driver`;
const hardwareFile = "/etc/pve-lab/hardware.json";
const logFile = "/var/log/pve-lab/hardware.log";

/** A module that the simulated kernel counts as loaded. */
export interface LoadedModule {
  /** As lsmod shows it, e.g. `nvidia_uvm`. */
  readonly name: string;
  readonly version: string;
  readonly size: number;
  /** Modules that must be loaded as long as this one is. */
  readonly needs: readonly string[];
}

export interface KernelState {
  /** Release that `uname -r` says. */
  readonly release: string;
  readonly modules: readonly LoadedModule[];
  /** Addresses of cards that have been looked at since the start: a driver binds a card only when it appears. */
  readonly seen: readonly string[];
}

const stateFile = path.join(runFolder, "kernel.json");

export function readState(): KernelState | undefined {
  if (!existsSync(stateFile)) return undefined;
  return JSON.parse(readFileSync(stateFile, "utf8")) as KernelState;
}

/** Release and version of the kernel that the node shows. */
export function shownKernel(): { release: string; version: string } {
  const release = readState()?.release;
  if (release === undefined) return { release: machineRelease(), version: machineVersion() };
  return { release, version: "#1 SMP PREEMPT_DYNAMIC (simulated by the lab)" };
}

export function writeState(state: KernelState): void {
  mkdirSync(runFolder, { recursive: true });
  const temporary = `${stateFile}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(state, undefined, 2)}\n`);
  renameSync(temporary, stateFile);
}

/** What the lab was told, as `lab up` left it in the node. */
export function readHardware(): Hardware {
  const file = place(hardwareFile);
  if (!existsSync(file)) return { gpus: [], kernel: undefined, disks: [] };
  return JSON.parse(readFileSync(file, "utf8")) as Hardware;
}

/** One line in /var/log/pve-lab/hardware.log, where a kernel would write into its own log. */
export function log(text: string): void {
  mkdirSync(path.dirname(logFile), { recursive: true });
  appendFileSync(logFile, `${new Date().toISOString()} simulated kernel: ${text}\n`);
}
