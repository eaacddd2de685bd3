import { humanSize, parseSize } from "./sizes.ts";

/**
 * A property for which OpenZFS 2.x accepts more than zfs-fuse (pool version 23). The asked value is kept in a user
 * property and shown; the nearest that zfs-fuse has is what works. Names, values and defaults: zfsprops(7) of 2.2.
 */
export interface Emulated {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Shown where nothing was ever asked; undefined where zfs-fuse has the property itself. */
  readonly fallback?: string;
  /** What OpenZFS says that the value must be. */
  readonly accepts: string;
  /** The value as OpenZFS shows it, or undefined if it refuses it. */
  readonly normalise: (value: string) => string | undefined;
  /** The nearest value of zfs-fuse; undefined where it has no such property. */
  readonly nearest?: (asked: string) => string;
  readonly size?: boolean;
}

const oneOf =
  (...values: string[]) =>
  (value: string): string | undefined =>
    values.includes(value) ? value : undefined;

function simple(name: string, fallback: string, values: readonly string[]): Emulated {
  return { name, fallback, accepts: `one of '${values.join(" | ")}'`, normalise: oneOf(...values) };
}

const nativeCompression = /^(on|off|lzjb|gzip|gzip-[1-9]|zle)$/;
const openCompression = /^(lz4|zstd|zstd-([1-9]|1[0-9])|zstd-fast|zstd-fast-([1-9]|[1-9]0|100|500|1000))$/;
const nativeChecksum = /^(on|off|fletcher2|fletcher4|sha256)$/;
const nativeDedup = /^(on|off|verify|sha256|sha256,verify)$/;
const countOrNone = (value: string): string | undefined => (/^(none|\d+)$/.test(value) ? value : undefined);

function powerOfTwo(value: string, least: number, most: number): string | undefined {
  const bytes = parseSize(value);
  return bytes !== undefined && bytes >= least && bytes <= most && Number.isInteger(Math.log2(bytes))
    ? String(bytes)
    : undefined;
}

export const emulated: readonly Emulated[] = [
  {
    name: "compression",
    aliases: ["compress"],
    accepts:
      "one of 'on | off | lzjb | gzip | gzip-[1-9] | zle | lz4 | zstd | zstd-[1-19] | " +
      "zstd-fast | zstd-fast-[1-10,20,30,40,50,60,70,80,90,100,500,1000]'",
    normalise: (value) => (nativeCompression.test(value) || openCompression.test(value) ? value : undefined),
    nearest: (asked) => (nativeCompression.test(asked) ? asked : "lzjb"),
  },
  {
    name: "recordsize",
    aliases: ["recsize"],
    accepts: "power of 2 from 512B to 16M",
    normalise: (value) => powerOfTwo(value, 512, 16 * 1024 ** 2),
    nearest: (asked) => String(Math.min(Number(asked), 131_072)),
    size: true,
  },
  {
    name: "checksum",
    accepts: "one of 'on | off | fletcher2 | fletcher4 | sha256 | sha512 | skein | edonr | blake3'",
    normalise: (value) =>
      nativeChecksum.test(value) || /^(sha512|skein|edonr|blake3)$/.test(value) ? value : undefined,
    nearest: (asked) => (nativeChecksum.test(asked) ? asked : "sha256"),
  },
  {
    name: "dedup",
    accepts:
      "one of 'on | off | verify | sha256[,verify] | sha512[,verify] | skein[,verify] | edonr,verify | blake3[,verify]'",
    normalise: (value) =>
      nativeDedup.test(value) || /^((sha512|skein|blake3)(,verify)?|edonr,verify)$/.test(value)
        ? value
        : undefined,
    nearest: (asked) => (nativeDedup.test(asked) ? asked : "sha256"),
  },
  {
    name: "xattr",
    accepts: "one of 'on | off | dir | sa'",
    normalise: oneOf("on", "off", "dir", "sa"),
    nearest: (asked) => (asked === "off" ? "off" : "on"),
  },
  {
    name: "aclmode",
    accepts: "one of 'discard | groupmask | passthrough | restricted'",
    normalise: oneOf("discard", "groupmask", "passthrough", "restricted"),
    nearest: (asked) => (asked === "restricted" ? "discard" : asked),
  },
  {
    name: "acltype",
    fallback: "off",
    accepts: "one of 'off | nfsv4 | posix'",
    normalise: (value) => oneOf("off", "nfsv4", "posix")({ noacl: "off", posixacl: "posix" }[value] ?? value),
  },
  {
    name: "dnodesize",
    aliases: ["dnsize"],
    fallback: "legacy",
    accepts: "one of 'legacy | auto | 1k | 2k | 4k | 8k | 16k'",
    normalise: (value) => oneOf("legacy", "auto", "1k", "2k", "4k", "8k", "16k")(value.toLowerCase()),
  },
  {
    name: "special_small_blocks",
    fallback: "0",
    accepts: "zero or a power of 2 from 512B to 1M",
    normalise: (value) => (value === "0" ? "0" : powerOfTwo(value, 512, 1024 ** 2)),
    size: true,
  },
  simple("sync", "standard", ["standard", "always", "disabled"]),
  simple("relatime", "on", ["on", "off"]),
  simple("redundant_metadata", "all", ["all", "most", "some", "none"]),
  simple("overlay", "on", ["on", "off"]),
  simple("snapdev", "hidden", ["hidden", "visible"]),
  simple("volmode", "default", ["default", "full", "geom", "dev", "none"]),
  simple("prefetch", "all", ["all", "none", "metadata"]),
  // Encryption cannot be had here at all, so only its absence is accepted.
  simple("encryption", "off", ["off"]),
  { name: "filesystem_limit", fallback: "none", accepts: "a number or 'none'", normalise: countOrNone },
  { name: "snapshot_limit", fallback: "none", accepts: "a number or 'none'", normalise: countOrNone },
];

const byName = new Map<string, Emulated>();
for (const property of emulated) {
  for (const name of [property.name, ...(property.aliases ?? [])]) byName.set(name, property);
}

export function findEmulated(name: string): Emulated | undefined {
  return byName.get(name);
}

const shortNames: Readonly<Record<string, string>> = {
  avail: "available",
  refer: "referenced",
  ratio: "compressratio",
  reserv: "reservation",
  refreserv: "refreservation",
  lused: "logicalused",
  lrefer: "logicalreferenced",
  rdonly: "readonly",
};

/** The full name of a property. */
export function fullName(name: string): string {
  return byName.get(name)?.name ?? shortNames[name] ?? name;
}

const prefix = "lab:asked-";
const poolPrefix = "lab:asked-pool-";

export function askedKey(name: string): string {
  return prefix + name;
}

export function askedPoolKey(name: string): string {
  return poolPrefix + name;
}

/** The lab's own bookkeeping, which no output shows. */
export function isBookkeeping(name: string): boolean {
  return name.startsWith(prefix);
}

/** Assignments for zfs-fuse that stand for one asked assignment. `fail` gets OpenZFS's words for a refused value. */
export function translate(name: string, value: string, fail: (reason: string) => never): [string, string][] {
  if (isBookkeeping(name)) fail(`'${name}' is the lab's own`);
  const property = findEmulated(name);
  if (property === undefined) return [[fullName(name), value]];
  const asked = property.normalise(value);
  if (asked === undefined) return fail(`'${property.name}' must be ${property.accepts}`);
  const pairs: [string, string][] = [[askedKey(property.name), asked]];
  if (property.nearest !== undefined) pairs.push([property.name, property.nearest(asked)]);
  return pairs;
}

export function show(property: Emulated, asked: string, exact: boolean): string {
  return property.size === true && !exact ? humanSize(Number(asked)) : asked;
}
