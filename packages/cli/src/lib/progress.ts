import { coloursFor } from "./colours.ts";

/** Seconds as a person reads them: `0.4 s`, `12 s`, `3 min 20 s`. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

const aliveEvery = 30_000;
const frames = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇"];

interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** One running step. `note` says what it is busy with. */
export interface Step {
  note(text: string): void;
}

/** Lines with a mark and a time: a moving one on a terminal, plain ones (and a sign of life) elsewhere. */
export class Progress {
  readonly #screen: Screen;
  #running: { title: string; note: string; since: number; timer: NodeJS.Timeout } | undefined;
  #frame = 0;
  readonly #colours;

  constructor(screen: Screen = process.stdout) {
    this.#screen = screen;
    this.#colours = coloursFor(screen);
  }

  /** Runs one step and prints ✓ or ✗ with its time; the error goes on to the caller. */
  async step<T>(title: string, work: (step: Step) => Promise<T>): Promise<T> {
    const since = Date.now();
    const timer = setInterval(() => this.#alive(), this.#screen.isTTY ? 150 : aliveEvery);
    const running = { title, note: "", since, timer };
    this.#running = running;
    if (this.#screen.isTTY) this.#alive();
    try {
      const result = await work({ note: (text) => void (running.note = text) });
      this.#end(title, since, true);
      return result;
    } catch (error) {
      this.#end(title, since, false);
      throw error;
    }
  }

  /** A finished part inside the running step. */
  line(good: boolean, title: string, milliseconds: number): void {
    this.#wipe();
    this.#screen.write(`    ${this.#mark(good)} ${title}  ${this.#colours.dim(duration(milliseconds))}\n`);
  }

  /** Plain text between steps. */
  say(text: string): void {
    this.#wipe();
    this.#screen.write(`${text}\n`);
  }

  #end(title: string, since: number, good: boolean): void {
    if (this.#running) clearInterval(this.#running.timer);
    this.#running = undefined;
    this.#wipe();
    this.#screen.write(`${this.#mark(good)} ${title}  ${this.#colours.dim(duration(Date.now() - since))}\n`);
  }

  #alive(): void {
    const running = this.#running;
    if (!running) return;
    const note = running.note ? ` · ${running.note}` : "";
    const text = `${running.title}${note}  ${duration(Date.now() - running.since)}`;
    if (!this.#screen.isTTY) {
      this.#screen.write(`… ${text}\n`);
      return;
    }
    this.#frame = (this.#frame + 1) % frames.length;
    this.#screen.write(`\r\u001b[K${frames[this.#frame]} ${text.slice(0, (this.#screen.columns ?? 80) - 4)}`);
  }

  #mark(good: boolean): string {
    return good ? this.#colours.green("✓") : this.#colours.red("✗");
  }

  #wipe(): void {
    if (this.#screen.isTTY) this.#screen.write("\r\u001b[K");
  }
}
