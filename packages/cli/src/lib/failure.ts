/** A failure whose text is meant for the person: cause, where the full log is, what to try next. */
export class Failure extends Error {
  readonly log: string | undefined;
  readonly next: string | undefined;
  readonly code: number;

  constructor(cause: string, more: { log?: string | undefined; next?: string; code?: number } = {}) {
    super(cause);
    this.log = more.log;
    this.next = more.next;
    this.code = more.code ?? 1;
  }
}

/** The lines that end a failed run. */
export function failureLines(error: unknown): string[] {
  if (!(error instanceof Failure)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return [`phoenix: ${text}`];
  }
  const lines = [`phoenix: ${error.message}`];
  if (error.log) lines.push(`  full log:  ${error.log}`);
  if (error.next) lines.push(`  try next:  ${error.next}`);
  return lines;
}
