/** One step of a run that did something, in seconds since the first event. */
export interface Step {
  readonly urn: string;
  readonly begin: number;
  readonly end: number;
}

export interface Measured {
  /** From the first step's begin to the last one's end. */
  readonly wall: number;
  /** The longest chain of steps that had to wait for each other: no scheduler makes the run shorter. */
  readonly chain: number;
  /** All steps, one after the other. */
  readonly sum: number;
  /** The steps of that chain, first to last. */
  readonly path: readonly string[];
}

interface Event {
  readonly timestamp?: number;
  readonly resourcePreEvent?: { readonly metadata: { readonly op: string; readonly urn: string } };
  readonly resOutputsEvent?: { readonly metadata: { readonly op: string; readonly urn: string } };
}

/** A component lasts as long as what is in it, which counts by itself. */
const isComponent = (urn: string): boolean =>
  /^(phoenix|pulumi):/.test(urn.split("::").at(2)?.split("$").at(-1) ?? "");

const idle = new Set(["same", "read", "refresh"]);

/** The steps of an event log of Pulumi; its clock has whole seconds. */
export function stepsOf(log: string): Step[] {
  const begun = new Map<string, number>();
  const steps: Step[] = [];
  for (const line of log.split("\n")) {
    if (line.trim() === "") continue;
    const { timestamp = 0, resourcePreEvent: pre, resOutputsEvent: outputs } = JSON.parse(line) as Event;
    if (pre && !idle.has(pre.metadata.op) && !isComponent(pre.metadata.urn))
      begun.set(`${pre.metadata.op} ${pre.metadata.urn}`, timestamp);
    if (!outputs || idle.has(outputs.metadata.op)) continue;
    const begin = begun.get(`${outputs.metadata.op} ${outputs.metadata.urn}`);
    if (begin !== undefined) steps.push({ urn: outputs.metadata.urn, begin, end: timestamp });
  }
  return steps;
}

/**
 * @param waits for each URN those that it waits for; those that did nothing in this run count nothing, but hand on what
 *   they wait for
 */
export function measure(steps: readonly Step[], waits: ReadonlyMap<string, readonly string[]>): Measured {
  const lasted = new Map<string, number>();
  for (const { urn, begin, end } of steps) lasted.set(urn, (lasted.get(urn) ?? 0) + end - begin);
  const done = new Map<string, { length: number; path: readonly string[] }>();
  const longest = (urn: string): { length: number; path: readonly string[] } => {
    const known = done.get(urn);
    if (known) return known;
    done.set(urn, { length: 0, path: [] }); // no state has a circle; a damaged one must not hang the bench
    let best: { length: number; path: readonly string[] } = { length: 0, path: [] };
    for (const other of waits.get(urn) ?? []) {
      const before = longest(other);
      if (before.length > best.length) best = before;
    }
    const own = lasted.get(urn);
    const result = own === undefined ? best : { length: best.length + own, path: [...best.path, urn] };
    done.set(urn, result);
    return result;
  };
  const ends = [...lasted.keys()].map(longest);
  const top = ends.reduce((a, b) => (b.length > a.length ? b : a), {
    length: 0,
    path: [] as readonly string[],
  });
  return {
    wall:
      Math.max(0, ...steps.map(({ end }) => end)) - Math.min(...steps.map(({ begin }) => begin), Infinity),
    chain: top.length,
    sum: [...lasted.values()].reduce((a, b) => a + b, 0),
    path: top.path,
  };
}

interface StateResource {
  readonly urn: string;
  readonly parent?: string;
  readonly dependencies?: readonly string[];
}

/** Who waits for whom, from an exported state: dependencies, and a component's with those of what is in it. */
export function waitsOf(exported: string): Map<string, string[]> {
  const { deployment } = JSON.parse(exported) as { deployment: { resources?: readonly StateResource[] } };
  return new Map(
    (deployment.resources ?? []).map(({ urn, parent, dependencies = [] }) => [
      urn,
      [...dependencies, ...(parent === undefined ? [] : [parent])],
    ]),
  );
}
