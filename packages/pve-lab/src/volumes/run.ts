import { execFile, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

export interface RunOptions {
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
  const from = spawn(producer, producerArgs, {
    stdio: [input ?? "ignore", "pipe", "pipe"],
    env: ENVIRONMENT,
  });
  const to = spawn(consumer, consumerArgs, { stdio: ["pipe", "ignore", "pipe"], env: ENVIRONMENT });
  to.stdin.on("error", () => undefined);
  from.stdout?.pipe(to.stdin);
  const [fed, eaten] = await Promise.allSettled([finished(producer, from), finished(consumer, to)]);
  // A consumer that gives up breaks the pipe of its producer: its own words say more.
  if (eaten.status === "rejected") throw eaten.reason;
  if (fed.status === "rejected") throw fed.reason;
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
