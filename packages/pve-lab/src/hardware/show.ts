import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { spawnSync } from "node:child_process";
import type { Hardware } from "./description.ts";
import { driverFiles, pciFunctions } from "./pci.ts";
import type { LoadedModule } from "./state.ts";
import { driverFolder, runFolder } from "./state.ts";

const pciFolder = `${runFolder}/pci-devices`;
const devicesFile = `${runFolder}/proc-devices`;
const moduleFolder = `${runFolder}/sys-module`;
/** The node's second sysfs, which nothing covers (guests need it, too). */
const plainSys = "/dev/.lxc/sys";
const sysPci = "/sys/bus/pci/devices";

function must(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr.trim()}`);
}

/** Lays a file or folder over one of the kernel's, once. */
function cover(from: string, target: string): void {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  if (mounts.some((line) => line.split(" ")[4] === target)) return;
  must("mount", "--bind", from, target);
}

/** Shows the told cards where the kernel shows PCI devices, beside those that the machine has. */
export function showCards(hardware: Hardware): void {
  if (hardware.gpus.length === 0 && !existsSync(pciFolder)) return;
  if (!existsSync(pciFolder)) {
    mkdirSync(pciFolder, { recursive: true });
    for (const name of existsSync(sysPci) ? readdirSync(sysPci) : [])
      symlinkSync(readlinkSync(path.join(sysPci, name)), path.join(pciFolder, name));
  }
  const functions = hardware.gpus.flatMap(pciFunctions);
  for (const name of readdirSync(pciFolder)) {
    const ours = existsSync(path.join(pciFolder, name, "lab-simulated"));
    if (ours && !functions.some(({ address }) => address === name))
      rmSync(path.join(pciFolder, name), { recursive: true });
  }
  for (const { address, files } of functions) {
    const folder = path.join(pciFolder, address);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "lab-simulated"), "There is no such card.\n");
    for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
  }
  mkdirSync(driverFolder, { recursive: true });
  cover(pciFolder, sysPci);
  cover(driverFolder, "/proc/driver");
  if (!existsSync(moduleFolder)) {
    mkdirSync(moduleFolder);
    for (const name of readdirSync("/sys/module"))
      symlinkSync(`${plainSys}/module/${name}`, path.join(moduleFolder, name));
  }
  cover(moduleFolder, "/sys/module");
}

interface Node {
  readonly path: string;
  readonly major: number;
  readonly minor: number;
  readonly mode: string;
}

// What the driver registers; the last two are handed out by the kernel and may be others on iron.
const majors = { frontend: 195, uvm: 508, caps: 236 };

function deviceNodes(hardware: Hardware, loaded: ReadonlySet<string>): Node[] {
  const node = (name: string, major: number, minor: number, mode = "666"): Node => ({
    path: `/dev/${name}`,
    major,
    minor,
    mode,
  });
  return [
    ...(loaded.has("nvidia")
      ? [
          ...hardware.gpus.map(({ index }) => node(`nvidia${index}`, majors.frontend, index)),
          node("nvidiactl", majors.frontend, 255),
          node("nvidia-caps/nvidia-cap1", majors.caps, 1, "400"),
          node("nvidia-caps/nvidia-cap2", majors.caps, 2, "444"),
        ]
      : []),
    ...(loaded.has("nvidia_modeset") ? [node("nvidia-modeset", majors.frontend, 254)] : []),
    ...(loaded.has("nvidia_uvm")
      ? [node("nvidia-uvm", majors.uvm, 0), node("nvidia-uvm-tools", majors.uvm, 1)]
      : []),
  ];
}

/** The driver's device nodes, its folder in /proc and its name at the cards, as the loaded modules have it. */
export function showDriver(hardware: Hardware, modules: readonly LoadedModule[]): void {
  const loaded = new Set(modules.map(({ name }) => name));
  const driver = modules.find(({ name }) => name === "nvidia");
  const wanted = deviceNodes(hardware, loaded);
  const present = readdirSync("/dev")
    .filter((name) => /^nvidia(?:\d+|ctl|-modeset|-uvm|-uvm-tools|-caps)$/.test(name))
    .map((name) => `/dev/${name}`);
  for (const file of present)
    if (!wanted.some((node) => node.path === file || node.path.startsWith(`${file}/`)))
      rmSync(file, { recursive: true });
  // udev's folder, in which nvidia-modprobe makes links.
  if (wanted.length > 0) mkdirSync("/dev/char", { recursive: true });
  for (const { path: file, major, minor, mode } of wanted) {
    mkdirSync(path.dirname(file), { recursive: true });
    if (!existsSync(file)) must("mknod", "-m", mode, file, "c", String(major), String(minor));
  }
  for (const { address } of hardware.gpus) {
    const link = path.join(pciFolder, address, "driver");
    rmSync(link, { force: true });
    const name = driver === undefined ? (loaded.has("nouveau") ? "nouveau" : undefined) : "nvidia";
    if (name === undefined) continue;
    // lspci wants to see where the link leads.
    mkdirSync(`${runFolder}/pci-drivers/${name}`, { recursive: true });
    symlinkSync(`${runFolder}/pci-drivers/${name}`, link);
  }
  if (!existsSync(driverFolder)) return;
  rmSync(path.join(driverFolder, "nvidia"), { recursive: true, force: true });
  if (driver !== undefined) {
    for (const [name, text] of Object.entries(driverFiles(hardware.gpus, driver.version))) {
      const file = path.join(driverFolder, "nvidia", name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }
  showModules(modules);
  showMajors(loaded);
}

/** /sys/module/<name>, by which nvidia-modprobe sees what is loaded. */
function showModules(modules: readonly LoadedModule[]): void {
  for (const entry of readdirSync(moduleFolder, { withFileTypes: true }))
    if (entry.isDirectory()) rmSync(path.join(moduleFolder, entry.name), { recursive: true });
  for (const { name, version } of modules) {
    const folder = path.join(moduleFolder, name);
    mkdirSync(folder);
    writeFileSync(path.join(folder, "initstate"), "live\n");
    if (version !== "") writeFileSync(path.join(folder, "version"), `${version}\n`);
  }
}

/** /proc/devices with the driver's majors, from which nvidia-modprobe and scripts learn them. */
function showMajors(loaded: ReadonlySet<string>): void {
  const first = !existsSync(devicesFile);
  const before = readFileSync(first ? "/proc/devices" : devicesFile, "utf8")
    .split("\n")
    .filter((line) => !line.includes(" nvidia"));
  const lines = [
    ...(loaded.has("nvidia")
      ? [`${majors.frontend} nvidia`, `${majors.frontend} nvidiactl`, `${majors.caps} nvidia-caps`]
      : []),
    ...(loaded.has("nvidia_uvm") ? [`${majors.uvm} nvidia-uvm`] : []),
  ];
  before.splice(1, 0, ...lines);
  // Written in place: the file is mounted over the kernel's.
  writeFileSync(devicesFile, before.join("\n"));
  cover(devicesFile, "/proc/devices");
}
