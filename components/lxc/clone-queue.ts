import * as pulumi from "@pulumi/pulumi";
import { retryWhileLocked } from "./clone-lock.ts";

/** Milliseconds; one whose end the engine never tells holds the others up no longer. */
const PATIENCE = 15 * 60 * 1000;
const patience = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, PATIENCE).unref();
  });

/**
 * PVE locks the source of a clone for the whole copy: clones of one source stand in line here, in the order in which the
 * engine comes to them, and the next begins when the one before it has ended, well or badly. So nobody waits for more
 * than the lock. What else holds the lock is met by trying again.
 */
export class CloneQueue {
  /** By source: the end of whoever came last. */
  readonly #ends = new Map<number, Promise<void>>();
  /** By vmid: those whose turn it is, or who wait for it. */
  readonly #turns = new Map<number, { readonly begins: Promise<void>; readonly end: () => void }>();

  /** Waits for the turn; one that has it already, since it tries again, goes on at once. */
  enter(source: number, vmid: number): Promise<void> {
    const known = this.#turns.get(vmid);
    if (known) return known.begins;
    const before = this.#ends.get(source);
    const begins = before ? Promise.race([before, patience()]) : Promise.resolve();
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    this.#ends.set(
      source,
      begins.then(() => ended),
    );
    this.#turns.set(vmid, { begins, end });
    return begins;
  }

  leave(vmid: number): void {
    this.#turns.get(vmid)?.end();
    this.#turns.delete(vmid);
  }

  /** The hooks that keep a guest in line; one that is no clone only tries again. Its guard runs before it stands in line. */
  hooks(vmid: number, source: number | undefined, guard: pulumi.ResourceHook): pulumi.ResourceHookBinding {
    const again = retryWhileLocked(vmid);
    if (source === undefined) return { beforeCreate: [guard], onError: [again] };
    return {
      beforeCreate: [guard, new pulumi.ResourceHook(`clone-turn-${vmid}`, () => this.enter(source, vmid))],
      afterCreate: [
        new pulumi.ResourceHook(`clone-done-${vmid}`, () => {
          this.leave(vmid);
        }),
      ],
      onError: [
        new pulumi.ErrorHook(`clone-failed-${vmid}`, async (args) => {
          const tries = await again.callback(args);
          if (!tries) this.leave(vmid);
          return tries;
        }),
      ],
    };
  }
}
