import { realpathSync } from "node:fs";
import path from "node:path";

/** One line of the config part of `zpool status`. */
export interface Vdev {
  readonly depth: number;
  /** As zfs-fuse prints it; for disks the path without /dev/. */
  readonly name: string;
  readonly state: string;
  readonly rest: string;
  readonly disk: boolean;
}

const groups = /^(mirror|raidz[123]?|spare|replacing)-?\d*$|^(logs|cache|spares)$/;

/** Reads the lines between `config:` and the next empty line after them. */
export function parseVdev(line: string): Vdev | undefined {
  const match = /^\t( *)(\S+)(?: +(\S+)(.*))?$/.exec(line);
  if (match === null || match[2] === "NAME") return undefined;
  const depth = (match[1] ?? "").length / 2;
  const name = match[2] ?? "";
  return { depth, name, state: match[3] ?? "", rest: match[4] ?? "", disk: depth > 0 && !groups.test(name) };
}

/**
 * A disk's name as OpenZFS prints it.
 * @param full -P: the whole path
 * @param followed -L: links resolved
 */
export function diskName(name: string, full: boolean, followed: boolean): string {
  let place = name.startsWith("/") ? name : `/dev/${name}`;
  if (followed) {
    try {
      place = realpathSync(place);
    } catch {
      // A disk that is gone keeps its name.
    }
  }
  return full || (name.startsWith("/") && !name.startsWith("/dev/")) ? place : path.basename(place);
}

/** `zpool status` and `zpool import` as OpenZFS prints them: other disk names, columns in step. */
export function rewriteConfig(text: string, full: boolean, followed: boolean): string {
  const lines = text.split("\n");
  const vdevs = lines.map(parseVdev);
  const nameOf = (vdev: Vdev): string => (vdev.disk ? diskName(vdev.name, full, followed) : vdev.name);
  const width = Math.max(
    4,
    ...vdevs.map((vdev) => (vdev === undefined ? 0 : vdev.depth * 2 + nameOf(vdev).length)),
  );
  return lines
    .map((line, index) => {
      const vdev = vdevs[index];
      if (/^\tNAME +STATE/.test(line)) return `\t${"NAME".padEnd(width)}  STATE     READ WRITE CKSUM`;
      if (vdev === undefined) return line;
      const label = " ".repeat(vdev.depth * 2) + nameOf(vdev);
      if (vdev.state === "") return `\t${label}`;
      const counters = vdev.rest
        .trim()
        .split(/\s+/)
        .filter((word) => word !== "");
      const numbers = counters
        .slice(0, 3)
        .map((word) => word.padStart(5))
        .join(" ");
      const tail = counters.slice(3).join(" ");
      const state = counters.length === 0 ? vdev.state : vdev.state.padEnd(8);
      return `\t${label.padEnd(width)}  ${state}${numbers === "" ? "" : ` ${numbers}`}${tail === "" ? "" : `  ${tail}`}`;
    })
    .join("\n");
}
