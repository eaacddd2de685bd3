import type { DiskFacts, NodeFacts } from "./facts.ts";
import { size } from "./problem.ts";
import type { Problem } from "./problem.ts";
import type { EngineFacts } from "./engine.ts";

const width = 10;
const row = (name: string, text: string): string => `${name.padEnd(width)} ${text}`.trimEnd();

/** A row for each text; only the first names what they are. */
const rows = (name: string, texts: readonly string[]): string[] =>
  (texts.length === 0 ? ["none"] : texts).map((text, i) => row(i === 0 ? name : "", text));

const origins = { path: "your own", official: "official", built: "rebuilt here", missing: "missing" };

export function enginePage({ programs, environment, stack }: EngineFacts): string[] {
  const list = programs
    .filter(({ name }) => name !== "pulumi-language-nodejs")
    .map(({ name, version, state }) => `${name} ${version} (${origins[state]})`);
  return [
    row("node.js", process.version),
    row("engine", list.join(", ")),
    row("backend", environment ? `${environment.backend} (${environment.owner}'s)` : "none"),
    row("stack", stack ?? "none"),
  ];
}

export const diskRow = ({ identity, device, model, serial, sizeBytes, found }: DiskFacts): string =>
  `${identity ?? `${device} (no stable name)`}  ${[model, serial, size(sizeBytes)].filter((part) => part !== "").join(", ")}  ${found.length === 0 ? "empty" : found.join("; ")}`;

export function nodePage(facts: NodeFacts): string[] {
  const { guests, pools, storages } = facts;
  const withoutHeaders = facts.kernels.filter((kernel) => !facts.headers.includes(kernel));
  const headers =
    facts.kernels.length === 0
      ? `headers: ${facts.headers.join(", ") || "none"}`
      : withoutHeaders.length === 0
        ? "headers for all"
        : `no headers for ${withoutHeaders.join(", ")}`;
  const installed = facts.kernels.length === 0 ? "" : `; installed: ${facts.kernels.join(", ")}`;
  return [
    row("version", facts.version || "no Proxmox VE"),
    row("kernel", `${facts.kernel}${installed}; ${headers}`),
    row("machine", `${facts.processors} processors, ${size(facts.memoryBytes)} of memory`),
    row("free", facts.space.map(({ mount, freeBytes }) => `${mount} ${size(freeBytes)}`).join(", ")),
    row(
      "bridges",
      facts.bridges
        .map((bridge) =>
          [
            bridge,
            ...facts.addresses.filter(({ device }) => device === bridge).map(({ address }) => address),
          ].join(" "),
        )
        .join(", ") || "none",
    ),
    ...rows("disks", facts.disks.map(diskRow)),
    ...rows(
      "pools",
      pools.map(
        ({ name, sizeBytes, freeBytes, health }) =>
          `${name}  ${size(sizeBytes)}, ${size(freeBytes)} free, ${health}`,
      ),
    ),
    ...(facts.importable.length > 0 ? [row("", `not imported: ${facts.importable.join(", ")}`)] : []),
    ...rows(
      "storages",
      storages.map(
        ({ id, type, content, freeBytes, active }) =>
          `${id}  ${type}, ${content.join(" ")}, ${active ? `${size(freeBytes)} free` : "not active"}`,
      ),
    ),
    ...rows(
      "guests",
      guests.map(
        ({ vmid, name, kind, stack }) =>
          `${vmid}  ${name}, ${kind}, ${stack === undefined ? "not made by Phoenix" : `of stack ${stack}`}`,
      ),
    ),
    ...rows(
      "GPUs",
      facts.gpus.map(
        ({ pci, name, driver }) => `${pci}  ${name}${driver === undefined ? "" : `, driver ${driver}`}`,
      ),
    ),
  ];
}

/** The problems, errors first, each with its remedy. */
export function problemPage(problems: readonly Problem[]): string[] {
  const sorted = problems.toSorted(
    (a, b) => Number(a.severity === "warning") - Number(b.severity === "warning"),
  );
  return sorted.flatMap(({ severity, what, remedy }) => [
    `${severity === "error" ? "✗" : "!"} ${what}`,
    `    → ${remedy}`,
  ]);
}
