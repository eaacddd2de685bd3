import { existsSync, readdirSync } from "node:fs";
import { readTextOr, isMissing } from "../core/files.ts";
import { driverFolder } from "../hardware/state.ts";
import { deviceNumbers } from "./devices.ts";
import type { NodeFacts } from "./lxc-config.ts";

/** What this node's kernel and LXC offer. */
export function nodeFacts(): NodeFacts {
  const controllers = readTextOr("/sys/fs/cgroup/cgroup.controllers", "").trim().split(/\s+/).filter(Boolean);
  return {
    controllers: new Set(controllers),
    processors: parseRanges(readTextOr("/sys/fs/cgroup/cpuset.cpus.effective", "").trim()),
    includes: new Set(names("/usr/share/lxc/config")),
    deviceNumbers,
    ...(existsSync(driverFolder) ? { driverFolder } : {}),
  };
}

/** `0-2,5` → 0, 1, 2, 5 */
export function parseRanges(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match?.[1] === undefined) return [];
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
