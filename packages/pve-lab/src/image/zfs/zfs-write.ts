import { UsageError, parseOptions, splitProperty } from "./options.ts";
import { askedKey, findEmulated, fullName, translate } from "./properties.ts";
import { RealFailed, ask, must, mustSoon, pass } from "./real.ts";

function complain(what: string): (reason: string) => never {
  return (reason) => {
    process.stderr.write(`${what}: ${reason}\n`);
    throw new RealFailed(1);
  };
}

/** `-o name=value` options for zfs-fuse from what was asked. */
export function propertyOptions(letter: string, asked: readonly string[], what: string): string[] {
  return asked.flatMap((text) => {
    const [name, value] = splitProperty(text);
    return translate(name, value, complain(what)).flatMap(([key, nearest]) => [letter, `${key}=${nearest}`]);
  });
}

/** zfs create */
export function zfsCreate(args: readonly string[]): number {
  const options = parseOptions(args, "pusb:o:V:");
  const name = options.operands[0];
  if (name === undefined)
    throw new UsageError(`missing ${options.has("V") ? "volume" : "filesystem"} argument`);
  const volume = options.last("V");
  must("zfs", [
    "create",
    ...(options.has("p") ? ["-p"] : []),
    ...(options.has("s") ? ["-s"] : []),
    ...options.all("b").flatMap((size) => ["-b", size]),
    ...propertyOptions("-o", options.all("o"), `cannot create '${name}'`),
    ...(volume === undefined ? [] : ["-V", volume]),
    name,
  ]);
  if (options.has("u")) must("zfs", ["unmount", name]);
  return 0;
}

/** zfs set: every value is checked before the first is set. */
export function zfsSet(args: readonly string[]): number {
  const { operands } = parseOptions(args, "u");
  const assignments = operands.filter((operand) => operand.includes("="));
  const datasets = operands.filter((operand) => !operand.includes("="));
  if (assignments.length === 0) throw new UsageError("missing property=value argument(s)");
  const first = datasets[0];
  if (first === undefined) throw new UsageError("missing dataset name(s)");
  const pairs = assignments.flatMap((text) => {
    const [name, value] = splitProperty(text);
    return translate(name, value, complain(`cannot set property for '${first}'`));
  });
  for (const [name, value] of pairs) must("zfs", ["set", `${name}=${value}`, ...datasets]);
  return 0;
}

/** zfs inherit */
export function zfsInherit(args: readonly string[]): number {
  const options = parseOptions(args, "rS");
  const [given, ...datasets] = options.operands;
  if (given === undefined) throw new UsageError("missing property argument");
  if (datasets.length === 0) throw new UsageError("missing dataset argument");
  const flags = [...(options.has("r") ? ["-r"] : []), ...(options.has("S") ? ["-S"] : [])];
  const property = findEmulated(given);
  if (property !== undefined) must("zfs", ["inherit", ...flags, askedKey(property.name), ...datasets]);
  if (property === undefined || property.nearest !== undefined)
    must("zfs", ["inherit", ...flags, fullName(given), ...datasets]);
  return 0;
}

/** zfs clone */
export function zfsClone(args: readonly string[]): number {
  const options = parseOptions(args, "puo:");
  const [snapshot, target] = options.operands;
  if (snapshot === undefined) throw new UsageError("missing source dataset argument");
  if (target === undefined) throw new UsageError("missing target dataset argument");
  const given = propertyOptions("-o", options.all("o"), `cannot create '${target}'`);
  must("zfs", ["clone", ...(options.has("p") ? ["-p"] : []), ...given, snapshot, target]);
  if (options.has("u")) must("zfs", ["unmount", target]);
  return 0;
}

/** zfs snapshot: several at once, as OpenZFS allows. */
export function zfsSnapshot(args: readonly string[]): number {
  const options = parseOptions(args, "ro:");
  if (options.operands.length === 0) throw new UsageError("missing snapshot argument");
  const given = propertyOptions("-o", options.all("o"), `cannot create snapshots`);
  for (const name of options.operands)
    must("zfs", ["snapshot", ...(options.has("r") ? ["-r"] : []), ...given, name]);
  return 0;
}

/** zfs destroy: `pool/fs@a,b` and the dry run are done here. */
export function zfsDestroy(args: readonly string[]): number {
  const options = parseOptions(args, "fnpRrvd");
  const name = options.operands[0];
  if (name === undefined) throw new UsageError("missing dataset argument");
  const at = name.indexOf("@");
  if (at !== -1 && name.includes("%"))
    throw new UsageError("snapshot ranges are not supported by the lab's zfs");
  const targets =
    at === -1
      ? [name]
      : name
          .slice(at + 1)
          .split(",")
          .map((snapshot) => `${name.slice(0, at)}@${snapshot}`);
  const recursive = options.has("r") || options.has("R");
  for (const target of targets) {
    if (options.has("n")) {
      const reach = recursive && at === -1 ? ["-r", "-t", "all"] : [];
      const listed = must("zfs", ["list", "-H", "-o", "name", ...reach, target])
        .split("\n")
        .filter((line) => line !== "");
      if (options.has("v")) process.stdout.write(listed.map((line) => `would destroy ${line}\n`).join(""));
      continue;
    }
    const flags = ["f", "R", "r", "d"].filter(
      (letter) => options.has(letter) && !(letter === "f" && at !== -1),
    );
    mustSoon("zfs", ["destroy", ...flags.map((letter) => `-${letter}`), target]);
    if (options.has("v")) process.stdout.write(`will destroy ${target}\n`);
  }
  return 0;
}

/** zfs rename: OpenZFS's -f and -u change nothing here. */
export function zfsRename(args: readonly string[]): number {
  const options = parseOptions(args, "fpru");
  const flags = ["p", "r"].filter((letter) => options.has(letter)).map((letter) => `-${letter}`);
  must("zfs", ["rename", ...flags, ...options.operands]);
  return 0;
}

/** zfs send: what only makes a stream smaller is left out. */
export function zfsSend(args: readonly string[]): number {
  const kept = args
    .map((word) => (/^-[A-Za-z]+$/.test(word) ? word.replace(/[LecwvP]/g, "") : word))
    .filter((word) => word !== "-");
  return pass("zfs", ["send", ...kept]);
}

/**
 * zfs rollback. zfs-fuse wants to drop the machine's caches afterwards, which a node may not; a fresh mount forgets the
 * pages of this dataset just as well.
 */
export function zfsRollback(args: readonly string[]): number {
  const answer = ask("zfs", ["rollback", ...args]);
  if (answer.status !== 0 && !answer.stderr.includes("drop_caches")) {
    process.stderr.write(answer.stderr);
    return answer.status;
  }
  const dataset = args.at(-1)?.split("@")[0] ?? "";
  if (!ask("zfs", ["get", "-H", "-o", "value", "mounted", dataset]).stdout.startsWith("yes")) return 0;
  mustSoon("zfs", ["unmount", dataset]);
  must("zfs", ["mount", dataset]);
  return 0;
}
