import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const SOCKET = "/run/pve-lab.sock";

/** An answer other than 200, with PVE's text. */
export class CallError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Values = Readonly<Record<string, string | readonly string[]>>;

interface Body {
  data?: unknown;
  message?: string;
  errors?: Record<string, string>;
}

/** Calls one API path of this node as root@pam. @throws CallError */
export async function call(method: string, path: string, values: Values = {}): Promise<unknown> {
  const form = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) for (const one of [value].flat()) form.append(key, one);
  const text = form.toString();
  const inQuery = method === "GET" || method === "DELETE";
  const full = `/api2/json${path}${inQuery && text !== "" ? `?${text}` : ""}`;
  const { status, reason, body } = await send(method, full, inQuery ? "" : text);
  const answer = parse(body);
  if (status === 200) return answer.data ?? null;
  const details = Object.entries(answer.errors ?? {}).map(([key, said]) => `${key}: ${said.trim()}`);
  const message = (answer.message ?? reason).trim();
  // PVE's tools name the status where a parameter is at fault, and only there.
  throw new CallError(status, [status === 400 ? `400 ${message}` : message, ...details].join("\n"));
}

function parse(text: string): Body {
  try {
    return JSON.parse(text) as Body;
  } catch {
    return { message: text };
  }
}

function send(
  method: string,
  path: string,
  text: string,
): Promise<{ status: number; reason: string; body: string }> {
  return new Promise((resolve, reject) => {
    const headers =
      text === ""
        ? {}
        : { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(text) };
    const outgoing = request({ socketPath: SOCKET, method, path, headers }, (incoming) => {
      let body = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => (body += chunk));
      incoming.once("error", reject);
      incoming.once("end", () =>
        resolve({ status: incoming.statusCode ?? 0, reason: incoming.statusMessage ?? "", body }),
      );
    });
    outgoing.once("error", (error) => reject(new Error(`the node's API does not answer: ${error.message}`)));
    outgoing.end(text);
  });
}

interface TaskStatus {
  status?: string;
  exitstatus?: string;
}

interface LogLine {
  n: number;
  t: string;
}

/** Waits for a task and shows its log as it grows. @throws Error with the task's own words when it fails */
export async function finish(node: string, upid: string, print: (line: string) => void): Promise<void> {
  const path = `/nodes/${node}/tasks/${encodeURIComponent(upid)}`;
  let shown = 0;
  for (let wait = 20; ; wait = Math.min(wait * 1.5, 300)) {
    const { status, exitstatus } = (await call("GET", `${path}/status`)) as TaskStatus;
    const lines = (await call("GET", `${path}/log`, { start: String(shown), limit: "500" })) as LogLine[];
    for (const { n, t } of lines.filter((line) => line.n > shown && line.t !== "no content")) {
      if (!t.startsWith("TASK ")) print(t);
      shown = n;
    }
    if (status !== "running") {
      const outcome = exitstatus ?? "unknown";
      if (outcome !== "OK" && !/^WARNINGS: \d+$/.test(outcome)) throw new Error(outcome);
      return;
    }
    await sleep(wait);
  }
}
