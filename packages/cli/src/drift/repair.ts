import { groupByContainer } from "./inspect.ts";
import type { Finding, Stack } from "./inspect.ts";
import { runOnNode } from "./node.ts";
import type { StepResult } from "./node.ts";
import type { Run } from "./state.ts";

export interface Repaired {
  readonly run: Run;
  readonly code: number;
  readonly said: string;
}

/** Runs `apply` of exactly what drifted: the host's first, then the containers side by side. */
export async function repair(stack: Stack, findings: readonly Finding[]): Promise<Repaired[]> {
  const drifted = findings.flatMap(({ verdict, run }) => (verdict === "drift" && run ? [run] : []));
  const host = await apply(
    stack,
    drifted.filter(({ ctid }) => ctid === ""),
  );
  const guests = await apply(
    stack,
    drifted.filter(({ ctid }) => ctid !== ""),
  );
  return [...host, ...guests];
}

async function apply(stack: Stack, runs: readonly Run[]): Promise<Repaired[]> {
  if (stack.connection === undefined || runs.length === 0) return [];
  const groups = groupByContainer(runs, (run, index) => ({
    id: String(index),
    command: `${run.script} apply`,
    input: run.input,
  }));
  const results = await runOnNode(stack.connection, groups, stack.variables);
  return runs.map((run, index) => said(run, results.get(String(index))));
}

const said = (run: Run, result: StepResult | undefined): Repaired => ({
  run,
  code: result?.code ?? 1,
  said: result?.stderr.trim() ?? "",
});
