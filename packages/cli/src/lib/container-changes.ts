import { urnParts } from "./events.ts";
import type { StepMetadata } from "./events.ts";

/** What a run means for one container or template, in one word. */
export type Word = "unchanged" | "in place" | "restart" | "replacement" | "made" | "removed";

export interface ContainerChange {
  readonly ctid: string;
  readonly isTemplate: boolean;
  readonly word: Word;
  /** What changes, in plain words. */
  readonly what: readonly string[];
}

const guestType = "proxmoxve:index/containerLegacy:ContainerLegacy";

/** The strongest word counts: what comes later takes the place of what comes before. */
const order: readonly Word[] = ["unchanged", "in place", "restart", "made", "removed", "replacement"];

/** The container or template that a resource belongs to. */
export function containerOfUrn(urn: string): { ctid: string; isTemplate: boolean; part: string } | undefined {
  const { parents, name } = urnParts(urn);
  const isTemplate = parents.includes("phoenix:lxc:Template");
  const found = /^(\d+)(?:-(.+))?$/.exec(name);
  if (!found?.[1] || !(isTemplate || parents.includes("phoenix:lxc:Container"))) return undefined;
  return { ctid: found[1], isTemplate, part: found[2] ?? "" };
}

/** The words of a run, from its own steps: those of an event log or of `pulumi preview --json`. */
export function containerChanges(steps: readonly StepMetadata[]): ContainerChange[] {
  const found = new Map<string, { isTemplate: boolean; word: Word; what: Set<string> }>();
  // What runs again in a new guest follows from its being new.
  const anew = new Set(
    steps
      .filter(
        ({ op, type }) => type === guestType && (replaces.test(op) || op === "create" || op === "delete"),
      )
      .map(({ urn }) => containerOfUrn(urn)?.ctid),
  );
  for (const step of steps) {
    const place = containerOfUrn(step.urn);
    if (!place || step.type.startsWith("phoenix:")) continue;
    const { ctid, isTemplate, part } = place;
    const change = found.get(ctid) ?? { isTemplate, word: "unchanged" as Word, what: new Set<string>() };
    found.set(ctid, change);
    // A sealed template is never changed: its steps see that, and do nothing.
    if (part !== "" && (isTemplate || anew.has(ctid))) continue;
    const { word, what } = part === "" && step.type === guestType ? guestStep(step) : partStep(step, part);
    if (order.indexOf(word) > order.indexOf(change.word)) change.word = word;
    for (const one of what) change.what.add(one);
  }
  return [...found]
    .map(([ctid, { isTemplate, word, what }]) => ({ ctid, isTemplate, word, what: [...what] }))
    .sort((a, b) => Number(a.ctid) - Number(b.ctid));
}

interface Change {
  readonly word: Word;
  readonly what: readonly string[];
}

const guestKeys: readonly [RegExp, Word, string][] = [
  [/^clone/, "in place", "what it is cloned from"],
  [/^description/, "in place", "a newer generation of its template"],
  [/^cpu/, "in place", "cores"],
  [/^memory/, "in place", "memory"],
  [/^networkInterfaces/, "in place", "network"],
  [/^initialization\.?.*ipConfigs/, "in place", "address"],
  [/^initialization\.?.*dns/, "restart", "name servers"],
  [/^initialization/, "restart", "host name"],
  [/^(startOnBoot|startup)/, "in place", "start at boot"],
  [/^tags/, "in place", "tags"],
];

const replaces = /replace/;

function guestStep(step: StepMetadata): Change {
  const keys = Object.keys(step.detailedDiff ?? {});
  const changed = keys.length > 0 ? keys : (step.diffs ?? []);
  const known = changed.map(
    (key) => guestKeys.find(([pattern]) => pattern.test(key)) ?? ([/^/, "in place", key] as const),
  );
  if (replaces.test(step.op)) {
    const what = changed.length > 0 ? known.map(([, , text]) => text) : ["its recipe or its source"];
    return { word: "replacement", what };
  }
  if (step.op === "create") return { word: "made", what: [] };
  if (step.op === "delete") return { word: "removed", what: [] };
  if (step.op !== "update") return { word: "unchanged", what: [] };
  const restart = known.some(([, word]) => word === "restart");
  return { word: restart ? "restart" : "in place", what: known.map(([, , text]) => text) };
}

/** Parameters of the settings step, in plain words; those that are not here take effect at once. */
const settings: Readonly<Record<string, readonly [Word, string]>> = {
  features: ["restart", "feature flags"],
  devices: ["restart", "devices"],
  mounts: ["restart", "mounts"],
  raw: ["restart", "raw options"],
  options: ["restart", "options"],
  rootfsGb: ["in place", "root disk"],
  description: ["in place", "description"],
};
/** Only how long something is waited for. */
const silent = ["ready", "started"];

function partStep(step: StepMetadata, part: string): Change {
  const replaced = replaces.test(step.op) || step.op === "create" || step.op === "update";
  if (step.op === "delete" && part !== "") return { word: "in place", what: [`${part} is removed`] };
  if (!replaced) return { word: "unchanged", what: [] };
  if (part !== "settings")
    return { word: "in place", what: [`${part} ${step.op === "create" ? "is added" : "runs again"}`] };
  const [before, after] = [parametersOf(step.old), parametersOf(step.new)];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changed = [...keys].filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
  const known = changed
    .filter((key) => !silent.includes(key))
    .map((key) => settings[key] ?? (["restart", key] as const));
  if (known.length === 0) return { word: "in place", what: [] };
  const restart = known.some(([word]) => word === "restart");
  return { word: restart ? "restart" : "in place", what: known.map(([, text]) => text) };
}

function parametersOf(state: StepMetadata["old"]): Record<string, unknown> {
  const stdin = state?.inputs?.["stdin"];
  if (typeof stdin !== "string") return {};
  return (JSON.parse(stdin) as { parameters?: Record<string, unknown> }).parameters ?? {};
}

const sentences: Record<Word, string> = {
  unchanged: "stays as it is",
  "in place": "is changed in place, and goes on running",
  restart: "is changed and restarted",
  replacement: "is replaced: a new one takes its place, and what is inside the old one goes",
  made: "is made",
  removed: "is removed",
};

/** One line for each container that does not stay as it is. */
export function changeLines(changes: readonly ContainerChange[]): string[] {
  return changes
    .filter(({ word }) => word !== "unchanged")
    .map(({ ctid, isTemplate, word, what }) => {
      const text =
        isTemplate && word === "replacement"
          ? "is built anew; containers that were cloned from it stay"
          : sentences[word];
      return `  ${isTemplate ? "template " : ""}${ctid} ${text}${what.length > 0 ? `  (${what.join(", ")})` : ""}`;
    });
}
