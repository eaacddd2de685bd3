import { spawnSync } from "node:child_process";
import { existsSync, realpathSync, statSync } from "node:fs";
import { UsageError, parseOptions, splitProperty } from "./options.ts";
import { askedPoolKey } from "./properties.ts";
import { RealFailed, ask, must, mustSoon } from "./real.ts";
import { diskName, parseVdev, rewriteConfig } from "./vdevs.ts";
import { propertyOptions } from "./zfs-write.ts";
import { emulatedPool, fullPoolName, isPoolProperty, poolNames } from "./zpool-properties.ts";

function fail(line: string): never {
  process.stderr.write(`${line}\n`);
  throw new RealFailed(1);
}

/** Splits pool properties into those of zfs-fuse and those that are only remembered. */
function poolProperties(asked: readonly string[]): { native: string[]; remembered: [string, string][] } {
  const native: string[] = [];
  const remembered: [string, string][] = [];
  for (const text of asked) {
    const [given, value] = splitProperty(text);
    const name = fullPoolName(given);
    const property = emulatedPool[name];
    if (property !== undefined) {
      if (!property.accepts.test(value)) fail(`property '${name}' must be ${property.words}: '${value}'`);
      remembered.push([askedPoolKey(name), value]);
      if (name === "ashift" && value !== "0") native.push("-o", `ashift=${Math.min(Number(value), 13)}`);
    } else if (/^feature@[a-z0-9_]+$/.test(name)) {
      if (!/^(enabled|disabled)$/.test(value))
        fail(`property '${name}' can only be set to 'enabled' or 'disabled'`);
    } else if (isPoolProperty(name)) native.push("-o", `${name}=${value}`);
    else fail(`property '${given}' is not a valid pool property`);
  }
  return { native, remembered };
}

const keywords = /^(mirror|raidz[123]?|log|cache|spare)$/;

function probe(command: string, args: readonly string[]): string {
  const result = spawnSync(command, [...args], { encoding: "utf8" });
  return result.error === undefined ? result.stdout : "";
}

/** What OpenZFS would say about a disk that is not empty; undefined if it may be taken without -f. */
function occupied(disk: string): string | undefined {
  const type = /TYPE="([^"]*)"/.exec(
    probe("blkid", ["-p", "-o", "full", disk]).replace(/SEC_TYPE|PTTYPE/g, "x"),
  )?.[1];
  if (type === "zfs_member") {
    const label = probe("/usr/sbin/zdb", ["-l", disk]);
    const state = /\bstate[:=] ?(\d)/.exec(label)?.[1];
    const pool = /\bname[:=] ?'?([^'\n]+)'?/.exec(label)?.[1] ?? "?";
    if (state === "2") return undefined;
    return `${disk} is part of ${state === "1" ? "exported" : "potentially active"} pool '${pool}'`;
  }
  if (type !== undefined && type !== "") return `${disk} contains a filesystem of type '${type}'`;
  const table = /PTTYPE="([^"]*)"/.exec(probe("blkid", ["-p", "-o", "full", disk]))?.[1];
  return table === undefined ? undefined : `${disk} contains a partition table of type '${table}'`;
}

function checkVdevs(words: readonly string[], force: boolean): void {
  const errors: string[] = [];
  for (const word of words) {
    if (keywords.test(word)) continue;
    if (/^(special|dedup|draid)/.test(word))
      fail(`invalid vdev specification: '${word}' is not possible in the lab (zfs-fuse)`);
    const disk = word.startsWith("/") ? word : `/dev/${word}`;
    if (!existsSync(disk))
      fail(`cannot open '${word}': no such device in /dev\nmust be a full path or shorthand device name`);
    if (force || !statSync(disk).isBlockDevice()) continue;
    const reason = occupied(disk);
    if (reason !== undefined) errors.push(reason);
  }
  if (errors.length > 0)
    fail(`invalid vdev specification\nuse '-f' to override the following errors:\n${errors.join("\n")}`);
}

/** zpool create */
export function zpoolCreate(args: readonly string[]): number {
  const options = parseOptions(args, "fndm:R:o:O:t:");
  const [pool, ...vdevs] = options.operands;
  if (pool === undefined) throw new UsageError("missing pool name argument");
  if (vdevs.length === 0) throw new UsageError("missing vdev specification");
  const { native, remembered } = poolProperties(options.all("o"));
  const filesystem = propertyOptions("-O", options.all("O"), `cannot create '${pool}'`);
  checkVdevs(vdevs, options.has("f"));
  const values = ["m", "R"].flatMap((letter) =>
    options.all(letter).flatMap((value) => [`-${letter}`, value]),
  );
  const ashift = native.some((word) => word.startsWith("ashift=")) ? [] : ["-o", "ashift=12"];
  // zfs-fuse knows less about what lies on a disk than the checks above, so they decide.
  const out = must("zpool", [
    "create",
    "-f",
    ...(options.has("n") ? ["-n"] : []),
    ...values,
    ...native,
    ...ashift,
    ...filesystem,
    ...remembered.flatMap(([key, value]) => ["-O", `${key}=${value}`]),
    pool,
    ...vdevs,
  ]);
  process.stdout.write(out);
  return 0;
}

/** zpool add and attach: vdevs are checked as for create. */
export function zpoolAdd(verb: "add" | "attach" | "replace", args: readonly string[]): number {
  const options = parseOptions(args, "fgLnPswo:");
  const [pool, ...rest] = options.operands;
  if (pool === undefined) throw new UsageError("missing pool name argument");
  checkVdevs(verb === "add" ? rest : rest.slice(-1), options.has("f"));
  const { native } = poolProperties(options.all("o"));
  process.stdout.write(
    must("zpool", [verb, "-f", ...(options.has("n") ? ["-n"] : []), ...native, pool, ...rest]),
  );
  return 0;
}

/** zpool set */
export function zpoolSet(args: readonly string[]): number {
  const { operands } = parseOptions(args, "");
  const [assignment, pool] = operands;
  if (assignment === undefined) throw new UsageError("missing property=value argument");
  if (pool === undefined) throw new UsageError("missing pool name");
  const { native, remembered } = poolProperties([assignment]);
  if (native.length === 2 && remembered.length === 0) must("zpool", ["set", native[1] ?? "", pool]);
  for (const [key, value] of remembered) must("zfs", ["set", `${key}=${value}`, pool]);
  return 0;
}

/** zpool import */
export function zpoolImport(args: readonly string[]): number {
  const options = parseOptions(args, "aDd:c:fFhlmnNo:R:s:StTX");
  const flags = ["a", "D", "f", "F", "n"]
    .filter((letter) => options.has(letter))
    .map((letter) => `-${letter}`);
  const { native, remembered } = poolProperties(
    options.all("o").filter((text) => !text.startsWith("readonly=")),
  );
  if (options.all("o").some((text) => text === "readonly=on"))
    fail("read-only import is not possible in the lab (zfs-fuse)");
  const values = ["d", "c", "R"].flatMap((letter) =>
    options.all(letter).flatMap((value) => [`-${letter}`, value]),
  );
  const command = ["import", ...flags, ...values, ...native, ...options.operands];
  if (options.operands.length === 0 && !options.has("a")) {
    const answer = ask("zpool", command);
    process.stderr.write(answer.stderr.replace(/^Defaulting to 4K.*\n/gm, ""));
    if (answer.stdout === "" && answer.stderr === "") process.stderr.write("no pools available to import\n");
    process.stdout.write(rewriteConfig(answer.stdout, false, false));
    return answer.status;
  }
  must("zpool", command);
  const pool = options.operands[1] ?? options.operands[0];
  if (options.has("N") && pool !== undefined) must("zfs", ["unmount", "-f", pool]);
  if (pool !== undefined)
    for (const [key, value] of remembered) must("zfs", ["set", `${key}=${value}`, pool]);
  return 0;
}

/** zpool labelclear: zfs-fuse has none; wipefs does the same to a label. */
export function zpoolLabelclear(args: readonly string[]): number {
  const options = parseOptions(args, "f");
  const disk = options.operands[0];
  if (disk === undefined) throw new UsageError("missing vdev name");
  const place = disk.startsWith("/") ? disk : `/dev/${disk}`;
  if (!existsSync(place)) fail(`failed to open ${disk}: No such file or directory`);
  const members = must("zpool", ["status"]).split("\n").map(parseVdev);
  const active = members.some(
    (vdev) => vdev?.disk === true && diskName(vdev.name, true, true) === realpathSync(place),
  );
  if (active) fail(`${disk} is a member of an active pool`);
  const reason = occupied(place);
  if (reason !== undefined && !options.has("f")) fail(`use '-f' to override the following error:\n${reason}`);
  const wiped = spawnSync("wipefs", ["--all", "--types", "zfs_member", place], { encoding: "utf8" });
  if (wiped.status !== 0) fail(`failed to clear label for ${disk}: ${wiped.stderr.trim()}`);
  return 0;
}

/** zpool destroy and export */
export function zpoolRelease(verb: "destroy" | "export", args: readonly string[]): number {
  const options = parseOptions(args, "af");
  if (options.operands.length === 0 && !options.has("a")) throw new UsageError("missing pool argument");
  const pools = options.has("a") ? poolNames() : options.operands;
  for (const pool of pools) mustSoon("zpool", [verb, ...(options.has("f") ? ["-f"] : []), pool]);
  return 0;
}
