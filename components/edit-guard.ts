import * as pulumi from "@pulumi/pulumi";

/** What of an edit is refused, from the documents on a step's standard input before and after. */
export type Refused<T> = (before: T, after: T) => string[];

/**
 * A hook that runs before a step is given something else, in previews too, and fails where the configuration asks for
 * what cannot be, or for what cannot be undone and nobody has allowed.
 */
export function editGuard<T>(what: string, refused: Refused<T>): pulumi.ResourceHook {
  return new pulumi.ResourceHook(
    `edit-guard-${what}`,
    ({ oldInputs, newInputs }) => {
      const found = refusedBetween(oldInputs?.["stdin"], newInputs?.["stdin"], refused);
      if (found.length > 0) throw new Error(`${what}: ${found.join("; ")}; nothing was touched`);
    },
    { onDryRun: true },
  );
}

/** @param before,after documents on the step's standard input; one that is secret, or not known yet, is left to the script */
export function refusedBetween<T>(before: unknown, after: unknown, refused: Refused<T>): string[] {
  if (typeof before !== "string" || typeof after !== "string") return [];
  return refused(JSON.parse(before) as T, JSON.parse(after) as T);
}
