import type { IdRange } from "./types.ts";

/** An exception as it is written: ids that the container shares with the host. */
export interface SharedIds {
  type: "uid" | "gid";
  container_id: number;
  host_id: number;
  size?: number;
}

/** The usual map of Proxmox VE: ids of the host that every unprivileged guest gets. */
const FIRST = 100_000;
const COUNT = 65_536;

/** The usual map of Proxmox VE with holes for what is shared; none without exceptions, since that map is the default. */
export function idRanges(shared: readonly SharedIds[]): IdRange[] {
  if (shared.length === 0) return [];
  return (["u", "g"] as const).flatMap((kind) => rangesOf(kind, shared));
}

function rangesOf(kind: IdRange["kind"], shared: readonly SharedIds[]): IdRange[] {
  const holes = shared
    .filter(({ type }) => type.startsWith(kind))
    .map(({ container_id, host_id, size = 1 }) => ({ inside: container_id, outside: host_id, count: size }))
    .sort((a, b) => a.inside - b.inside);
  const ranges: IdRange[] = [];
  let next = 0;
  const fill = (until: number): void => {
    if (until > next) ranges.push({ kind, inside: next, outside: FIRST + next, count: until - next });
  };
  for (const hole of holes) {
    fill(hole.inside);
    ranges.push({ kind, ...hole });
    next = hole.inside + hole.count;
  }
  fill(COUNT);
  return ranges;
}

/** Ids outside the usual map, which the node's root has to be allowed to give away (`/etc/subuid`, `/etc/subgid`). */
export function subordinateIds(
  ranges: readonly IdRange[],
): { kind: IdRange["kind"]; first: number; count: number }[] {
  return ranges
    .filter(({ outside }) => outside < FIRST || outside >= FIRST + COUNT)
    .map(({ kind, outside, count }) => ({ kind, first: outside, count }));
}

/** Two exceptions that speak of the same id in the container; one that reaches beyond its ids. */
export function idMapProblem(shared: readonly SharedIds[]): { index: number; message: string } | undefined {
  for (const [index, { type, container_id: first, size = 1 }] of shared.entries()) {
    if (first + size > COUNT)
      return { index, message: `it ends at ${first + size - 1}; a container has ${COUNT} ids` };
    const other = shared.findIndex(
      (one, i) =>
        i < index &&
        one.type === type &&
        one.container_id < first + size &&
        first < one.container_id + (one.size ?? 1),
    );
    if (other >= 0) return { index, message: `${type} ${first} of the container is mapped twice` };
  }
  return undefined;
}

/** The host's id of one inside a container. */
export function hostId(
  { unprivileged, idMaps }: { unprivileged: boolean; idMaps: readonly IdRange[] },
  kind: IdRange["kind"],
  id: number,
): number {
  if (!unprivileged) return id;
  const range = idMaps.find((one) => one.kind === kind && id >= one.inside && id < one.inside + one.count);
  return range === undefined ? FIRST + id : range.outside + id - range.inside;
}
