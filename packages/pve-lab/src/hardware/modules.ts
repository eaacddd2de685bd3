import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import path from "node:path";
import { isBlacklisted, moduleField, planOf, removeCommand } from "./kmod.ts";
import { showDriver } from "./show.ts";
import type { KernelState, LoadedModule } from "./state.ts";
import { log, readHardware, readState, writeState } from "./state.ts";

/** A call that ends like the real tool's: its line on standard error and its exit status. */
export class ToolFailure extends Error {
  readonly code: number;
  constructor(message: string, code = 1) {
    super(message);
    this.code = code;
  }
}

const simulated = /^nvidia(?:_uvm|_modeset|_drm|_peermem)?$/;

export function currentState(): KernelState {
  const state = readState();
  if (state === undefined)
    throw new ToolFailure("the lab's hardware has not been brought up (lab-hardware.service)");
  return state;
}

function change(state: KernelState, modules: readonly LoadedModule[]): void {
  writeState({ ...state, modules });
  showDriver(readHardware(), modules);
}

/** Loads one module file, or says why the kernel would not. */
export function insertFile(tool: string, file: string): void {
  const state = currentState();
  const refuse = (reason: string): never => {
    log(`${path.basename(file)} is not loaded: ${reason}`);
    const name = path
      .basename(file)
      .replace(/\.ko(\..*)?$/, "")
      .replaceAll("-", "_");
    throw new ToolFailure(
      tool === "insmod"
        ? `insmod: ERROR: could not insert module ${file}: ${reason}`
        : `modprobe: ERROR: could not insert '${name}': ${reason}`,
    );
  };
  if (statSync(file, { throwIfNoEntry: false }) === undefined) refuse("No such file or directory");
  const name = moduleField(file, "name");
  if (state.modules.some((module) => module.name === name)) {
    if (tool === "insmod") refuse("File exists");
    return;
  }
  // The machine's kernel loads nothing for the lab: what the lab does not simulate is refused as it would be.
  if (!simulated.test(name)) refuse("Operation not permitted");
  const built = moduleField(file, "vermagic").split(" ")[0] ?? "";
  if (built !== state.release) {
    log(`${name}: version magic '${built}' should be '${state.release}'`);
    refuse("Exec format error");
  }
  const needs = moduleField(file, "depends")
    .split(",")
    .filter((word) => word !== "")
    .map(kernelName);
  const missing = needs.filter(
    (need) => simulated.test(need) && !state.modules.some((module) => module.name === need),
  );
  if (missing.length > 0) refuse("Unknown symbol in module, or unknown parameter (see dmesg)");
  if (name === "nvidia") {
    if (readHardware().gpus.length === 0) refuse("No such device");
    if (state.modules.some((module) => module.name === "nouveau")) {
      log("NVRM: the cards are bound to nouveau; unload it or start without it");
      refuse("No such device");
    }
  }
  const version = moduleField(file, "version");
  log(`${name} ${version} counts as loaded (${file})`);
  change(state, [
    { name, version, size: statSync(file).size, needs: needs.filter((need) => simulated.test(need)) },
    ...state.modules,
  ]);
}

/** Debian builds nvidia-current.ko, whose name in the kernel is nvidia. */
function kernelName(name: string): string {
  return name.replaceAll("-", "_").replace(/^nvidia_(?:current|tesla(?:_\d+)?)(?=_|$)/, "nvidia");
}

/** `modprobe NAME`. */
export function insert(flags: readonly string[], words: readonly string[], verbose: boolean): void {
  const { release, modules } = currentState();
  const [name = ""] = words;
  // Loaded already; nouveau has no file here.
  if (modules.some((module) => module.name === kernelName(name)) && !flags.includes("-i")) return;
  const plan = planOf(release, flags, words);
  if (plan.code !== 0) throw new ToolFailure(plan.stderr.trim(), plan.code);
  for (const step of plan.steps) {
    if (step.kind === "insert") {
      if (verbose) process.stdout.write(`insmod ${step.file}  (simulated by the lab)\n`);
      insertFile("modprobe", step.file);
    } else runConfigured(step.command, name);
  }
}

function runConfigured(command: string, name: string): void {
  const { status } = spawnSync("/bin/sh", ["-c", command], {
    stdio: "inherit",
    env: { ...process.env, MODPROBE_MODULE: name, CMDLINE_OPTS: "" },
  });
  if (status !== 0) {
    throw new ToolFailure(
      `modprobe: ERROR: Error running install command '${command}' for module ${name}: retcode ${status ?? 255}`,
    );
  }
}

/** The loaded module that a name, an alias or a file's name means. */
function loadedName(state: KernelState, word: string): string | undefined {
  const direct = kernelName(path.basename(word).replace(/\.ko$/, ""));
  if (state.modules.some(({ name }) => name === direct)) return direct;
  const last = planOf(state.release, ["-i"], [word]).steps.at(-1);
  if (last?.kind !== "insert") return undefined;
  const name = moduleField(last.file, "name");
  return state.modules.some((module) => module.name === name) ? name : undefined;
}

const usersOf = (state: KernelState, name: string): string[] =>
  state.modules.filter(({ needs }) => needs.includes(name)).map((module) => module.name);

/** `rmmod NAME`. */
export function removeOne(word: string): void {
  const state = currentState();
  const name = kernelName(path.basename(word).replace(/\.ko$/, ""));
  if (!state.modules.some((module) => module.name === name))
    throw new ToolFailure(`rmmod: ERROR: Module ${name} is not currently loaded`);
  const users = usersOf(state, name);
  if (users.length > 0)
    throw new ToolFailure(`rmmod: ERROR: Module ${name} is in use by: ${users.join(" ")}`);
  drop(state, name);
}

/** `modprobe -r NAME`: also what it needed and nobody else needs. */
export function remove(word: string, ignoreCommands: boolean, quiet: boolean): void {
  const state = currentState();
  const configured = ignoreCommands ? undefined : removeCommand(state.release, word);
  if (configured !== undefined) {
    runConfigured(configured, word);
    return;
  }
  const name = loadedName(state, word);
  if (name === undefined) {
    // Known and not loaded is no error for modprobe.
    if (quiet || planOf(state.release, ["-i"], [word]).code === 0) return;
    throw new ToolFailure(`modprobe: FATAL: Module ${word} not found.`);
  }
  if (usersOf(state, name).length > 0) throw new ToolFailure(`modprobe: FATAL: Module ${name} is in use.`);
  const needs = state.modules.find((module) => module.name === name)?.needs ?? [];
  drop(state, name);
  for (const need of needs) {
    const now = currentState();
    if (now.modules.some((module) => module.name === need) && usersOf(now, need).length === 0)
      drop(now, need);
  }
}

function drop(state: KernelState, name: string): void {
  log(`${name} is no longer loaded`);
  change(
    state,
    state.modules.filter((module) => module.name !== name),
  );
}

/** `lsmod`. */
export function listing(): string {
  const state = currentState();
  const lines = state.modules.map(({ name, size }) => {
    const users = usersOf(state, name);
    return `${name.padEnd(20)} ${String(size).padStart(10)}  ${users.length}${users.length === 0 ? "" : ` ${users.join(",")}`}`;
  });
  return ["Module                  Size  Used by    (simulated by the lab)", ...lines, ""].join("\n");
}

/** What udev does when a card appears: the open driver binds it, unless the configuration says otherwise. */
export function appear(addresses: readonly string[], aliases: readonly string[]): void {
  const state = currentState();
  const fresh = addresses.filter((address) => !state.seen.includes(address));
  if (fresh.length === 0) return;
  writeState({ ...state, seen: [...state.seen, ...fresh] });
  const bound = state.modules.some(({ name }) => name === "nouveau" || name === "nvidia");
  if (!bound && !isBlacklisted(state.release, "nouveau")) {
    log("nouveau binds the cards, as nothing in modprobe's configuration forbids it");
    change(currentState(), [{ name: "nouveau", version: "", size: 3_096_576, needs: [] }, ...state.modules]);
    return;
  }
  for (const alias of new Set(aliases)) attemptInsert(alias);
}

/** For what nobody waits for: a failure is a line in the log. */
export function attemptInsert(word: string): void {
  try {
    insert(["-b"], [word], false);
  } catch (error) {
    log(`${word}: ${(error as Error).message}`);
  }
}
