import { existsSync, readFileSync } from "node:fs";
import type { ToldHardware } from "../hardware/description.ts";
import { parseTold } from "../hardware/description.ts";
import type { Lab } from "./lab.ts";
import { places, writeWhole } from "./lab.ts";

/** What this lab has been told about its hardware: by `lab up --gpus …` or by a person's hardware.json. */
export function readTold(lab: Lab): ToldHardware {
  const file = places.hardware(lab);
  return existsSync(file) ? parseTold(readFileSync(file, "utf8"), file) : {};
}

/** Keeps what the command line tells, beside what was told before. */
export function tell(lab: Lab, changes: ToldHardware): void {
  const before = readTold(lab);
  if (Object.keys(changes).length === 0) return;
  const text = `${JSON.stringify({ ...before, ...changes }, undefined, 2)}\n`;
  parseTold(text, places.hardware(lab));
  writeWhole(places.hardware(lab), text);
}
