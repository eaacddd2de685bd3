import { secretNames, withSecrets } from "../../../../model/index.ts";
import { root } from "../lib/checkout.ts";
import { pulumiEnvironment, selectedStack } from "../lib/environment.ts";
import { Failure } from "../lib/failure.ts";
import { capture } from "../lib/process.ts";
import type { Connection } from "../lib/ssh.ts";
import { withNode } from "./node.ts";
import type { NodeStep, RunSteps, StepResult } from "./node.ts";
import { markIn } from "../lib/mark.ts";
import { inheritedRuns, readState } from "./state.ts";
import type { Run } from "./state.ts";

/** clean: as configured; drift: `apply` would change it; error: could not be told; unchecked: it has no check. */
export type Verdict = "clean" | "drift" | "error" | "unchecked";

export interface Finding {
  /** CTID, or `host`. */
  readonly container: string;
  readonly feature: string;
  readonly inherited: boolean;
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  /** What repair runs; absent where no script can mend it. */
  readonly run?: Run;
}

/** The selected stack, and how its node is reached. */
export interface Stack {
  readonly name: string;
  readonly connection: Connection | undefined;
  readonly runs: readonly Run[];
  readonly containers: readonly string[];
  /** CTIDs of the templates that containers were cloned from, by the containers' CTIDs. */
  readonly sources: ReadonlyMap<string, string>;
  readonly variables: NodeJS.ProcessEnv;
}

const codes = { clean: 0, wouldChange: 10 };

/** Reads the selected stack's state; changes nothing. */
export async function openStack(args: readonly string[]): Promise<Stack> {
  const environment = await pulumiEnvironment();
  const name = await selectedStack(environment, args);
  const exported = await capture("pulumi", ["stack", "export", "--show-secrets", "--stack", name], {
    cwd: root,
    env: environment.variables,
  });
  if (exported.code !== 0)
    throw new Failure(`the state of stack ${name} cannot be read: ${exported.stderr.trim()}`);
  return { name, ...readState(exported.stdout), variables: environment.variables };
}

/** Runs every check of the stack (or of some containers) on the node, read-only, in one login. */
export async function inspect(stack: Stack, ctids: readonly string[]): Promise<Finding[]> {
  if (stack.connection === undefined) return [];
  return withNode(stack.connection, stack.variables, (run) => inspectWith(run, stack, ctids));
}

/** The same over a login that is there. */
export async function inspectWith(run: RunSteps, stack: Stack, ctids: readonly string[]): Promise<Finding[]> {
  const known = new Set(stack.runs.map(({ ctid }) => ctid));
  const strange = ctids.filter((ctid) => !known.has(ctid));
  if (strange.length > 0) throw new Failure(`stack ${stack.name} has no container ${strange.join(", ")}.`);
  const meant = (ctid: string): boolean => ctids.length === 0 || ctids.includes(ctid);

  const containers = stack.containers.filter(meant);
  const configs = await run(containers.map((ctid) => [{ id: ctid, command: `pct config ${ctid}` }]));
  const recipes = new Map(
    containers.map((ctid) => [ctid, markIn(configs.get(ctid)?.stdout ?? "", stack.name, ctid)?.recipe]),
  );
  const records = await run(
    [...new Set(recipes.values())]
      .filter((recipe): recipe is string => recipe !== undefined && recipe !== "-")
      .map((recipe) => [
        { id: recipe, command: `cat /var/lib/phoenix/${stack.name}/generations/${recipe}.json` },
      ]),
  );

  const open = await secretOpener(stack, [...records.values()]);
  const findings: Finding[] = [];
  const checks: Run[] = [];
  for (const ctid of new Set(stack.runs.map((one) => one.ctid))) {
    if (!meant(ctid) && ctid !== "") continue;
    if (ctid === "" && ctids.length > 0) continue;
    const own = stack.runs.filter((one) => one.ctid === ctid);
    if (!containers.includes(ctid)) {
      checks.push(...own);
      continue;
    }
    if (configs.get(ctid)?.code !== 0) {
      findings.push(lost(ctid, configs.get(ctid)));
      continue;
    }
    const recipe = recipes.get(ctid);
    const record = recipe === undefined ? undefined : records.get(recipe);
    const [settings, ...features] = own;
    if (settings) checks.push(settings);
    if (record?.code === 0) {
      // What the container has of its own under the same name counts instead.
      const replaced = new Set(features.map(({ feature }) => feature));
      const inherited = inheritedRuns(record.stdout, stack.name, ctid, open);
      checks.push(...inherited.filter(({ feature }) => !replaced.has(feature)));
    } else if (recipe === undefined || (recipe !== "-" && stack.sources.has(ctid))) {
      // One that was made from an OS image has nothing from a template, and no record.
      findings.push(unknownGeneration(ctid, recipe));
    }
    checks.push(...features);
  }
  return [...findings, ...(await check(checks, run))];
}

/** Follows the references in generation records; asks the stack's configuration only where there is one. */
async function secretOpener(
  stack: Stack,
  records: readonly StepResult[],
): Promise<(input: object) => unknown> {
  const found = records.filter(({ code }) => code === 0);
  const names = new Set(found.flatMap(({ stdout }) => secretNames(JSON.parse(stdout))));
  if (names.size === 0) return (input) => input;
  const read = ["config", "--show-secrets", "--json", "--stack", stack.name];
  const { code, stdout, stderr } = await capture("pulumi", read, { cwd: root, env: stack.variables });
  if (code !== 0) throw new Failure(`the secrets of stack ${stack.name} cannot be read: ${stderr.trim()}`);
  const config = JSON.parse(stdout) as Record<string, { value?: string }>;
  const secrets = new Map<string, string>();
  for (const name of names) {
    const value = config[`phoenix:${name}`]?.value;
    if (value === undefined) {
      throw new Failure(
        `a template was made with the secret ${name}, which stack ${stack.name} no longer has`,
        {
          next: `pulumi config set --secret phoenix:${name}`,
        },
      );
    }
    secrets.set(name, value);
  }
  return (input) => withSecrets(input, secrets);
}

async function check(runs: readonly Run[], run: RunSteps): Promise<Finding[]> {
  const groups = groupByContainer(runs, (one, index) => ({
    id: String(index),
    command: `${one.script} check`,
    input: one.input,
  }));
  const results = await run(groups);
  return runs.map((one, index) => verdict(one, results.get(String(index))));
}

/** One group per container, and one for the host. */
export function groupByContainer(
  runs: readonly Run[],
  step: (run: Run, index: number) => NodeStep,
): NodeStep[][] {
  const groups = new Map<string, NodeStep[]>();
  for (const [index, one] of runs.entries())
    groups.set(one.ctid, [...(groups.get(one.ctid) ?? []), step(one, index)]);
  return [...groups.values()];
}

const lines = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");

function verdict(run: Run, result: StepResult | undefined): Finding {
  const { feature, inherited } = run;
  const common = { container: run.ctid === "" ? "host" : run.ctid, feature, inherited, run };
  const said = lines(result?.stdout ?? "");
  if (result?.code === codes.clean) return { ...common, verdict: "clean", reasons: [] };
  if (result?.code === codes.wouldChange) return { ...common, verdict: "drift", reasons: said };
  if (!run.checkable) return { ...common, verdict: "unchecked", reasons: said };
  const reasons = [...said, ...lines(result?.stderr ?? "")];
  return {
    ...common,
    verdict: "error",
    reasons: reasons.length > 0 ? reasons : [`exit code ${result?.code ?? "none"}`],
  };
}

function lost(ctid: string, result: StepResult | undefined): Finding {
  const reason = lines(result?.stderr ?? "").at(-1) ?? "it is not there";
  return {
    container: ctid,
    feature: "guest",
    inherited: false,
    verdict: "drift",
    reasons: [`${reason}: bin/phoenix refresh, then bin/phoenix up make it anew`],
  };
}

function unknownGeneration(ctid: string, recipe: string | undefined): Finding {
  const reason =
    recipe === undefined
      ? "it does not carry this stack's mark"
      : `the node has no record of generation ${recipe}`;
  return {
    container: ctid,
    feature: "inherited",
    inherited: true,
    verdict: "error",
    reasons: [`${reason}: what it has from its templates cannot be checked`],
  };
}
