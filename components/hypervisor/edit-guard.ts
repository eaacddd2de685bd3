import * as pulumi from "@pulumi/pulumi";
import { refusedEdits } from "../../model/index.ts";
import type { ZfsInput } from "../../model/index.ts";

/**
 * A hook that runs before a pool's or dataset's step is given something else, in previews too, and fails where the
 * configuration asks for what ZFS cannot do, or for what it cannot undo and nobody has allowed.
 */
export function editGuard(what: string): pulumi.ResourceHook {
  return new pulumi.ResourceHook(
    `edit-guard-${what}`,
    ({ oldInputs, newInputs }) => {
      const refused = refusedBetween(oldInputs?.["stdin"], newInputs?.["stdin"]);
      if (refused.length > 0) throw new Error(`${what}: ${refused.join("; ")}; nothing was touched`);
    },
    { onDryRun: true },
  );
}

/** @param before,after documents on the step's standard input */
export function refusedBetween(before: unknown, after: unknown): string[] {
  if (typeof before !== "string" || typeof after !== "string") return [];
  return refusedEdits(JSON.parse(before) as ZfsInput, JSON.parse(after) as ZfsInput);
}
