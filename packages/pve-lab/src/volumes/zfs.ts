import { CommandError, poll, run } from "./run.ts";

/** Runs `zfs`. @throws Error `zfs error: …` as Proxmox VE words it */
export async function zfs(...args: string[]): Promise<string> {
  try {
    return await run("zfs", args, { timeoutSeconds: 300 });
  } catch (error) {
    if (error instanceof CommandError) throw new Error(`zfs error: ${error.message}`, { cause: error });
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

/**
 * Unmounts a dataset and runs `zfs` with these arguments once it is at rest: a file system in user space lets go of
 * the dataset only some time after it has been unmounted, so a busy one is tried again for up to ten seconds.
 */
export async function zfsAtRest(dataset: string, ...args: string[]): Promise<void> {
  await zfs("unmount", dataset).catch((error: unknown) => {
    if (!/not currently mounted|does not exist/.test(String(error))) throw error;
  });
  let failure: unknown;
  const done = await poll(10, 50, async () => {
    try {
      await zfs(...args);
    } catch (error) {
      failure = error;
      // zfs-fuse wants to empty the kernel's caches after a rollback, which a container may not; by then it is done.
      if (/drop_caches failed/.test(String(error))) return true;
      if (!/busy|I\/O error/.test(String(error))) throw error;
      return false;
    }
    return true;
  });
  if (!done) throw failure;
}

/** Destroys a dataset with its snapshots; one that is gone already is fine. */
export async function destroyDataset(dataset: string): Promise<void> {
  try {
    await zfsAtRest(dataset, "destroy", "-r", dataset);
  } catch (error) {
    if (!/does not exist/.test(String(error))) throw error;
  }
}
