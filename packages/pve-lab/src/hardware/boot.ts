import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { release as machineRelease } from "node:os";
import path from "node:path";
import { appear, attemptInsert } from "./modules.ts";
import { pciFunctions } from "./pci.ts";
import { showCards, showDriver } from "./show.ts";
import { log, readHardware, readState, runFolder, writeState } from "./state.ts";

/** Release that the image was built with the headers of, as Debian's archive had them then. */
const usualRelease = "/usr/lib/pve-lab/kernel-release";

const collator = new Intl.Collator("en", { numeric: true });

/** The newest kernel with installed headers: what a boot loader would choose. */
function newestInstalled(): string | undefined {
  const folder = "/lib/modules";
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder)
    .filter((name) => existsSync(path.join(folder, name, "build")))
    .sort((a, b) => collator.compare(a, b))
    .at(-1);
}

function chooseRelease(told: string | undefined): string {
  const usual = existsSync(usualRelease) ? readFileSync(usualRelease, "utf8").trim() : "";
  return told ?? newestInstalled() ?? (usual === "" ? machineRelease() : usual);
}

/** Modules that the node is to load at its start: modules-load.d(5), as systemd reads it. */
function wantedModules(): string[] {
  const folders = ["/etc/modules-load.d", "/run/modules-load.d", "/usr/lib/modules-load.d"];
  const files = new Map<string, string>();
  for (const folder of folders) {
    for (const name of existsSync(folder) ? readdirSync(folder) : [])
      if (name.endsWith(".conf") && !files.has(name)) files.set(name, path.join(folder, name));
  }
  return [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .filter(([, file]) => existsSync(file))
    .flatMap(([, file]) => readFileSync(file, "utf8").split("\n"))
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^[#;]/.test(line));
}

/**
 * Brings what the node shows in step with what the lab was told.
 * @param starting at the node's start: a kernel is chosen, and what is configured to be loaded is loaded
 */
export function bringUp(starting: boolean): void {
  mkdirSync(runFolder, { recursive: true });
  const hardware = readHardware();
  let state = readState();
  if (state === undefined) {
    state = { release: chooseRelease(hardware.kernel), modules: [], seen: [] };
    writeState(state);
    // For the `uname` of the node, which is a shell script and reads no JSON.
    writeFileSync(path.join(runFolder, "kernel-release"), `${state.release}\n`);
    log(`the node shows kernel ${state.release}; the machine's own is ${machineRelease()}`);
  }
  const loaded =
    hardware.gpus.length === 0
      ? state.modules.filter(({ name }) => !/^(nvidia|nouveau)/.test(name))
      : state.modules;
  if (loaded.length !== state.modules.length) writeState({ ...state, modules: loaded });
  showCards(hardware);
  showDriver(hardware, loaded);
  const functions = hardware.gpus.flatMap(pciFunctions);
  appear(
    hardware.gpus.map(({ address }) => address),
    functions.map(({ files }) => String(files["modalias"]).trim()),
  );
  if (starting) for (const name of wantedModules()) attemptInsert(name);
}
