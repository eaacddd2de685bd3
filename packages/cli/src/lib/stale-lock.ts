import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { homedir, hostname, userInfo } from "node:os";
import { basename, join, resolve } from "node:path";
import { root } from "./checkout.ts";

/** What Pulumi's file backend writes into a lock. */
interface Lock {
  readonly pid: number;
  readonly username: string;
  readonly hostname: string;
  readonly timestamp: string;
}

/** A file backend's folder; undefined for every other backend. */
export function backendFolder(backend: string): string | undefined {
  if (!backend.startsWith("file://")) return undefined;
  const path = backend.slice("file://".length);
  if (path === "~" || path.startsWith("~/")) return join(homedir(), path.slice(1));
  return resolve(root, path);
}

/**
 * Removes locks of this stack that a run of ours left when it was killed: same machine, same user, and the process
 * is gone. A lock of anybody else, or of a run that still lives, stays: Pulumi then says so itself.
 * @returns one line per removed lock
 */
export function clearStaleLocks(backend: string, stack: string): string[] {
  const folder = backendFolder(backend);
  const locks = folder === undefined ? "" : join(folder, ".pulumi/locks");
  if (!existsSync(locks)) return [];
  const cleared: string[] = [];
  for (const file of readdirSync(locks, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".json") || basename(join(file, "..")) !== stack) continue;
    const path = join(locks, file);
    const lock = readLock(path);
    if (!lock || lock.hostname !== hostname() || lock.username !== userInfo().username || lives(lock))
      continue;
    rmSync(path, { force: true });
    cleared.push(`The lock of a run that was cut off (process ${lock.pid}, ${lock.timestamp}) is removed.`);
  }
  return cleared;
}

function readLock(path: string): Lock | undefined {
  try {
    const lock = JSON.parse(readFileSync(path, "utf8")) as Partial<Lock>;
    return typeof lock.pid === "number" && lock.hostname && lock.username ? (lock as Lock) : undefined;
  } catch {
    return undefined; // half written or gone meanwhile: not ours to judge
  }
}

/** True while the process that took the lock may still be running. */
function lives(lock: Lock): boolean {
  const process_ = `/proc/${lock.pid}`;
  if (!existsSync(process_)) return false;
  try {
    // Numbers are given out again: another program, or one that started after the lock was taken, is not it.
    if (!basename(readlinkSync(`${process_}/exe`)).startsWith("pulumi")) return false;
    return startOf(lock.pid) <= Date.parse(lock.timestamp) + 5_000;
  } catch {
    return true; // not ours to look into: leave the lock
  }
}

/** When a process started, in milliseconds since 1970 (proc(5): field 22 of stat in ticks since boot, 100 a second). */
function startOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  const boot = Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]);
  return boot * 1000 + ticks * 10;
}
