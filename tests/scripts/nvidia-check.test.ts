import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Bench } from "./run-script.ts";

/** The driver's check on a machine whose kernel, modules, library and nvidia-smi say what each test wants. */
const version = "580.95.05";
const other = "580.105.08";
const kernel = "6.8.12-9-pve";
const newer = "6.8.12-15-pve";
const document = { stack: "dev", parameters: { version, source: "distribution" } };

let bench: Bench;
const at = (...parts: string[]): string => join(bench.folder, ...parts);
const write = (text: string, ...parts: string[]): void => {
  mkdirSync(join(at(...parts), ".."), { recursive: true });
  writeFileSync(at(...parts), text);
};

const loaded = (what: string): void =>
  write(`NVRM version: NVIDIA UNIX x86_64 Kernel Module  ${what}  Release Build\n`, "proc/version");
const modules = (...names: string[]): Bench =>
  bench.tool("lsmod", `printf '%s 1 0\\n' Module ${names.join(" ")}`);
const library = (what: string): Bench => {
  write("", `libnvidia-ml.so.${what}`);
  return bench.tool(
    "ldconfig",
    `echo '	libnvidia-ml.so.1 (libc6,x86-64) => ${at(`libnvidia-ml.so.${what}`)}'`,
  );
};
const smi = (line: string, code = 0): Bench => bench.tool("nvidia-smi", `echo '${line}'; exit ${code}`);
/** What modinfo says of a kernel's module. */
const built = (of: Record<string, string>): Bench =>
  bench.tool(
    "modinfo",
    `case $2 in ${Object.entries(of)
      .map(([k, v]) => `${k}) echo ${v} ;;`)
      .join(" ")} *) exit 1 ;; esac`,
  );

const reasons = (): string[] => {
  const { code, stdout, stderr } = bench.run(
    "bin/hypervisor/feature_install_nvidia_driver.sh",
    ["check"],
    document,
  );
  expect(`${code} ${stderr}`).toBe("10 ");
  return stdout.trim().split("\n");
};

beforeEach(() => {
  bench = new Bench();
  vi.stubEnv("PHOENIX_PCI", at("pci"));
  vi.stubEnv("PHOENIX_PROC_NVIDIA", at("proc"));
  vi.stubEnv("PHOENIX_BOOT", at("boot"));
  write("0x10de\n", "pci/0000:01:00.0/vendor");
  write("0x030000\n", "pci/0000:01:00.0/class");
  write("Device Minor: \t 0\n", "proc/gpus/0000:01:00.0/information");
  write("", "boot", `vmlinuz-${kernel}`);
  for (const name of ["dpkg-query", "apt-cache", "systemctl"]) bench.tool(name, "exit 1");
  bench.tool("uname", `echo ${kernel}`);
  loaded(version);
  modules("nvidia", "nvidia_uvm");
  library(version);
  smi(`${version}, Enabled`);
  built({ [kernel]: version });
});
afterEach(() => {
  vi.unstubAllEnvs();
  bench.close();
});

/** What is said of files, packages and device nodes, which no test here is about. */
const others = /^\/etc\/|^package |^phoenix-nvidia\.service|headers are missing|^device \/dev\/nvidia/;

test("where all four agree, none is named", () => {
  expect(reasons().filter((line) => !others.test(line))).toEqual([]);
});

test.each<[string, () => unknown, string[]]>([
  [
    "the loaded module is another",
    () => loaded(other),
    [`the loaded kernel module is ${other}, wanted ${version}`],
  ],
  ["no module is loaded", () => rmSync(at("proc/version")), ["the kernel module is not loaded"]],
  [
    "nouveau is loaded",
    () => modules("nouveau"),
    ["the module nouveau is loaded and holds the GPUs", "the module nvidia_uvm is not loaded"],
  ],
  [
    "the module on the disk is another",
    () => built({ [kernel]: other }),
    [`kernel ${kernel}: its NVIDIA module is ${other}, wanted ${version}`],
  ],
  [
    "a newer kernel has no module",
    () => write("", "boot", `vmlinuz-${newer}`),
    [`kernel ${newer}: there is no NVIDIA module for it`],
  ],
  [
    "the library is another",
    () => library(other),
    [`the library libnvidia-ml.so.1 is ${other}, wanted ${version} (the kernel module is ${version})`],
  ],
  ["there is no library", () => bench.tool("ldconfig", ":"), ["the library libnvidia-ml.so.1 is missing"]],
  [
    "nvidia-smi is another",
    () => smi(`${other}, Enabled`),
    [`nvidia-smi says driver ${other}, wanted ${version}`],
  ],
  [
    "nvidia-smi meets another module",
    () => smi("Failed to initialize NVML: Driver/library version mismatch", 18),
    ["nvidia-smi fails: Failed to initialize NVML: Driver/library version mismatch"],
  ],
  ["persistence mode is off", () => smi(`${version}, Disabled`), ["persistence mode is off"]],
  [
    "there is no card",
    () => rmSync(at("pci/0000:01:00.0"), { recursive: true }),
    ["there is no NVIDIA GPU on the PCI bus"],
  ],
  [
    "a part of another function is no card",
    () => write("0x040300\n", "pci/0000:01:00.0/class"),
    ["there is no NVIDIA GPU on the PCI bus"],
  ],
])("%s: it is named, and nothing else", (_name, break_, expected) => {
  break_();
  expect(reasons().filter((line) => !others.test(line))).toEqual(expected);
});
