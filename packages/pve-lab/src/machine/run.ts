import { execFile, spawn } from "node:child_process";

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly directory?: string;
}

/** A command that did not end with 0; the message quotes the command's own last words. */
export class CommandFailed extends Error {
  readonly result: Result;
  constructor(command: string, result: Result) {
    const words = (result.stderr.trim() || result.stdout.trim()).split("\n").slice(-6).join("\n");
    super(`${command} ended with ${result.code}${words === "" ? "" : `: ${words}`}`);
    this.name = "CommandFailed";
    this.result = result;
  }
}

/** The administrator's directories too: where root came by `su`, they may be missing. */
export function searchPath(): string {
  const own = (process.env["PATH"] ?? "").split(":").filter((part) => part !== "");
  const wanted = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"].filter(
    (part) => !own.includes(part),
  );
  return [...own, ...wanted].join(":");
}

/** Runs a command without a shell and answers with what it said; never throws for a non-zero exit status. */
export function attempt(command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      [...args],
      {
        encoding: "utf8",
        maxBuffer: 64 * 1024 * 1024,
        timeout: options.timeoutMs ?? 0,
        killSignal: "SIGKILL",
        env: { ...process.env, PATH: searchPath(), LC_ALL: "C.UTF-8", ...options.environment },
        ...(options.directory === undefined ? {} : { cwd: options.directory }),
      },
      (error, stdout, stderr) => {
        if (error === null) resolve({ code: 0, stdout, stderr });
        else if (typeof error.code === "number") resolve({ code: error.code, stdout, stderr });
        else resolve({ code: error.killed === true ? 124 : 127, stdout, stderr: stderr || error.message });
      },
    );
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
  });
}

/** Like {@link attempt}, but throws {@link CommandFailed}; returns standard output. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const result = await attempt(command, args, options);
  if (result.code !== 0) throw new CommandFailed([command, ...args].join(" ").slice(0, 300), result);
  return result.stdout;
}

/** Hands the terminal to a command; returns its exit status. */
export function handOver(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { stdio: "inherit" });
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
  });
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Asks `probe` again and again until it answers something else than undefined, or the time is over. */
export async function waitFor<T>(
  probe: () => Promise<T | undefined>,
  timeoutMs: number,
  intervalMs = 50,
): Promise<T | undefined> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (Date.now() >= end) return undefined;
    await sleep(intervalMs);
  }
}
