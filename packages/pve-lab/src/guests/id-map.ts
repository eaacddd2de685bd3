import type { Section } from "./config-file.ts";

/** One line of an id map: `count` ids from `inside` on are `outside` and following on the node. */
export interface IdRange {
  readonly kind: "u" | "g";
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

const UNPRIVILEGED: readonly IdRange[] = [
  { kind: "u", inside: 0, outside: 100000, count: 65536 },
  { kind: "g", inside: 0, outside: 100000, count: 65536 },
];

/** The id map of a guest: its own `lxc.idmap` lines, the default one if unprivileged, none if privileged. */
export function idMap({ values, lxc }: Pick<Section, "values" | "lxc">): readonly IdRange[] {
  const own = lxc.flatMap(([key, value]) => {
    const match = key === "lxc.idmap" ? /^([ug])\s+(\d+)\s+(\d+)\s+(\d+)$/.exec(value) : null;
    if (!match) return [];
    const [inside = 0, outside = 0, count = 0] = match.slice(2).map(Number);
    return [{ kind: match[1] === "g" ? ("g" as const) : ("u" as const), inside, outside, count }];
  });
  if (own.length > 0) return own;
  return values["unprivileged"] === "1" ? UNPRIVILEGED : [];
}

/** The node's id of an id inside. @throws Error when the map does not hold it */
export function toNodeId(ranges: readonly IdRange[], kind: "u" | "g", id: number): number {
  if (ranges.length === 0) return id;
  for (const { kind: other, inside, outside, count } of ranges)
    if (other === kind && id >= inside && id < inside + count) return id - inside + outside;
  throw new Error(`id ${id} is not mapped into the container`);
}

/** Command line prefix that runs a program under the id map (nothing for a privileged guest). */
export function underIdMap(ranges: readonly IdRange[]): string[] {
  if (ranges.length === 0) return [];
  const maps = ranges.flatMap(({ kind, inside, outside, count }) => [
    "-m",
    `${kind}:${inside}:${outside}:${count}`,
  ]);
  return ["lxc-usernsexec", ...maps, "--"];
}
