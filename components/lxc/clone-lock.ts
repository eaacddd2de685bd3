import * as pulumi from "@pulumi/pulumi";

/** Attempts after the provider has given up by itself (after about 30 s). */
const ATTEMPTS = 60;

/**
 * PVE locks the source of a clone for the whole copy, so clones of one template wait for each other. The failure of
 * one must not take the others along, as a `dependsOn` chain would: each waits for itself, with a growing pause.
 */
export function retryWhileLocked(vmid: number): pulumi.ErrorHook {
  let attempt = 0;
  return new pulumi.ErrorHook(`retry-while-locked-${vmid}`, async ({ errors }) => {
    if (!isLockError(errors) || attempt >= ATTEMPTS) return false;
    attempt += 1;
    await new Promise((resolve) => setTimeout(resolve, pause(attempt)));
    return true;
  });
}

/** PVE's texts for a guest or a storage that something else works on. */
export function isLockError(errors: readonly string[]): boolean {
  return errors.some((error) => /CT is locked|can't lock file|got lock (request )?timeout/i.test(error));
}

/** Milliseconds before the given attempt (from 1), at most 15 s. */
export function pause(attempt: number): number {
  return Math.min(15_000, 1_000 * 1.5 ** (attempt - 1));
}
