import { rmSync } from "node:fs";
import { stopNode } from "./down.ts";
import type { Lab } from "./lab.ts";
import { places, readMemory, writeMemory } from "./lab.ts";
import { preflight } from "./preflight.ts";
import { Failure, step } from "./steps.ts";
import { up } from "./up.ts";

/** Throws away what the node holds and starts it fresh: same address, keys and ports, today's image. */
export async function reset(lab: Lab): Promise<void> {
  const memory = readMemory(lab);
  if (memory === undefined) throw new Failure("this lab is not up", "lab up");
  const checks = await preflight(lab, undefined);
  const first = checks.problems[0];
  if (first !== undefined) throw new Failure(first.what, first.remedy);
  await step("empty the node", async () => {
    await stopNode(lab, 0);
    for (const part of [places.root(lab), places.disks(lab)]) rmSync(part, { recursive: true, force: true });
    writeMemory(lab, { ...memory, published: [], imageDigest: "" });
  });
  await up(lab, checks);
}
