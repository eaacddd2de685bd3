import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { isMissing, readTextOr, writeFileAtomic } from "./files.ts";
import { nodeName, place } from "./places.ts";
import type { TaskLog } from "./route.ts";
import { formatUpid, parseUpid, type Upid } from "./upid.ts";

export type Worker = (log: TaskLog, signal: AbortSignal) => Promise<void>;

export interface FinishedTask extends Upid {
  readonly endtime: number;
  readonly status: string;
}

interface Running {
  readonly task: Upid;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

const FOLDER = "/var/log/pve/tasks";
const running = new Map<string, Running>();
let serial = 0;

const now = (): number => Math.floor(Date.now() / 1000);

/** Where PVE keeps a task's log: a folder by the last digit of its start time. */
export function taskLogPath(task: Upid): string {
  const digit = task.starttime.toString(16).toUpperCase().slice(-1);
  return place(`${FOLDER}/${digit}/${task.upid}`);
}

/** Workers live in this process; the number only has to tell them apart, also from those before a restart. */
function nextPid(): number {
  serial = (serial + 1) % 0xffff;
  return ((process.pid & 0x7fff) << 16) | serial;
}

/**
 * Starts a worker and returns at once. Log and outcome are kept under /var/log/pve/tasks in PVE's format.
 * @param user who asked: user id or token id
 */
export function startTask(type: string, id: string, user: string, worker: Worker): string {
  const pstart = Math.floor(process.uptime() * 100);
  const task = formatUpid({ node: nodeName(), pid: nextPid(), pstart, starttime: now(), type, id, user });
  const path = taskLogPath(task);
  mkdirSync(dirname(path), { recursive: true });
  const write = (line: string): void => appendFileSync(path, `${line}\n`, { mode: 0o640 });
  appendFileSync(path, "", { mode: 0o640 });
  const abort = new AbortController();
  const done = runWorker(task, worker, write, abort.signal).finally(() => {
    running.delete(task.upid);
    writeActive();
  });
  running.set(task.upid, { task, abort, done });
  writeActive();
  return task.upid;
}

async function runWorker(
  task: Upid,
  worker: Worker,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let warnings = 0;
  const log: TaskLog = (line) => {
    for (const part of line.replace(/\n+$/, "").split("\n")) {
      if (/^WARN/i.test(part)) warnings += 1;
      write(part);
    }
  };
  let status = "OK";
  try {
    // The worker begins after the UPID is on its way, as a forked one would.
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    await worker(log, signal);
    if (warnings > 0) status = `WARNINGS: ${warnings}`;
    write(`TASK ${status}`);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    status = signal.aborted ? "received interrupt" : text.trim().replaceAll("\n", " ") || "unknown error";
    write(`TASK ERROR: ${status}`);
  }
  const line = `${task.upid} ${now().toString(16).toUpperCase().padStart(8, "0")} ${status}\n`;
  appendFileSync(place(`${FOLDER}/index`), line, { mode: 0o640 });
}

function writeActive(): void {
  const lines = [...running.keys()].map((upid) => `${upid} 0\n`);
  writeFileAtomic(place(`${FOLDER}/active`), lines.join(""));
}

/**
 * To be called once at the start: tasks that were running when this daemon last ended have no worker any more.
 * PVE shows such a task as ended with `unexpected status`; so does the archive from now on.
 */
export function closeUnfinishedTasks(): void {
  const index = readTextOr(place(`${FOLDER}/index`), "");
  for (const line of readTextOr(place(`${FOLDER}/active`), "").split("\n")) {
    const upid = line.split(" ")[0] ?? "";
    const task = parseUpid(upid);
    if (!task || running.has(upid) || index.includes(`${upid} `)) continue;
    const status = taskExitStatus(readTaskLog(task) ?? []);
    const end = now().toString(16).toUpperCase().padStart(8, "0");
    appendFileSync(place(`${FOLDER}/index`), `${upid} ${end} ${status}\n`, { mode: 0o640 });
  }
  writeActive();
}

export function runningTasks(): Upid[] {
  return [...running.values()].map(({ task }) => task);
}

export function isTaskRunning(upid: string): boolean {
  return running.has(upid);
}

/** Asks the worker to stop and waits until it did, at most `seconds`. */
export async function stopTask(upid: string, seconds: number): Promise<void> {
  const entry = running.get(upid);
  if (!entry) return;
  entry.abort.abort();
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([entry.done, new Promise((resolve) => (timer = setTimeout(resolve, seconds * 1000)))]);
  clearTimeout(timer);
}

/** Waits for the end of a task that runs here. */
export async function waitForTask(upid: string): Promise<void> {
  await running.get(upid)?.done;
}

/** Waits until nothing runs any more, tasks that were started meanwhile included. */
export async function waitForAllTasks(): Promise<void> {
  while (running.size > 0) await Promise.all([...running.values()].map(({ done }) => done));
}

/** Lines of a task's log, or nothing when there is no such task. */
export function readTaskLog(task: Upid): string[] | undefined {
  try {
    return readFileSync(taskLogPath(task), "utf8").replace(/\n$/, "").split("\n");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** How a task ended, read from the last line of its log as PVE does; also after a restart of this daemon. */
export function taskExitStatus(lines: readonly string[]): string {
  const last = lines.at(-1) ?? "";
  if (last === "TASK OK") return "OK";
  return (
    /^TASK (WARNINGS: \d+)$/.exec(last)?.[1] ?? /^TASK ERROR: (.+)$/.exec(last)?.[1] ?? "unexpected status"
  );
}

/** Finished tasks, newest first. */
export function finishedTasks(): FinishedTask[] {
  const tasks: FinishedTask[] = [];
  for (const line of readTextOr(place(`${FOLDER}/index`), "").split("\n")) {
    const [, upid, endtime, status] = /^(\S+) ([0-9A-F]+) (.*)$/.exec(line) ?? [];
    const task = upid === undefined ? undefined : parseUpid(upid);
    if (task && endtime !== undefined && status !== undefined)
      tasks.push({ ...task, endtime: Number.parseInt(endtime, 16), status });
  }
  return tasks.reverse();
}
