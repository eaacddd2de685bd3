import { statSync } from "node:fs";
import { parsePropertyString } from "../core/property-string.ts";

export interface DeviceNumbers {
  readonly type: "b" | "c";
  readonly major: number;
  readonly minor: number;
}

/** A `devN` entry: a device of the node shown in the guest, with owner and mode as seen inside. */
export interface PassthroughDevice {
  readonly key: string;
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** Octal text. */
  readonly mode: string;
  readonly denyWrite: boolean;
}

export function passthroughDevices(values: Readonly<Record<string, string>>): PassthroughDevice[] {
  return Object.keys(values)
    .filter((key) => /^dev\d+$/.test(key))
    .sort((a, b) => Number(a.slice(3)) - Number(b.slice(3)))
    .map((key) => {
      const device = parsePropertyString(values[key] ?? "", "path");
      if (!device["path"]) throw new Error(`Path is not defined for passthrough device ${key}`);
      return {
        key,
        path: device["path"],
        uid: Number(device["uid"] ?? 0),
        gid: Number(device["gid"] ?? 0),
        mode: device["mode"] ?? "0660",
        denyWrite: device["deny-write"] === "1",
      };
    });
}

/** Kind and numbers of a device node. @throws Error with PVE's texts when it is none or not there */
export function deviceNumbers(path: string): DeviceNumbers {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (!facts) throw new Error(`Device ${path} does not exist`);
  if (!facts.isCharacterDevice() && !facts.isBlockDevice()) throw new Error(`${path} is not a device`);
  return { type: facts.isBlockDevice() ? "b" : "c", ...splitNumber(facts.rdev) };
}

/** Linux' encoding of a device number: 12 bits of major, 20 of minor, interleaved. */
function splitNumber(rdev: number): { major: number; minor: number } {
  const number = BigInt(rdev);
  return {
    major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n)),
    minor: Number((number & 0xffn) | ((number >> 12n) & 0xffffff00n)),
  };
}
