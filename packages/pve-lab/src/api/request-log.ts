import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { place } from "../core/places.ts";

const FILE = "/var/log/pve-lab/requests.jsonl";
const SECRET = /password|secret|^ticket$|csrfpreventiontoken|otp|keyring|encryption-key|^value$|^keys$/i;
/** Longer answers are cut: the log is for reading. */
const ANSWER_LIMIT = 2000;

/** The same value with every secret replaced by `***`. */
export function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      SECRET.test(key) && item !== undefined ? "***" : masked(item),
    ]),
  );
}

export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  /** User or token id; nothing when the request did not say. */
  readonly identity: string | undefined;
  readonly via: "https" | "socket";
  readonly parameters: unknown;
  readonly status: number;
  readonly message?: string | undefined;
  /** What was wrong with each parameter, for a 400. */
  readonly errors?: Readonly<Record<string, string>> | undefined;
  readonly data?: unknown;
  readonly ms: number;
}

/** Appends one JSON line per request, secrets masked. */
export function logRequest(request: LoggedRequest): void {
  const { data, ...rest } = request;
  const answer = JSON.stringify(masked(data) ?? null);
  const cut = answer.length > ANSWER_LIMIT;
  const line = {
    time: new Date().toISOString(),
    ...rest,
    parameters: masked(rest.parameters),
    answer: cut ? answer.slice(0, ANSWER_LIMIT) : (JSON.parse(answer) as unknown),
    ...(cut ? { cut } : {}),
  };
  const path = place(FILE);
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${JSON.stringify(line)}\n`, { mode: 0o640 });
}
