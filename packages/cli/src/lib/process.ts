import { spawn } from "node:child_process";
import type { StdioOptions } from "node:child_process";
import { createWriteStream } from "node:fs";

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Options {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Everything that is printed is appended here as well. */
  readonly log?: string;
  /** Called with each whole line of standard error or standard output. */
  readonly onLine?: (line: string) => void;
}

const signalCode = 128;

/** Runs a program to its end and keeps what it prints; a program that is missing gives code 127. */
export function capture(command: string, args: readonly string[], options: Options = {}): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: "pipe" });
    const log = options.log ? createWriteStream(options.log, { flags: "a", mode: 0o600 }) : undefined;
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      const stream = child[name];
      stream.setEncoding("utf8");
      let rest = "";
      stream.on("data", (piece: string) => {
        text[name] += piece;
        log?.write(piece);
        const lines = (rest + piece).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) options.onLine?.(line);
      });
    }
    let done = false;
    const finish = (code: number) => {
      if (done) return;
      done = true;
      const result = { code, ...text };
      if (log) log.end(() => resolve(result));
      else resolve(result);
    };
    child.on("error", (error) => {
      text.stderr += `${command}: ${error.message}\n`;
      finish(127);
    });
    child.on("close", (code, signal) => finish(code ?? signalCode + (signal === "SIGKILL" ? 9 : 15)));
    child.stdin.on("error", () => undefined); // a child that never reads
    child.stdin.end(options.input ?? "");
  });
}

/** Runs a program on this terminal; it gets the signals of the terminal itself, we wait for its end. */
export function inherit(command: string, args: readonly string[], options: Options = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const stdio: StdioOptions = "inherit";
    const child = spawn(command, args, { cwd: options.cwd, env: options.env ?? process.env, stdio });
    const ignore = () => undefined;
    const pass = () => void child.kill("SIGTERM");
    process.on("SIGINT", ignore);
    process.on("SIGTERM", pass);
    const clear = () => {
      process.off("SIGINT", ignore);
      process.off("SIGTERM", pass);
    };
    child.on("error", (error) => {
      clear();
      reject(error);
    });
    child.on("close", (code, signal) => {
      clear();
      resolve(code ?? signalCode + (signal === "SIGINT" ? 2 : signal === "SIGKILL" ? 9 : 15));
    });
  });
}
