/** Orders what depends on each other; ties by number, so that the same input gives the same order. */
export interface Ordered {
  /** Everything that is not part of, or behind, a cycle: what is needed first comes first. */
  order: number[];
  /** Each cycle once, starting at its smallest member. */
  cycles: number[][];
}

export function order(ids: readonly number[], needs: (id: number) => readonly number[]): Ordered {
  const known = new Set(ids);
  const waiting = new Map<number, number>();
  const neededBy = new Map<number, number[]>();
  for (const id of ids) {
    const needed = [...new Set(needs(id))].filter((other) => known.has(other));
    waiting.set(id, needed.length);
    for (const other of needed) {
      const list = neededBy.get(other) ?? [];
      list.push(id);
      neededBy.set(other, list);
    }
  }
  const result: number[] = [];
  // Level by level, each level sorted: deterministic without a priority queue.
  let ready = ids.filter((id) => waiting.get(id) === 0).sort((a, b) => a - b);
  while (ready.length > 0) {
    const next: number[] = [];
    for (const id of ready) {
      result.push(id);
      for (const other of neededBy.get(id) ?? []) {
        const left = (waiting.get(other) ?? 0) - 1;
        waiting.set(other, left);
        if (left === 0) next.push(other);
      }
    }
    ready = next.sort((a, b) => a - b);
  }
  const done = new Set(result);
  const left = ids.filter((id) => !done.has(id));
  return { order: result, cycles: left.length === 0 ? [] : findCycles(left, needs) };
}

/** One cycle through each group of members that reach each other; found by walking until a member repeats. */
function findCycles(ids: readonly number[], needs: (id: number) => readonly number[]): number[][] {
  const inside = new Set(ids);
  const cycles: number[][] = [];
  const visited = new Set<number>();
  for (const start of [...ids].sort((a, b) => a - b)) {
    const path: number[] = [];
    const position = new Map<number, number>();
    let current: number | undefined = start;
    while (current !== undefined && !visited.has(current)) {
      visited.add(current);
      position.set(current, path.length);
      path.push(current);
      current = [...needs(current)].filter((other) => inside.has(other)).sort((a, b) => a - b)[0];
    }
    const from = current === undefined ? undefined : position.get(current);
    if (from !== undefined) cycles.push(rotate(path.slice(from)));
  }
  return cycles;
}

function rotate(cycle: number[]): number[] {
  const first = cycle.indexOf(Math.min(...cycle));
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}
