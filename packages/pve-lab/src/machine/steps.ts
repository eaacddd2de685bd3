import picocolors from "picocolors";

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** A failure that a person can act on: one clear line, and the command to try next. */
export class Failure extends Error {
  readonly hint: string | undefined;
  constructor(message: string, hint?: string) {
    super(message);
    this.name = "Failure";
    this.hint = hint;
  }
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

const out = process.stderr;
// The package itself also colours wherever CI is set.
const colours = picocolors.createColors(out.isTTY && !process.env["NO_COLOR"]);

/** Says where a long step stands; shown beside its title. */
export type Say = (detail: string) => void;

/**
 * Runs one step and prints ✓ or ✗ with its time. A step that takes long shows that it is alive: a spinner on a
 * terminal, else a plain line every ten seconds.
 */
export async function step<T>(title: string, work: (say: Say) => Promise<T>): Promise<T> {
  const started = Date.now();
  const terminal = out.isTTY;
  let detail = "";
  let tick = 0;
  const draw = (): void => {
    const spent = Date.now() - started;
    if (!terminal) {
      out.write(`  … ${title}, ${seconds(spent)}${detail === "" ? "" : `: ${detail}`}\n`);
      return;
    }
    const frame = frames[tick++ % frames.length] ?? "";
    const width = Math.max(40, out.columns) - 1;
    const line = `${frame} ${title} ${seconds(spent)} ${detail}`.slice(0, width);
    out.write(`\r\u001b[2K${colours.cyan(line.slice(0, 1))}${line.slice(1)}`);
  };
  const timer = setInterval(draw, terminal ? 120 : 10_000);
  const finish = (mark: string): void => {
    clearInterval(timer);
    out.write(
      `${terminal ? "\r\u001b[2K" : ""}${mark} ${title} ${colours.dim(`(${seconds(Date.now() - started)})`)}\n`,
    );
  };
  try {
    const value = await work((text) => {
      detail = text;
    });
    finish(colours.green("✓"));
    return value;
  } catch (error) {
    finish(colours.red("✗"));
    throw error;
  }
}

export function note(line: string): void {
  out.write(`${line}\n`);
}
