/** A unified diff of two texts, as `diff -u` writes it; empty if they are equal. */
export function unifiedDiff(before: string, after: string, path: string): string {
  if (before === after) return "";
  const context = 3;
  const steps = compare(toLines(before), toLines(after));
  const out = [`--- ${path}`, `+++ ${path} (modern)`];
  let i = 0;
  while (i < steps.length) {
    if (steps[i]?.kind === " ") {
      i++;
      continue;
    }
    const start = Math.max(0, i - context);
    let end = i;
    let last = i;
    // Changes with few equal lines between them belong together.
    while (end < steps.length && end - last <= 2 * context + 1) {
      if (steps[end]?.kind !== " ") last = end;
      end++;
    }
    end = Math.min(steps.length, last + context + 1);
    const hunk = steps.slice(start, end);
    const count = (kind: "-" | "+", part: readonly Step[]): number =>
      part.filter((step) => step.kind !== kind).length;
    const oldStart = count("+", steps.slice(0, start)) + 1;
    const newStart = count("-", steps.slice(0, start)) + 1;
    out.push(`@@ -${oldStart},${count("+", hunk)} +${newStart},${count("-", hunk)} @@`);
    out.push(...hunk.map((step) => step.kind + step.line));
    i = end;
  }
  return out.join("\n") + "\n";
}

interface Step {
  kind: " " | "-" | "+";
  line: string;
}

function toLines(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Longest common subsequence of what is left between equal beginnings and ends. */
function compare(a: readonly string[], b: readonly string[]): Step[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (
    tail < a.length - head &&
    tail < b.length - head &&
    a[a.length - 1 - tail] === b[b.length - 1 - tail]
  )
    tail++;
  const same = (line: string): Step => ({ kind: " ", line });
  const middleA = a.slice(head, a.length - tail);
  const middleB = b.slice(head, b.length - tail);
  return [...a.slice(0, head).map(same), ...middle(middleA, middleB), ...a.slice(a.length - tail).map(same)];
}

function middle(a: readonly string[], b: readonly string[]): Step[] {
  const removed = (line: string): Step => ({ kind: "-", line });
  const added = (line: string): Step => ({ kind: "+", line });
  // A table beyond this size costs more than a diff of such length is worth.
  if (a.length * b.length > 4_000_000) return [...a.map(removed), ...b.map(added)];
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const steps: Step[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const lineA = a[i];
    const lineB = b[j];
    if (lineA !== undefined && lineA === lineB) {
      steps.push({ kind: " ", line: lineA });
      i++;
      j++;
    } else if (lineB === undefined || (lineA !== undefined && at(i + 1, j) >= at(i, j + 1))) {
      steps.push(removed(lineA ?? ""));
      i++;
    } else {
      steps.push(added(lineB));
      j++;
    }
  }
  return steps;
}
