import { existsSync, readFileSync } from "node:fs";
import { parseEvents, urnParts } from "./events.ts";
import type { EngineEvent, StepMetadata } from "./events.ts";
import type { Progress, Step } from "./progress.ts";

const kinds: Record<string, string> = {
  "proxmoxve:index/containerLegacy:ContainerLegacy": "guest ",
  "proxmoxve:storage/zfspool:Zfspool": "storage ",
  "proxmoxve:storage/directory:Directory": "storage ",
  "command:remote:Command": "",
};

/** How a step is shown; undefined for what only groups others or does nothing. */
export function stepTitle({ op, urn, type }: StepMetadata): string | undefined {
  if (type.startsWith("phoenix:") || type.startsWith("pulumi:")) return undefined;
  if (/^(same|read|refresh|discard|replace)/.test(op)) return undefined;
  const done = op.startsWith("create") ? "" : `${op} `;
  return `${done}${kinds[type] ?? `${type.split(":").at(-1) ?? ""} `}${urnParts(urn).name}`;
}

/** Follows Pulumi's event log and shows each resource with its time. */
export class UpProgress {
  readonly #file: string;
  readonly #progress: Progress;
  readonly #step: Step;
  readonly #since = new Map<string, number>();
  #seen = 0;

  constructor(file: string, progress: Progress, step: Step) {
    this.#file = file;
    this.#progress = progress;
    this.#step = step;
  }

  /** Looks until `stop` is called; the last look comes after it. */
  follow(): () => void {
    const timer = setInterval(() => this.#look(), 400);
    return () => {
      clearInterval(timer);
      this.#look();
    };
  }

  #look(): void {
    if (!existsSync(this.#file)) return;
    const events = parseEvents(readFileSync(this.#file, "utf8"));
    for (const event of events.slice(this.#seen)) this.#take(event);
    this.#seen = events.length;
    this.#step.note([...this.#since.keys()].map((key) => key.slice(key.indexOf(" ") + 1)).join(", "));
  }

  #take(event: EngineEvent): void {
    const start = event.resourcePreEvent?.metadata;
    const end = event.resOutputsEvent?.metadata;
    const failed = event.resOpFailedEvent?.metadata;
    const metadata = start ?? end ?? failed;
    const title = metadata && stepTitle(metadata);
    if (!metadata || title === undefined) return;
    const key = `${metadata.urn} ${title}`;
    if (start) {
      this.#since.set(key, Date.now());
      return;
    }
    const since = this.#since.get(key);
    // A failed create is followed by an end of the same step: one line for both.
    if (since === undefined) return;
    this.#since.delete(key);
    this.#progress.line(failed === undefined, title, Date.now() - since);
  }
}
