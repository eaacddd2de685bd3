import type { Model } from "../../../../model/index.ts";
import { newLog, root } from "../lib/checkout.ts";
import { errorsOf, readEvents } from "../lib/events.ts";
import type { StepMetadata } from "../lib/events.ts";
import { Failure } from "../lib/failure.ts";
import { capture } from "../lib/process.ts";
import { idOf, nameOf, providerOf, resourcesOf, types, withTaken } from "./state.ts";
import type { Standing } from "./survey.ts";

/** Runs the engine on one stack, in this checkout, asking nobody. */
export class Engine {
  readonly #stack: string;
  readonly #variables: NodeJS.ProcessEnv;

  constructor(stack: string, variables: NodeJS.ProcessEnv) {
    this.#stack = stack;
    this.#variables = { ...variables, PULUMI_DEBUG_COMMANDS: "true" };
  }

  call(args: readonly string[], input = "", more: NodeJS.ProcessEnv = {}) {
    const command = [...args, "--stack", this.#stack, "--non-interactive"];
    return capture("pulumi", command, { cwd: root, env: { ...this.#variables, ...more }, input });
  }

  /** The stack's state; undefined where there is no such stack. */
  async export(): Promise<string | undefined> {
    const { code, stdout } = await this.call(["stack", "export"]);
    return code === 0 ? stdout : undefined;
  }

  async import(state: string): Promise<void> {
    const { code, stderr } = await this.call(["stack", "import"], state);
    if (code !== 0) throw new Failure(`the state could not be written: ${stderr.trim()}`);
  }

  /**
   * The steps of a run.
   * @param recovering the program takes what stands on the node as it is, see components/lxc/recovery.ts
   * @throws Failure with the run's own errors
   */
  async run(
    args: readonly string[],
    recovering: boolean,
    failed: string,
    next?: string,
  ): Promise<StepMetadata[]> {
    const log = newLog(`recover-${args[0]}.events.jsonl`);
    const more = recovering ? { PHOENIX_RECOVER: "1" } : {};
    const { code, stderr } = await this.call([...args, "--event-log", log], "", more);
    const events = readEvents(log);
    if (code === 0) return events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
    const errors = errorsOf(events);
    const cause = errors.length > 0 ? errors.join("\n  ") : stderr.trim();
    throw new Failure(`${failed}: ${cause}`, { log, code, ...(next === undefined ? {} : { next }) });
  }
}

const untouched = "the node was not touched";

/**
 * Writes the state of what stands on the node: the engine says what it would make, a refresh what is really there.
 * Commands are not among it; they run again afterwards.
 * @returns what the next run is going to do
 * @throws Failure with the state as it was before; the node is only read
 */
export async function takeBack(engine: Engine, standing: Standing, model: Model): Promise<StepMetadata[]> {
  const before = (await engine.export()) ?? "";
  try {
    const steps = await engine.run(["preview"], true, untouched);
    const provider = steps.find(({ type }) => type === types.provider);
    if (!provider) throw new Failure(`${untouched}: the program names no provider.`);
    await engine.run(["up", "--yes", "--skip-preview", "--target", provider.urn], true, untouched);
    const state = (await engine.export()) ?? "";
    const taken = takenOf(steps, standing, model);
    await engine.import(withTaken(state, resourcesOf({ steps, taken, provider: providerOf(state) ?? "" })));
    await engine.run(["refresh", "--yes", "--skip-preview"], true, untouched);
    const planned = await engine.run(["preview"], true, untouched);
    refuseHarm(planned);
    return planned;
  } catch (error) {
    await engine.import(before);
    throw error;
  }
}

/** By URN, with what the node or the configuration knows better than a preview on an empty state. */
export function takenOf(
  steps: readonly StepMetadata[],
  standing: Standing,
  model: Pick<Model, "templates" | "containers">,
): Map<string, Record<string, unknown>> {
  const specs = new Map([...model.templates, ...model.containers].map((spec) => [String(spec.vmid), spec]));
  const taken = new Map<string, Record<string, unknown>>();
  for (const { urn, type, new: state } of steps) {
    const inputs = state?.inputs ?? {};
    const id = idOf(type, inputs);
    if (id === undefined) continue;
    if (type === types.guest) {
      const description = standing.marks.get(Number(id));
      if (description === undefined) continue;
      const source = specs.get(id)?.source;
      // A template's source is not known to a preview that would make it, too.
      const clone =
        source?.kind === "clone" ? { clone: { ...(inputs["clone"] as object), vmId: source.vmid } } : {};
      taken.set(urn, { description, ...clone });
    } else if (type === types.download || standing.storages.includes(id)) taken.set(urn, {});
  }
  return taken;
}

/** @throws Failure where the run that is to come would take anything away */
export function refuseHarm(planned: readonly StepMetadata[]): void {
  const harm = planned.flatMap(({ op, urn, diffs }) =>
    /replace|delete/.test(op) ? [`${nameOf(urn)} would be made anew (${(diffs ?? []).join(", ")})`] : [],
  );
  if (harm.length === 0) return;
  throw new Failure(`${untouched}: ${[...new Set(harm)].join("; ")}.`, {
    next: "take the configuration that made what stands on the node, then this again",
  });
}
