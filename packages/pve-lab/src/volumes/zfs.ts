import { setTimeout as sleep } from "node:timers/promises";
import { CommandError, run } from "./run.ts";

/** Runs `zfs`. @throws Error `zfs error: …` as Proxmox VE words it */
export async function zfs(...args: string[]): Promise<string> {
  try {
    return await run("zfs", args, { timeoutSeconds: 300 });
  } catch (error) {
    if (error instanceof CommandError) throw new Error(`zfs error: ${error.message}`);
    throw error;
  }
}

/** Rows of `zfs list` or `zfs get` in script form. */
export async function zfsRows(...args: string[]): Promise<string[][]> {
  const text = await zfs(...args);
  return text.split("\n").flatMap((line) => (line === "" ? [] : [line.split("\t")]));
}

/** One property of a dataset, numbers in full. */
export async function zfsProperty(property: string, dataset: string): Promise<string> {
  const value = await zfs("get", "-Hp", "-o", "value", property, dataset);
  return value.trim();
}

/** Destroys a dataset with its snapshots; one that is gone already is fine, a busy one is tried again. */
export async function destroyDataset(dataset: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await zfs("destroy", "-r", dataset);
      return;
    } catch (error) {
      const text = error instanceof Error ? error.message : "";
      if (text.includes("dataset does not exist")) return;
      if (!text.includes("busy") || attempt === 6) throw error;
      await sleep(1000);
    }
  }
}
