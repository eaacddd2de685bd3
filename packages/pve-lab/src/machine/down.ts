import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { settledPid, stop } from "./container.ts";
import { lowerNetwork } from "./host-network.ts";
import type { Lab } from "./lab.ts";
import { places } from "./lab.ts";
import { attempt } from "./run.ts";
import { recordedPackages, removalHint } from "./packages.ts";
import { Failure, note, step } from "./steps.ts";

interface Loop {
  readonly name: string;
  readonly "back-maj:min"?: string | null;
  readonly "back-ino"?: number | string | null;
}

async function loops(): Promise<Loop[]> {
  const listing = await attempt("losetup", ["--json", "--list", "--output", "NAME,BACK-MAJ:MIN,BACK-INO"]);
  if (listing.code !== 0 || listing.stdout.trim() === "") return [];
  return (JSON.parse(listing.stdout) as { loopdevices: Loop[] }).loopdevices;
}

/** `MAJOR:MINOR` as the kernel writes it, from stat(2)'s device number. */
function deviceNumber(device: number): string {
  return `${Math.floor(device / 256) & 0xfff}:${(device & 0xff) | (Math.floor(device / 4096) & 0xfff00)}`;
}

/** The lab's disk images by inode: a loop device that outlives its node shows no path that could be recognised. */
function diskInodes(lab: Lab): Set<string> {
  const directory = places.disks(lab);
  if (!existsSync(directory)) return new Set();
  const stats = readdirSync(directory).map((name) => statSync(path.join(directory, name)));
  return new Set(stats.map((stat) => `${deviceNumber(stat.dev)}/${stat.ino}`));
}

/** Device numbers of the file systems that only the node sees: loop devices on them are the node's. */
function nodeDevices(pid: number): Set<string> {
  const devices = new Set<string>();
  for (const line of readFileSync(`/proc/${pid}/mountinfo`, "utf8").split("\n")) {
    const fields = line.split(" ");
    const device = fields[2];
    if (device !== undefined && / - fuse/.test(line)) devices.add(device);
  }
  return devices;
}

/** Ends the FUSE connections with these device numbers, so that whoever waits for them gets an error. */
async function abortFuse(devices: ReadonlySet<string>): Promise<void> {
  const control = mkdtempSync(path.join(tmpdir(), "phoenix-lab-fuse-"));
  try {
    if ((await attempt("mount", ["-t", "fusectl", "none", control])).code !== 0) return;
    for (const device of devices) {
      const file = path.join(control, device.split(":")[1] ?? "", "abort");
      if (existsSync(file)) writeFileSync(file, "1");
    }
  } finally {
    await attempt("umount", [control]);
    rmdirSync(control);
  }
}

/** Stops the node and frees what outlives its processes: loop devices on its files. */
export async function stopNode(lab: Lab, patienceSeconds: number): Promise<void> {
  const pid = await settledPid(lab);
  const devices = pid === undefined ? new Set<string>() : nodeDevices(pid);
  if (!(await stop(lab, patienceSeconds))) {
    // A file system whose daemon hangs holds the processes that use it: cut it off from its daemon.
    await abortFuse(devices);
    if (!(await stop(lab, 0)))
      throw new Failure("the node does not stop", `see ${places.log(lab)} and \`ps -ef\`, then try again`);
  }
  const inodes = diskInodes(lab);
  const ours = (loop: Loop): boolean => {
    const device = loop["back-maj:min"]?.trim() ?? "";
    return devices.has(device) || inodes.has(`${device}/${loop["back-ino"] ?? ""}`);
  };
  for (const loop of (await loops()).filter(ours)) await attempt("losetup", ["--detach", loop.name]);
}

/** Removes every trace of the lab on this machine but the cache and apt's packages. */
export async function down(lab: Lab): Promise<void> {
  if (process.getuid?.() !== 0) throw new Failure("taking a lab down needs root", "run it as root (sudo)");
  await step("stop the node", () => stopNode(lab, 20));
  await step("remove network, disks and files", async () => {
    await lowerNetwork(lab);
    for (const part of [
      "lxc",
      "root",
      "disks",
      "opt",
      "ssh",
      "log",
      "lab.json",
      "node.json",
      "hardware.json",
    ]) {
      rmSync(path.join(lab.state, part), { recursive: true, force: true });
    }
    if (existsSync(lab.state) && readdirSync(lab.state).filter((name) => name !== "lock").length === 0) {
      rmSync(lab.state, { recursive: true, force: true });
      if (!lab.explicitState) removeIfEmpty(path.dirname(lab.state));
    }
  });
  for (const line of removalHint(recordedPackages(lab.cache)))
    note(`What stays: the cache ${lab.cache}, and ${line}`);
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Something else lies there.
  }
}
