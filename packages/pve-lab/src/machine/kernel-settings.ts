import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * Settings of the machine's kernel that a lab needs, with the least value that will do.
 * inotify: all guests together count against the machine's root, and systemd takes several instances in each: with the
 * kernel's 128 the init of about the twentieth guest ends without a word. Proxmox VE's own value is 65536
 * (10-pve-ct-inotify-limits.conf).
 */
const needed = new Map([
  ["/proc/sys/net/ipv4/ip_forward", 1],
  ["/proc/sys/fs/inotify/max_user_instances", 65_536],
]);

/** What they were before the first lab of this machine's uptime. */
const record = "/run/phoenix-lab/kernel-settings.json";

const valueOf = (file: string): number => Number(readFileSync(file, "utf8"));

/** Raises what is too low, and remembers what it was; several labs share one memory. */
export function raiseSettings(): void {
  const before: Record<string, number> = existsSync(record)
    ? (JSON.parse(readFileSync(record, "utf8")) as Record<string, number>)
    : {};
  for (const [file, least] of needed) {
    const value = valueOf(file);
    if (value >= least) continue;
    before[file] ??= value;
    mkdirSync(path.dirname(record), { recursive: true });
    writeFileSync(record, JSON.stringify(before));
    writeFileSync(file, `${least}\n`);
  }
}

/** Puts back what was remembered: for when no lab is left. */
export function restoreSettings(): void {
  if (!existsSync(record)) return;
  const before = JSON.parse(readFileSync(record, "utf8")) as Record<string, number>;
  for (const [file, value] of Object.entries(before)) {
    // Whoever else changed it meanwhile has the last word.
    if (valueOf(file) === needed.get(file)) writeFileSync(file, `${value}\n`);
  }
  rmSync(record);
}
