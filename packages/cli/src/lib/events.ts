import { existsSync, readFileSync } from "node:fs";

/** One line of Pulumi's --event-log; only the parts that we read. */
export interface EngineEvent {
  readonly timestamp?: number;
  readonly diagnosticEvent?: { readonly urn?: string; readonly message: string; readonly severity: string };
  readonly resourcePreEvent?: { readonly metadata: StepMetadata };
  readonly resOutputsEvent?: { readonly metadata: StepMetadata };
  readonly resOpFailedEvent?: { readonly metadata: StepMetadata };
  readonly summaryEvent?: { readonly resourceChanges?: Record<string, number> };
}

export interface StepMetadata {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly diffs?: readonly string[] | null;
  readonly detailedDiff?: Readonly<Record<string, unknown>> | null;
  readonly old?: StepState | null;
  readonly new?: StepState | null;
}

interface StepState {
  readonly parent?: string;
  readonly inputs?: Record<string, unknown>;
}

/** Parses the log's whole lines; a last half line (the run still writes, or was killed) is left out. */
export function parseEvents(text: string): EngineEvent[] {
  const events: EngineEvent[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    try {
      events.push(JSON.parse(line) as EngineEvent);
    } catch {
      break;
    }
  }
  return events;
}

/** The event log of a run; empty where the run ended before it had one. */
export const readEvents = (path: string): EngineEvent[] =>
  existsSync(path) ? parseEvents(readFileSync(path, "utf8")) : [];

/** The name and the last type of a URN: `910` of `…::phoenix:lxc:Container$command:remote:Command::910`. */
export function urnParts(urn: string): { type: string; parents: string; name: string } {
  const [, , types = "", ...name] = urn.split("::");
  const chain = types.split("$");
  return { type: chain.at(-1) ?? "", parents: chain.slice(0, -1).join("$"), name: name.join("::") };
}

const colourMarks = /<\{%[^%]*%\}>/g;

/** Without Pulumi's marks for colours. */
export const cleanMessage = (message: string): string => message.replace(colourMarks, "").trim();

const lastLines = 15;

/** A long message by its first line, which says what failed, and its last ones, which say why; the log has it whole. */
function shortened(message: string): string {
  const lines = message.split("\n");
  if (lines.length <= lastLines + 2) return message;
  const [first = ""] = lines;
  return [
    first,
    `  … ${lines.length - 1 - lastLines} lines more in the log`,
    ...lines.slice(-lastLines),
  ].join("\n");
}

/** The errors of a run in the order in which they came, each once, as `resource: message`. */
export function errorsOf(events: readonly EngineEvent[]): string[] {
  const errors = new Set<string>();
  for (const { diagnosticEvent: diagnostic } of events) {
    if (diagnostic?.severity !== "error") continue;
    const message = cleanMessage(diagnostic.message);
    if (message === "" || message === "update failed" || message === "preview failed") continue;
    // What waits for a resource that failed is told by the program as an error of its own.
    if (/^\S+ failed: what needs it was not reached$/.test(message)) continue;
    const { name } = urnParts(diagnostic.urn ?? "");
    const short = shortened(message);
    errors.add(name ? `${name}: ${short}` : short);
  }
  return [...errors];
}
