import type { Model } from "../../../../model/index.ts";
import { containerChanges, containerOfUrn } from "./container-changes.ts";
import type { Word } from "./container-changes.ts";
import { cleanMessage } from "./events.ts";
import type { EngineEvent } from "./events.ts";

/** How a run ended for one container or template. */
export interface Outcome {
  readonly ctid: string;
  readonly name: string;
  readonly isTemplate: boolean;
  readonly end: "done" | "failed" | "not reached";
  readonly word: Word;
  /** Of a failed one, the error; of one that was not reached, what it waits for. */
  readonly why?: string;
}

/** What became of every container that the configuration names, and of those that went. */
export function outcomesOf(events: readonly EngineEvent[], model: Model): Outcome[] {
  const begun = events.flatMap(({ resourcePreEvent }) =>
    resourcePreEvent ? [resourcePreEvent.metadata] : [],
  );
  const ended = events.flatMap(({ resOutputsEvent }) => (resOutputsEvent ? [resOutputsEvent.metadata] : []));
  const failures = failuresOf(events);
  const words = new Map(containerChanges(begun).map((change) => [change.ctid, change]));
  const seen = new Set([...begun, ...ended].map(({ urn }) => containerOfUrn(urn)?.ctid));
  const outcomes: Outcome[] = [...model.templates, ...model.containers].map((spec) => {
    const ctid = String(spec.vmid);
    const common = {
      ctid,
      name: spec.name,
      isTemplate: spec.isTemplate,
      word: words.get(ctid)?.word ?? "unchanged",
    };
    const failure = failures.get(ctid);
    if (failure !== undefined) return { ...common, end: "failed", why: failure };
    if (seen.has(ctid)) return { ...common, end: "done" };
    return { ...common, end: "not reached" };
  });
  for (const { ctid, isTemplate, word } of words.values()) {
    if (word !== "removed" || outcomes.some((one) => one.ctid === ctid)) continue;
    const why = failures.get(ctid);
    outcomes.push({
      ctid,
      name: "",
      isTemplate,
      word,
      end: why === undefined ? "done" : "failed",
      ...(why ? { why } : {}),
    });
  }
  const ends = new Map(outcomes.map((one) => [one.ctid, one.end]));
  return outcomes.map((one) =>
    one.end === "not reached" ? { ...one, why: reasonOf(one.ctid, model, ends) } : one,
  );
}

/** The first error of each container. A step that failed and then succeeded, since it was tried again, is none. */
function failuresOf(events: readonly EngineEvent[]): Map<string, string> {
  const failed = new Map<string, string>();
  for (const { resOpFailedEvent, resOutputsEvent, diagnosticEvent } of events) {
    if (diagnosticEvent?.severity === "error" && diagnosticEvent.urn) {
      failed.set(
        diagnosticEvent.urn,
        failed.get(diagnosticEvent.urn) || shortest(cleanMessage(diagnosticEvent.message)),
      );
    }
    const last = resOpFailedEvent?.metadata.urn;
    if (last !== undefined) failed.set(last, failed.get(last) ?? "");
    if (resOutputsEvent) failed.delete(resOutputsEvent.metadata.urn);
  }
  const failures = new Map<string, string>();
  for (const [urn, why] of failed) {
    const ctid = containerOfUrn(urn)?.ctid;
    if (ctid !== undefined) failures.set(ctid, failures.get(ctid) || why);
  }
  return failures;
}

/** Of a script's output the line that begins with its own `error`, else the first line. */
function shortest(message: string): string {
  const lines = message.split("\n").map((line) => line.trim());
  return (
    lines.find((line) => /^error [A-Z_]+ \(\d+\):/.test(line)) ?? lines.find((line) => line !== "") ?? ""
  );
}

function reasonOf(ctid: string, model: Model, ends: ReadonlyMap<string, Outcome["end"]>): string {
  const spec = [...model.templates, ...model.containers].find(({ vmid }) => String(vmid) === ctid);
  const needs = [...(spec?.source.kind === "clone" ? [spec.source.vmid] : []), ...(spec?.dependencies ?? [])];
  const open = needs.map(String).filter((one) => ends.get(one) !== "done");
  return open.length > 0 ? `it needs ${open.join(", ")}` : "the run ended before it";
}

/** The list that ends a run. */
export function outcomeLines(outcomes: readonly Outcome[]): string[] {
  const marks = { done: "✓", failed: "✗", "not reached": "–" };
  const words: Record<Word, string> = {
    unchanged: "as it was",
    "in place": "changed in place",
    restart: "changed and restarted",
    replacement: "replaced",
    made: "made",
    removed: "removed",
  };
  return outcomes.map(({ ctid, name, isTemplate, end, word, why }) => {
    const text = end === "done" ? words[word] : end;
    return `  ${marks[end]} ${ctid} ${name}${isTemplate ? " (template)" : ""}: ${text}${why ? `: ${why}` : ""}`;
  });
}
