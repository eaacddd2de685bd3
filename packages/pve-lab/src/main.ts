import path from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import type { PveVersion, ToldDisk } from "./hardware/description.ts";
import { pveVersions } from "./hardware/description.ts";
import { handOver } from "./machine/run.ts";
import { down } from "./machine/down.ts";
import type { Lab } from "./machine/lab.ts";
import { locateLab, places, readMemory } from "./machine/lab.ts";
import { withLock } from "./machine/lock.ts";
import type { Preflight } from "./machine/preflight.ts";
import { preflight } from "./machine/preflight.ts";
import { parseDisk, readHardware } from "./machine/hardware.ts";
import { printLogs } from "./machine/logs.ts";
import { publish } from "./machine/publish.ts";
import { reset } from "./machine/reset.ts";
import { enter } from "./machine/ssh.ts";
import { printStatus, status } from "./machine/status.ts";
import { Failure, note } from "./machine/steps.ts";
import { up } from "./machine/up.ts";

const checkout = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");

const program = new Command("lab")
  .description("A throwaway Proxmox-compatible node on this machine")
  .option("--state <directory>", "where the lab's state lies (default: .phoenix/lab of the checkout)")
  .enablePositionalOptions()
  .showHelpAfterError();

function currentLab(): Lab {
  return locateLab(program.opts<{ state?: string }>().state ?? process.env["PHOENIX_LAB_STATE"], checkout);
}

/** One command at a time changes a lab. */
function locked<T>(lab: Lab, work: () => Promise<T>): Promise<T> {
  const wait = (pid: number): void => note(`  waiting for process ${pid}, which works on this lab`);
  return withLock(`/run/lock/phoenix-lab-${lab.id}`, 15 * 60_000, wait, work);
}

function parsePort(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("not a port number");
  return Number(text);
}

function parseCount(text: string): number {
  if (!/^\d{1,2}$/.test(text)) throw new InvalidArgumentError("not a number");
  return Number(text);
}

function parseVersion(text: string): PveVersion {
  const found = pveVersions.find((version) => String(version) === text);
  if (found === undefined)
    throw new InvalidArgumentError(`the lab can be Proxmox VE ${pveVersions.join(" or ")}`);
  return found;
}

function printProblems(checks: Preflight): void {
  for (const problem of checks.problems) note(`✗ ${problem.what}; ${problem.remedy}`);
}

function announce(checks: Preflight): void {
  note("On this machine `lab up` changes:");
  for (const change of checks.changes) note(`  - ${change}`);
  note("To undo it:");
  for (const line of checks.undo) note(`  - ${line}`);
}

program
  .command("preflight")
  .description("check the prerequisites and say what `up` would change; changes nothing")
  .option("--json", "machine-readable")
  .option("--port <number>", "first of three ports on 127.0.0.1", parsePort)
  .action(async (options: { json?: boolean; port?: number }) => {
    const checks = await preflight(currentLab(), options.port);
    if (options.json === true) process.stdout.write(`${JSON.stringify(checks, undefined, 2)}\n`);
    else {
      printProblems(checks);
      announce(checks);
    }
    if (checks.problems.length > 0) process.exitCode = 1;
  });

program
  .command("up")
  .description("start the lab, or repair and refresh a running one")
  .option("--port <number>", "first of three ports on 127.0.0.1: API, SSH, published web port", parsePort)
  .option("--quiet", "do not announce the changes first")
  .option("--pve <version>", "say that the node is Proxmox VE 8 or 9 (kept; 8 if never told)", parseVersion)
  .option(
    "--hardware <file>",
    "take version, disks, cards and kernel from a file in the form of hardware.json (kept)",
  )
  .option("--gpus <number>", "show that many simulated NVIDIA cards (kept; 0 takes them away)", parseCount)
  .option(
    "--disk <description>",
    "a disk in place of the usual four, once per disk: size=64,model=M,serial=S,bus=scsi|ata|nvme,content=blank|partitions|ext4|xfs|swap|pool|mounted (kept)",
    (text: string, before?: readonly ToldDisk[]) => [...(before ?? []), parseDisk(text)],
  )
  .option("--kernel <release>", "release of the kernel that the node shows from its next start on (kept)")
  .action(
    async (options: {
      port?: number;
      quiet?: boolean;
      pve?: PveVersion;
      hardware?: string;
      gpus?: number;
      kernel?: string;
      disk?: ToldDisk[];
    }) => {
      const lab = currentLab();
      const told = {
        ...(options.hardware === undefined ? {} : readHardware(options.hardware)),
        ...(options.pve === undefined ? {} : { pve: options.pve }),
        ...(options.gpus === undefined ? {} : { gpus: options.gpus }),
        ...(options.disk === undefined ? {} : { disks: options.disk }),
        ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
      };
      const checks = await preflight(lab, options.port);
      if (checks.problems.length > 0) {
        printProblems(checks);
        process.exitCode = 1;
        return;
      }
      if (readMemory(lab) === undefined && options.quiet !== true) announce(checks);
      const facts = await locked(lab, () => up(lab, checks, told));
      note(
        `The node answers at ${facts.endpoint} and ${facts.local.endpoint} (root@pam, password in ${places.nodeFacts(lab)})`,
      );
    },
  );

program
  .command("down")
  .description("stop the lab and remove everything of it; the cache of images stays")
  .action(async () => {
    const lab = currentLab();
    await locked(lab, () => down(lab));
  });

program
  .command("status")
  .description("is it running, and how is it reached")
  .option("--json", "machine-readable: the content of node.json")
  .action(async (options: { json?: boolean }) => {
    const found = await status(currentLab());
    printStatus(found, options.json === true);
    if (found.facts === undefined || found.facts.state !== "running") process.exitCode = 3;
  });

program
  .command("ssh [command...]")
  .description("a shell on the node, or one command")
  .passThroughOptions()
  .action(async (command: string[]) => {
    const lab = currentLab();
    process.exitCode = await handOver("ssh", enter(lab, command));
  });

program
  .command("logs")
  .description("the API's log, or its requests as JSON lines")
  .option("--requests", "one JSON line per API request with its answer's status")
  .option("--follow", "go on as lines come")
  .action(async (options: { requests?: boolean; follow?: boolean }) => {
    process.exitCode = await printLogs(currentLab(), options.requests === true, options.follow === true);
  });

program
  .command("reset")
  .description("a fresh node in seconds: same address and keys, blank disks, nothing in it")
  .action(async () => {
    const lab = currentLab();
    await locked(lab, () => reset(lab));
  });

program
  .command("publish <port> <target>")
  .description("make a guest's ADDRESS:PORT reachable on the node's own address and on 127.0.0.1")
  .action(async (port: string, target: string) => {
    const lab = currentLab();
    await locked(lab, () => publish(lab, port, target));
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof Failure) {
    note(`✗ ${error.message}`);
    if (error.hint !== undefined) note(`  next: ${error.hint}`);
  } else note(`✗ ${(error as Error).stack ?? String(error)}`);
  process.exitCode = 1;
}
