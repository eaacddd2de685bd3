import { AsyncLocalStorage } from "node:async_hooks";
import { execFile, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** Tells whether the task that is being worked on has been stopped. */
const task = new AsyncLocalStorage<AbortSignal>();

/**
 * Works on behalf of a task: when that is stopped, long programs started by `action` are ended, and `action` fails
 * with that. Short ones, cleaning up among them, go on.
 */
export function inTask<T>(signal: AbortSignal, action: () => Promise<T>): Promise<T> {
  return task.run(signal, action);
}

function stopSignal(): { signal: AbortSignal } | undefined {
  const signal = task.getStore();
  return signal && { signal };
}

export interface RunOptions {
  /** Ends the program when the task that it works for is stopped. */
  readonly long?: boolean;
  /** Written to the program's standard input. */
  readonly input?: string;
  readonly timeoutSeconds?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that ended with another code than 0. */
export class CommandError extends Error {
  readonly code: number;
  readonly stderr: string;
  constructor(program: string, code: number, stderr: string) {
    const said = stderr.trim();
    super(said === "" ? `command '${program}' failed: exit code ${code}` : said);
    this.name = "CommandError";
    this.code = code;
    this.stderr = stderr;
  }
}

// The daemon's own environment may be bare (systemd unit); tools must be found and speak English.
const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LC_ALL: "C.UTF-8",
};

/**
 * Runs a program without a shell and returns its standard output.
 * @throws CommandError with what it wrote to standard error
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      [...args],
      {
        maxBuffer: 64 * 1024 * 1024,
        timeout: (options.timeoutSeconds ?? 0) * 1000,
        env: { ...ENVIRONMENT, ...options.env },
        ...(options.long ? stopSignal() : undefined),
      },
      (error, stdout, stderr) => {
        if (!error) {
          resolve(stdout);
          return;
        }
        if (error.killed && options.timeoutSeconds !== undefined) {
          reject(new CommandError(program, 124, "got timeout"));
          return;
        }
        const code = typeof error.code === "number" ? error.code : 255;
        reject(new CommandError(program, code, stderr || (code === 255 ? error.message : "")));
      },
    );
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
  });
}

/** Asks again and again until the answer is true. @returns false when it was not within `seconds` */
export async function poll(
  seconds: number,
  milliseconds: number,
  question: () => Promise<boolean>,
): Promise<boolean> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await question())) {
    if (Date.now() > deadline) return false;
    await sleep(milliseconds);
  }
  return true;
}

/** Like {@link run}, for a question whose "no" is an exit code: true when it ended with 0. */
export async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(program, args);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

/**
 * Runs `first | second`.
 * @param input file descriptor that the first one reads
 * @throws CommandError of the one that failed
 */
export async function pipe(
  first: readonly [string, ...string[]],
  second: readonly [string, ...string[]],
  input?: number,
): Promise<void> {
  const [producer, ...producerArgs] = first;
  const [consumer, ...consumerArgs] = second;
  // Groups of their own: what is ended is the whole group, not just a front that started the real program.
  const own = { env: ENVIRONMENT, detached: true } as const;
  const from = spawn(producer, producerArgs, { ...own, stdio: [input ?? "ignore", "pipe", "pipe"] });
  const to = spawn(consumer, consumerArgs, { ...own, stdio: [from.stdout, "ignore", "pipe"] });
  // Only the consumer holds the reading end now: when it dies, the producer notices.
  from.stdout?.destroy();
  const stop = () => [from, to].forEach(endGroup);
  const signal = task.getStore();
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  const [fed, eaten] = await Promise.allSettled([finished(producer, from), finished(consumer, to)]);
  signal?.removeEventListener("abort", stop);
  // A consumer that gives up breaks the pipe of its producer: its own words say more.
  if (eaten.status === "rejected") throw eaten.reason;
  if (fed.status === "rejected") throw fed.reason;
}

function endGroup({ pid }: { pid?: number | undefined }): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGTERM");
  } catch {
    // It has ended already.
  }
}

interface Ending {
  readonly stderr: NodeJS.ReadableStream | null;
  once(event: "error", listener: (error: Error) => void): unknown;
  once(event: "close", listener: (code: number | null) => void): unknown;
}

function finished(name: string, child: Ending): Promise<void> {
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new CommandError(name, code ?? 255, stderr)),
    );
  });
}
