const started = Date.now();

/** Writes one line about progress; standard output stays free for `--json`. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Whole seconds since a moment in milliseconds, by default since the start of this process. */
export function seconds(since: number = started): number {
  return Math.round((Date.now() - since) / 1000);
}

/** Runs a long step; a line every few seconds shows that it is alive. */
export async function step<T>(what: string, run: () => Promise<T>): Promise<T> {
  const begun = Date.now();
  const timer = setInterval(() => say(`  ${what}: ${seconds(begun)} s`), 15_000);
  try {
    return await run();
  } finally {
    clearInterval(timer);
  }
}
