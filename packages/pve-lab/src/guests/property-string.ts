import { parsePropertyString } from "../core/property-string.ts";

/**
 * Writes a property string in PVE's order: the positional value, then the required keys, then the others by name.
 * @param positional key whose value stands first without its name
 */
export function printPropertyString(
  properties: Readonly<Record<string, string>>,
  positional?: string,
  required: readonly string[] = [],
): string {
  const first = positional === undefined ? undefined : properties[positional];
  const rest = Object.keys(properties).filter((key) => key !== positional || first === undefined);
  const ordered = [
    ...rest.filter((key) => required.includes(key)).sort(),
    ...rest.filter((key) => !required.includes(key)).sort(),
  ].map((key) => `${key}=${properties[key] ?? ""}`);
  return [...(first === undefined ? [] : [first]), ...ordered].join(",");
}

/** Sizes as PVE writes them: bytes, or with the unit K, M, G, T (powers of 1024). */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([KMGT])?$/i.exec(text);
  if (match?.[1] === undefined) return undefined;
  const power = match[2] === undefined ? 0 : "KMGT".indexOf(match[2].toUpperCase()) + 1;
  return Math.round(Number(match[1]) * 1024 ** power);
}

/** The largest unit that needs no fraction: 4294967296 → `4G`. */
export function formatSize(bytes: number): string {
  for (const [unit, factor] of [
    ["T", 1024 ** 4],
    ["G", 1024 ** 3],
    ["M", 1024 ** 2],
    ["K", 1024],
  ] as const)
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  return String(bytes);
}

/** A network interface of a container (`net0`); all values as text. */
export type Network = Record<string, string>;

export function parseNetwork(text: string): Network {
  return parsePropertyString(text);
}

export function printNetwork(network: Network): string {
  return printPropertyString(network, undefined, ["name"]);
}

/** A hardware address in the range that PVE uses by default (BC:24:11). */
export function randomMac(random: () => number = Math.random): string {
  const tail = [0, 1, 2].map(() =>
    Math.floor(random() * 256)
      .toString(16)
      .padStart(2, "0"),
  );
  return `BC:24:11:${tail.join(":")}`.toUpperCase();
}

/** A root disk or mount point: `volume` (storage volume, device or host directory), `mp`, `size`, flags. */
export type MountPoint = Record<string, string>;

export function parseMountPoint(text: string): MountPoint {
  return parsePropertyString(text, "volume");
}

export function printMountPoint(mountPoint: MountPoint): string {
  return printPropertyString(mountPoint, "volume", ["mp"]);
}

export function mountPointType(mountPoint: MountPoint): "volume" | "device" | "bind" {
  const volume = mountPoint["volume"] ?? "";
  if (!volume.startsWith("/")) return "volume";
  return volume.startsWith("/dev/") ? "device" : "bind";
}

/** A volume that is to be made: `storage:8` (size in GiB), else undefined. */
export function newVolume(volume: string): { storage: string; bytes: number } | undefined {
  const match = /^([^:\s]+):(\d+(?:\.\d+)?)$/.exec(volume);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { storage: match[1], bytes: Math.round(Number(match[2]) * 1024 ** 3) };
}

/** Names of the root disk and the mount points of a configuration, root first, then by number. */
export function mountPointKeys(values: Readonly<Record<string, string>>): string[] {
  const numbered = Object.keys(values)
    .filter((key) => /^mp\d+$/.test(key))
    .sort((a, b) => Number(a.slice(2)) - Number(b.slice(2)));
  return values["rootfs"] === undefined ? numbered : ["rootfs", ...numbered];
}

/** Feature flags (`nesting=1,keyctl=1`), as text. */
export function parseFeatures(text: string | undefined): Record<string, string> {
  return parsePropertyString(text ?? "");
}
