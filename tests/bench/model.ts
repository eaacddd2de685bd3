/**
 * 1,000 containers loaded, checked and planned; against parsing the same text with JSON.parse, since machines differ.
 * `node tests/bench/model.ts [CONTAINERS]`
 */
import { buildModel, plan } from "../../model/index.ts";
import { modelOf, sourcesOf } from "../unit/sources.ts";
import { many } from "./many.ts";

const count = Number(process.argv[2] ?? 1000);
const { hypervisor, lxc } = many(count);
const sources = sourcesOf(hypervisor, lxc);
const text = sources.lxc[0]?.text ?? "";
const digests = Object.fromEntries(sources.scripts.map((script) => [script, script]));

function median(run: () => unknown, rounds: number): number {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
}

const start = performance.now();
const model = modelOf(buildModel(sources));
plan(model, digests);
const first = performance.now() - start;
const whole = median(() => plan(modelOf(buildModel(sources)), digests), 9);
const parse = median(() => JSON.parse(text) as unknown, 9);
console.log(`${count} containers, ${(text.length / 1024).toFixed(0)} KiB`);
console.log(
  `first run ${first.toFixed(0)} ms, then ${whole.toFixed(0)} ms; JSON.parse ${parse.toFixed(1)} ms`,
);
console.log(`ratio ${(whole / parse).toFixed(0)}`);
