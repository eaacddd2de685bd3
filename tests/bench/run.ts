/**
 * What a run took, against what it could have taken: `node tests/bench/run.ts EVENTS STATE`, with an event log from
 * .phoenix/log and the output of `pulumi stack export` after the run. Lengths as ratios of the longest chain: seconds of
 * another machine, or of another hour, say little.
 */
import { readFileSync } from "node:fs";
import { measure, stepsOf, waitsOf } from "./critical-path.ts";

const [events, state] = process.argv.slice(2);
if (events === undefined || state === undefined) {
  process.stderr.write("usage: node tests/bench/run.ts EVENTS STATE\n");
  process.exit(2);
}
const steps = stepsOf(readFileSync(events, "utf8"));
const text = readFileSync(state, "utf8");
const { wall, chain, sum, path } = measure(steps, waitsOf(text));
const name = (urn: string): string => urn.split("::").at(-1) ?? urn;
process.stdout.write(
  [
    `steps           ${steps.length}`,
    `state           ${(text.length / 1024 / 1024).toFixed(1)} MiB`,
    `wall            ${wall} s  × ${(wall / chain).toFixed(2)}`,
    `longest chain   ${chain} s  × 1.00   ${path.map(name).join(" → ")}`,
    `one by one      ${sum} s  × ${(sum / chain).toFixed(2)}`,
    "",
  ].join("\n"),
);
