import { X509Certificate } from "node:crypto";
import { statfsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { readTextOr } from "../core/files.ts";
import { nodeName, place } from "../core/places.ts";

const CERTIFICATE = "/etc/pve/local/pve-ssl.pem";

/** The certificate's SHA-256 fingerprint as PVE writes it. */
export function certificateFingerprint(): string {
  const text = readTextOr(place(CERTIFICATE), "");
  return text === "" ? "" : new X509Certificate(text).fingerprint256;
}

export interface Memory {
  readonly total: number;
  readonly used: number;
  readonly free: number;
  readonly available: number;
  readonly swapTotal: number;
  readonly swapFree: number;
}

/** Bytes, from /proc/meminfo: what the node is allowed to see. */
export function memoryFacts(): Memory {
  const text = readTextOr("/proc/meminfo", "");
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0) * 1024;
  const [total, available] = [field("MemTotal"), field("MemAvailable")];
  return {
    total,
    available,
    free: field("MemFree"),
    used: total - available,
    swapTotal: field("SwapTotal"),
    swapFree: field("SwapFree"),
  };
}

export interface Disk {
  readonly total: number;
  readonly used: number;
  readonly free: number;
  readonly avail: number;
}

/** Bytes of the file system with the node's root. */
export function rootDisk(): Disk {
  const { bsize, blocks, bfree, bavail } = statfsSync("/");
  return {
    total: blocks * bsize,
    used: (blocks - bfree) * bsize,
    free: bfree * bsize,
    avail: bavail * bsize,
  };
}

export interface Processor {
  readonly model: string;
  readonly mhz: string;
  readonly flags: string;
  readonly cpus: number;
}

export function processorFacts(): Processor {
  const text = readTextOr("/proc/cpuinfo", "");
  const field = (name: string): string => new RegExp(`^${name}\\s*:\\s*(.*)$`, "m").exec(text)?.[1] ?? "";
  return {
    model: field("model name"),
    mhz: field("cpu MHz"),
    flags: field("flags"),
    cpus: [...text.matchAll(/^processor\s*:/gm)].length || 1,
  };
}

/** Seconds since the node's own init started; the machine below may be up for longer. */
export function uptimeSeconds(): number {
  const stat = readTextOr("/proc/1/stat", "");
  const started = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? 0) / 100;
  return Math.max(0, Math.floor(Number(readTextOr("/proc/uptime", "0").split(" ")[0]) - started));
}

let before = { busy: 0, total: 0, share: 0 };

/** Share of the processors in use since the last call, 0 to 1. */
export function processorShare(): number {
  const numbers = (readTextOr("/proc/stat", "").split("\n")[0] ?? "")
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const total = numbers.reduce((sum, value) => sum + value, 0);
  const busy = total - (numbers[3] ?? 0) - (numbers[4] ?? 0);
  if (total > before.total) before = { busy, total, share: (busy - before.busy) / (total - before.total) };
  return before.share;
}

/** The node's first address that is not its own loop. */
export function nodeAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ internal, family }) => !internal && family === "IPv4")?.address ?? "127.0.0.1";
}

/** The node as lists show it. */
export function nodeSummary(): Record<string, unknown> {
  const memory = memoryFacts();
  const disk = rootDisk();
  return {
    node: nodeName(),
    status: "online",
    cpu: processorShare(),
    maxcpu: processorFacts().cpus,
    mem: memory.used,
    maxmem: memory.total,
    disk: disk.used,
    maxdisk: disk.total,
    uptime: uptimeSeconds(),
  };
}
