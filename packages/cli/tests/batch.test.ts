import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { StepResult } from "../src/drift/node.ts";
import { capture } from "../src/lib/process.ts";

const program = readFileSync(join(import.meta.dirname, "../src/drift/batch.pl"), "utf8");

async function batch(
  groups: { id: string; command: string; input?: string }[][],
  parallel = 4,
): Promise<StepResult[]> {
  const job = JSON.stringify({ parallel, groups: groups.map((steps) => ({ steps })) });
  const { code, stdout, stderr } = await capture("perl", ["-"], { input: `${program}\n__END__\n${job}\n` });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as StepResult);
}

test("input, both outputs and the exit code of each step come back, whatever the letters", async () => {
  const results = await batch([
    [{ id: "a", command: "cat; echo grün; echo ärger >&2; exit 10", input: "näch\n" }],
  ]);
  expect(results).toEqual([{ id: "a", code: 10, stdout: "näch\ngrün\n", stderr: "ärger\n" }]);
});

test("a group runs in order, groups side by side, and long outputs do not mix", async () => {
  const long = "head -c 200000 /dev/zero | tr '\\0' x";
  const results = await batch([
    [
      { id: "a1", command: `sleep 0.4; ${long}` },
      { id: "a2", command: long },
    ],
    [{ id: "b", command: `sleep 0.4; ${long}` }],
    [{ id: "c", command: "true" }],
  ]);
  const ids = results.map(({ id }) => id);
  expect(ids[0]).toBe("c");
  expect(ids.indexOf("a1")).toBeLessThan(ids.indexOf("a2"));
  expect(results.filter(({ stdout }) => stdout.length === 200_000)).toHaveLength(3);
});

test("more groups than places, a program that is missing, and one that is killed", async () => {
  const groups = Array.from({ length: 6 }, (_, index) => [{ id: String(index), command: `exit ${index}` }]);
  const results = await batch(
    [...groups, [{ id: "no", command: "/no/such/program" }], [{ id: "kill", command: "kill -9 $$" }]],
    2,
  );
  const codes = Object.fromEntries(results.map(({ id, code }) => [id, code]));
  expect(codes).toEqual({ 0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, no: 127, kill: 137 });
});
