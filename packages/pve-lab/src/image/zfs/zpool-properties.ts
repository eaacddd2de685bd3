import { ask, must } from "./real.ts";
import { askedPoolKey } from "./properties.ts";

/** Pool properties that zfs-fuse has itself. zpoolprops(7) names the others. */
export const nativePool = [
  "size",
  "capacity",
  "altroot",
  "health",
  "guid",
  "version",
  "bootfs",
  "delegation",
  "autoreplace",
  "cachefile",
  "failmode",
  "listsnapshots",
  "autoexpand",
  "dedupratio",
  "free",
  "allocated",
] as const;

export interface PoolProperty {
  readonly fallback: string;
  readonly accepts: RegExp;
  readonly words: string;
}

const onOff = { accepts: /^(on|off)$/, words: "one of 'on | off'" };

export const emulatedPool: Readonly<Record<string, PoolProperty | undefined>> = {
  ashift: { fallback: "0", accepts: /^(0|9|1[0-6])$/, words: "0 or a number from 9 to 16" },
  autotrim: { fallback: "off", ...onOff },
  multihost: { fallback: "off", ...onOff },
  comment: { fallback: "-", accepts: /^.{0,32}$/, words: "at most 32 characters" },
  compatibility: { fallback: "off", accepts: /^[\w.,/-]+$/, words: "off, legacy or file names" },
};

/** Properties of OpenZFS that nobody can set; the lab has no measure for them. */
const readOnly: Readonly<Record<string, string>> = {
  fragmentation: "0%",
  expandsize: "-",
  checkpoint: "-",
  freeing: "0",
  leaked: "0",
  readonly: "off",
  load_guid: "-",
};

const shortNames: Readonly<Record<string, string>> = {
  alloc: "allocated",
  cap: "capacity",
  dedup: "dedupratio",
  frag: "fragmentation",
  ckpoint: "checkpoint",
  expandsz: "expandsize",
  listsnaps: "listsnapshots",
  replace: "autoreplace",
  expand: "autoexpand",
};

export function fullPoolName(name: string): string {
  return shortNames[name] ?? name;
}

export interface PoolValue {
  readonly value: string;
  readonly source: string;
}

export function poolNames(): string[] {
  return ask("zpool", ["list", "-H", "-o", "name"])
    .stdout.split("\n")
    .filter((name) => name !== "" && name !== "no pools available");
}

export function isPoolProperty(name: string): boolean {
  return (
    name === "name" ||
    (nativePool as readonly string[]).includes(name) ||
    name in emulatedPool ||
    name in readOnly
  );
}

/** Every property of a pool, asked values in place of real ones. */
export function poolValues(pool: string): Map<string, PoolValue> {
  const values = new Map<string, PoolValue>([["name", { value: pool, source: "-" }]]);
  for (const line of must("zpool", ["get", "all", pool]).split("\n").slice(1)) {
    const match = /^\S+ +(\S+) +(.+?) {2,}(\S.*)$/.exec(line);
    const name = match?.[1];
    if (match === null || name === undefined || name === "ashift" || name === "dedupditto") continue;
    const source = name === "guid" ? "-" : (match[3] ?? "-").trim();
    values.set(name, { value: (match[2] ?? "").trim(), source });
  }
  for (const [name, value] of Object.entries(readOnly)) values.set(name, { value, source: "-" });
  const keys = Object.keys(emulatedPool);
  const asked = ask("zfs", ["get", "-H", "-o", "property,value", keys.map(askedPoolKey).join(","), pool]);
  for (const [index, line] of asked.stdout.split("\n").entries()) {
    const name = keys[index];
    const value = line.split("\t")[1];
    const property = name === undefined ? undefined : emulatedPool[name];
    if (name === undefined || property === undefined) continue;
    const set = value !== undefined && value !== "-";
    values.set(name, { value: set ? value : property.fallback, source: set ? "local" : "default" });
  }
  return values;
}
