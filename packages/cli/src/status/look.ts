import type { Finding, Stack } from "../drift/inspect.ts";
import { inspectWith } from "../drift/inspect.ts";
import { withNode } from "../drift/node.ts";
import type { RunSteps, StepResult } from "../drift/node.ts";
import { markIn } from "../lib/mark.ts";

/** One container as it is now. */
export interface ContainerStatus {
  readonly ctid: string;
  readonly name: string;
  /** `running`, `stopped`, …; `gone`: in the state and not on the node; `not made`: configured, and in no state. */
  readonly state: string;
  readonly health: "healthy" | "unhealthy" | "unknown" | "no check";
  readonly healthReasons: readonly string[];
  readonly features: readonly FeatureStatus[];
  readonly generation: Generation;
  /** What is not as configured, health left out. */
  readonly drift: readonly { readonly feature: string; readonly reasons: readonly string[] }[];
}

export interface FeatureStatus {
  readonly name: string;
  /** As the manifest of the version says that was applied; undefined for a script without manifest. */
  readonly version: string | undefined;
  readonly inherited: boolean;
}

export interface Generation {
  readonly word: "current" | "older" | "unknown" | "image";
  /** CTID of the template. */
  readonly template?: string;
  /** Digest of the recipe that it was made from. */
  readonly recipe?: string;
}

/** Asks the node about every container of the stack, read-only, in one login. */
export async function look(
  stack: Stack,
  names: ReadonlyMap<string, string>,
  ctids: readonly string[],
): Promise<ContainerStatus[]> {
  const meant = (ctid: string): boolean => ctids.length === 0 || ctids.includes(ctid);
  const made = stack.containers.filter(meant);
  const missing = [...names.keys()].filter((ctid) => meant(ctid) && !stack.containers.includes(ctid));
  const there =
    stack.connection === undefined || made.length === 0
      ? []
      : await withNode(stack.connection, stack.variables, (run) => lookAt(run, stack, made, names));
  const all = [...there, ...missing.map((ctid) => notMade(ctid, names.get(ctid) ?? ""))];
  return all.sort((a, b) => Number(a.ctid) - Number(b.ctid));
}

const notMade = (ctid: string, name: string): ContainerStatus => ({
  ctid,
  name,
  state: "not made",
  health: "unknown",
  healthReasons: [],
  features: [],
  generation: { word: "unknown" },
  drift: [],
});

/** The same over a login that is there, for containers that are in the state. */
export async function lookAt(
  run: RunSteps,
  stack: Stack,
  ctids: readonly string[],
  names: ReadonlyMap<string, string>,
): Promise<ContainerStatus[]> {
  const guests = new Set([...ctids, ...stack.sources.values()]);
  const answers = await run(
    [...guests].map((ctid) => [
      { id: `status ${ctid}`, command: `pct status ${ctid}` },
      { id: `config ${ctid}`, command: `pct config ${ctid}` },
    ]),
  );
  const findings = await inspectWith(run, stack, ctids);
  const versions = await versionsOf(run, findings);
  const recipe = (ctid: string) =>
    markIn(answers.get(`config ${ctid}`)?.stdout ?? "", stack.name, ctid)?.recipe;
  return ctids.map((ctid) => {
    const own = findings.filter(({ container }) => container === ctid);
    const source = stack.sources.get(ctid);
    return {
      ctid,
      name: hostname(answers.get(`config ${ctid}`)) ?? names.get(ctid) ?? "",
      state: stateOf(answers.get(`status ${ctid}`)),
      ...healthOf(own),
      features: featuresOf(own, versions),
      generation: generationOf(recipe(ctid), source, source && recipe(source)),
      drift: own
        .filter(
          ({ feature, verdict }) => feature !== "health" && verdict !== "clean" && verdict !== "unchecked",
        )
        .map(({ feature, reasons }) => ({ feature, reasons })),
    };
  });
}

const hostname = (config: StepResult | undefined): string | undefined =>
  /^hostname: (.*)$/m.exec(config?.stdout ?? "")?.[1];

function stateOf(answer: StepResult | undefined): string {
  return answer?.code === 0 ? (/status: (\S+)/.exec(answer.stdout)?.[1] ?? "unknown") : "gone";
}

function healthOf(own: readonly Finding[]): Pick<ContainerStatus, "health" | "healthReasons"> {
  const found = own.find(({ feature }) => feature === "health");
  const words = { clean: "healthy", drift: "unhealthy", error: "unknown", unchecked: "unknown" } as const;
  return { health: found ? words[found.verdict] : "no check", healthReasons: found?.reasons ?? [] };
}

/** Steps that are no feature of anybody's configuration. */
const steps = ["settings", "health", "guest", "inherited"];

function featuresOf(own: readonly Finding[], versions: ReadonlyMap<string, string>): FeatureStatus[] {
  return own
    .filter(({ feature }) => !steps.includes(feature))
    .map(({ feature, inherited, run }) => ({
      name: feature,
      version: versions.get(run?.script ?? ""),
      inherited,
    }));
}

/** The manifest that travelled with each script says which version was applied. */
async function versionsOf(run: RunSteps, findings: readonly Finding[]): Promise<Map<string, string>> {
  const scripts = new Set(
    findings.flatMap(({ run: one }) =>
      one && /\/feature_[a-z0-9_]+\.sh$/.test(one.script) ? [one.script] : [],
    ),
  );
  const answers = await run(
    [...scripts].map((script) => [{ id: script, command: `cat ${script.replace(/sh$/, "json")}` }]),
  );
  const versions = new Map<string, string>();
  for (const [script, { code, stdout }] of answers) {
    if (code === 0) versions.set(script, (JSON.parse(stdout) as { version: string }).version);
  }
  return versions;
}

function generationOf(
  recipe: string | undefined,
  template: string | undefined,
  current: string | undefined,
): Generation {
  if (template === undefined) return { word: "image", ...(recipe ? { recipe } : {}) };
  if (recipe === undefined || current === undefined) return { word: "unknown", template };
  return { word: recipe === current ? "current" : "older", template, recipe };
}
