/** What the API server and the parts of the node (guests, volumes, storages, access) agree on. */

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Verified parameters: path and body/query together, converted to the types of the API description. */
export type Parameters = Readonly<Record<string, unknown>>;

/** Who asks. `token` is the full id (`user@realm!name`) when an API token was used. */
export interface Identity {
  readonly user: string;
  readonly token?: string;
}

/** Writes one line to a task's log. A line that starts with `WARN` makes the task end with `WARNINGS: n`. */
export type TaskLog = (line: string) => void;

export interface Context {
  readonly parameters: Parameters;
  readonly identity: Identity;
  /** Throws {@link ApiError} 403 with PVE's text when the caller lacks the privilege. */
  requirePrivileges(path: string, privileges: readonly string[], any?: boolean): void;
  /** The same question, answered. */
  allowed(path: string, privileges: readonly string[], any?: boolean): boolean;
  /**
   * Starts a worker and returns its UPID at once; the worker goes on when the client dies.
   * @param type PVE's worker type, e.g. `vzcreate`, `vzclone`, `imgcopy`
   * @param id what it works on: a vmid, a storage id, or ""
   */
  startTask(type: string, id: string, worker: (log: TaskLog, signal: AbortSignal) => Promise<void>): string;
  /** Files of a multipart upload by field name: path of the spooled temporary file and the name the client gave. */
  readonly uploads: Readonly<Record<string, { path: string; filename: string }>>;
}

/** How we know that an answer has the right shape; shown in docs/lab.md. */
export type Evidence = "observed" | "documented" | "assumed";

export interface Route {
  readonly method: Method;
  /** As in the API description, e.g. `/nodes/{node}/lxc/{vmid}/config`. */
  readonly path: string;
  readonly evidence: Evidence;
  /** Returns what goes into `data`, or a promise of it. */
  readonly handler: (context: Context) => unknown;
}

/** `data` with further keys beside it in the answer, as `total` of a task's log. */
export class Answer {
  readonly data: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
  constructor(data: unknown, attributes: Readonly<Record<string, unknown>>) {
    this.data = data;
    this.attributes = attributes;
  }
}

/** An answer other than 200: status, PVE's text (it goes into the status line) and, for 400, the map of errors. */
export class ApiError extends Error {
  readonly status: number;
  readonly errors: Readonly<Record<string, string>> | undefined;
  constructor(status: number, message: string, errors?: Readonly<Record<string, string>>) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.errors = errors;
  }
}
