import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { ToldDisk, ToldHardware } from "../hardware/description.ts";
import { parseTold, resolveHardware } from "../hardware/description.ts";
import type { Lab } from "./lab.ts";
import { places, writeWhole } from "./lab.ts";
import { Failure } from "./steps.ts";

/** What this lab has been told about its hardware: by `lab up --gpus …` or by a person's hardware.json. */
export function readTold(lab: Lab): ToldHardware {
  const file = places.hardware(lab);
  return existsSync(file) ? parseTold(readFileSync(file, "utf8"), file) : {};
}

/** A file in the form of hardware.json. @throws Failure where it cannot be read or is not understood */
export function readHardware(file: string): ToldHardware {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure(`--hardware ${file}: ${(error as Error).message}`, "name a file as in docs/lab.md");
  }
  return parseTold(text, file);
}

/** Keeps what the command line tells, beside what was told before. */
export function tell(lab: Lab, changes: ToldHardware): void {
  const before = readTold(lab);
  if (Object.keys(changes).length === 0) return;
  const text = `${JSON.stringify({ ...before, ...changes }, undefined, 2)}\n`;
  parseTold(text, places.hardware(lab));
  writeWhole(places.hardware(lab), text);
}

/** Makes the sparse files of the told disks. A disk may grow, never shrink: what lies on it is not touched here. */
export function ensureDisks(lab: Lab): void {
  mkdirSync(places.disks(lab), { recursive: true });
  for (const { number, bytes, id } of resolveHardware(readTold(lab)).disks) {
    const file = path.join(places.disks(lab), `disk-${number}.img`);
    const size = existsSync(file) ? statSync(file).size : 0;
    if (size > bytes)
      throw new Failure(`the disk ${id} is told to be smaller than it is`, "`lab reset` makes new disks");
    if (size === bytes) continue;
    const handle = openSync(file, "a", 0o600);
    ftruncateSync(handle, bytes);
    closeSync(handle);
  }
}

/** `size=64,serial=A1,bus=nvme,content=pool` of the command line. @throws Failure for a word that is not understood */
export function parseDisk(text: string): ToldDisk {
  const disk: Record<string, string | number> = {};
  for (const part of text.split(",").filter((piece) => piece !== "")) {
    const [key = "", value = ""] = part.split("=", 2);
    if (!["size", "serial", "model", "bus", "content"].includes(key) || value === "")
      throw new Failure(
        `--disk ${text}: "${part}" is not understood`,
        "--disk size=64,model=DISK,serial=A1,bus=nvme,content=blank",
      );
    if (key === "size") disk["size_gib"] = Number(value);
    else disk[key] = value;
  }
  return disk;
}
