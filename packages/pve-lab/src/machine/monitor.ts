import { readdirSync, readFileSync } from "node:fs";

/**
 * Whether a command line is that of the LXC process that keeps this container.
 *
 * @param words the arguments as /proc shows them; LXC renames the process once the container is up
 */
export function isMonitor(words: readonly string[], lxcPath: string, container: string): boolean {
  const [program = "", ...rest] = words;
  if (program === `[lxc monitor] ${lxcPath} ${container}`) return true;
  return /(?:^|\/)lxc-start$/.test(program) && rest.includes(lxcPath) && rest.includes(container);
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return []; // it has ended since
  }
}

/**
 * Whether LXC keeps a container of this name: while the node reboots, its init is gone and LXC's own commands call
 * it stopped, but this process is about to start it again.
 */
export function hasMonitor(lxcPath: string, container: string): boolean {
  return readdirSync("/proc").some(
    (name) => /^\d+$/.test(name) && isMonitor(commandLine(name), lxcPath, container),
  );
}
