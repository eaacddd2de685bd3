import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { sleep } from "./run.ts";
import { Failure } from "./steps.ts";

/** Start time of a process in clock ticks, so that a reused process id is not taken for the old holder. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

function holder(directory: string): number | undefined {
  try {
    const [pid, started] = readFileSync(path.join(directory, "holder"), "utf8").trim().split(" ");
    const number = Number(pid);
    return startTime(number) === started ? number : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs `work` while holding a lock that other processes respect. A lock whose holder is dead is taken over.
 * @param waitMs how long to wait for another holder before giving up
 */
export async function withLock<T>(
  directory: string,
  waitMs: number,
  busy: (pid: number) => void,
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(path.dirname(directory), { recursive: true });
  const end = Date.now() + waitMs;
  let told = false;
  let unowned = 0;
  for (;;) {
    try {
      mkdirSync(directory);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const pid = holder(directory);
    // Between mkdir and the write of the holder's name a lock has no owner for an instant.
    unowned = pid === undefined ? unowned + 1 : 0;
    if (unowned > 5) {
      rmSync(directory, { recursive: true, force: true });
      continue;
    }
    if (Date.now() > end) {
      throw new Failure(
        `another command holds ${directory} (process ${pid ?? "unknown"})`,
        "wait for it to end",
      );
    }
    if (pid !== undefined && !told) {
      told = true;
      busy(pid);
    }
    await sleep(100);
  }
  try {
    writeFileSync(path.join(directory, "holder"), `${process.pid} ${startTime(process.pid) ?? ""}\n`);
    return await work();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
