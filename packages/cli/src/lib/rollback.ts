import type { Finding, Stack } from "../drift/inspect.ts";
import { inspectWith } from "../drift/inspect.ts";
import type { Run } from "../drift/state.ts";
import type { NodeStep, RunSteps, StepResult } from "../drift/node.ts";
import { Failure } from "./failure.ts";
import { markIn } from "./mark.ts";

/** Snapshots of `pct listsnapshot`, oldest first; `current` is none. */
export function snapshotNames(listing: string): string[] {
  return listing
    .split("\n")
    .map((line) => /^\s*`->\s+(\S+)/.exec(line)?.[1] ?? "")
    .filter((name) => name !== "" && name !== "current");
}

/**
 * Brings a container back to a snapshot, starts it if it ran, and tells what of it is no longer as configured.
 * @throws Failure before anything is touched where the container is not the stack's or has no such snapshot
 */
export async function rollBack(stack: Stack, ctid: string, name: string, run: RunSteps): Promise<Finding[]> {
  const step = (id: string, command: string): NodeStep => ({ id, command });
  const asked = await run([
    [step("config", `pct config ${ctid}`)],
    [step("status", `pct status ${ctid}`)],
    [step("snapshots", `pct listsnapshot ${ctid}`)],
  ]);
  if (markIn(said(asked, "config"), stack.name, ctid) === undefined)
    throw new Failure(
      `CT ${ctid} is not there, or does not carry the mark of stack ${stack.name}; nothing was touched.`,
    );
  const names = snapshotNames(said(asked, "snapshots"));
  if (!names.includes(name)) {
    const there = names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
    throw new Failure(`CT ${ctid} has no snapshot ${name} (${there}); nothing was touched.`, {
      next: `"snapshots": ["${name}"] in ${ctid} has one taken by the next bin/phoenix up`,
    });
  }
  await must(run, step("rollback", `pct rollback ${ctid} ${name}`), newer(ctid, name, names));
  if (said(asked, "status").includes("running")) await must(run, step("start", `pct start ${ctid}`));
  return inspectWith(run, stack, [ctid]);
}

const said = (results: ReadonlyMap<string, StepResult>, id: string): string => results.get(id)?.stdout ?? "";

async function must(run: RunSteps, step: NodeStep, next?: string): Promise<void> {
  const result = (await run([[step]])).get(step.id);
  if (result?.code === 0) return;
  const last = result?.stderr.trim().split("\n").at(-1) ?? "no answer";
  throw new Failure(`${step.command}: ${last}`, next === undefined ? {} : { next });
}

/** ZFS rolls back to the newest snapshot only. */
function newer(ctid: string, name: string, names: readonly string[]): string | undefined {
  const after = names.slice(names.indexOf(name) + 1);
  return after.length === 0
    ? undefined
    : `${after.map((one) => `pct delsnapshot ${ctid} ${one}`).join(", ")} on the node, if what they hold may go`;
}

/** Own steps that the rollback has affected; one that cannot be checked counts, since nobody knows better. */
export function affected(findings: readonly Finding[]): Run[] {
  return findings.flatMap(({ verdict, run, inherited }) =>
    verdict === "clean" || inherited || run?.urn === undefined ? [] : [run],
  );
}
