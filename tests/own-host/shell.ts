import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Result } from "../end-to-end/checkout.ts";

const mark = "\u001e";

/** One shell in which a person types line after line: what a line exports is there for the next. */
export class Shell {
  readonly #process: ChildProcessWithoutNullStreams;
  #stdout = "";
  #stderr = "";
  #arrived: () => void = () => undefined;

  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    this.#process = spawn("bash", ["--norc"], { cwd, env });
    this.#process.stdout.setEncoding("utf8").on("data", (piece: string) => {
      this.#stdout += piece;
      this.#arrived();
    });
    this.#process.stderr.setEncoding("utf8").on("data", (piece: string) => {
      this.#stderr += piece;
      this.#arrived();
    });
  }

  /** Types one line and waits for its end. */
  async type(line: string): Promise<Result> {
    this.#stdout = "";
    this.#stderr = "";
    // Its own standard input is not the rest of what is typed here.
    this.#process.stdin.write(
      `{ ${line}\n} </dev/null\nprintf '${mark}%s${mark}' "$?"; printf '${mark}' >&2\n`,
    );
    const ended = () => new RegExp(`${mark}(\\d+)${mark}$`).exec(this.#stdout);
    while (!ended() || !this.#stderr.endsWith(mark)) {
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
    const [whole = "", code = ""] = ended() ?? [];
    return {
      code: Number(code),
      stdout: this.#stdout.slice(0, -whole.length),
      stderr: this.#stderr.slice(0, -mark.length),
    };
  }

  /** Ends the shell and the agent that was started in it. */
  async close(): Promise<void> {
    await this.type('[ -z "$SSH_AGENT_PID" ] || kill "$SSH_AGENT_PID"');
    this.#process.stdin.end();
  }
}
