import { expect, test } from "vitest";
import { buildModel, plan } from "../../model/index.ts";
import type { Model } from "../../model/types.ts";
import { validator } from "../../model/schemas.ts";
import { breaking, harmless } from "./mutators.ts";
import { Random, randomConfig } from "./random-config.ts";
import type { Config } from "./random-config.ts";
import { brief, findingsOf, modelOf, sourcesOf, testFeatures } from "./sources.ts";

const seed = Number(process.env["PHOENIX_SEED"] ?? 20261123);
const runs = Number(process.env["PHOENIX_MUTATIONS"] ?? 10_000);
const digests = Object.fromEntries(testFeatures.scripts.map((script) => [script, script]));

function planText(model: Model): string {
  const { nodes, edges, recipes } = plan(model, digests);
  return JSON.stringify([nodes, edges, [...recipes]]);
}

function schemaAccepts(config: Config): boolean {
  return validator("hypervisor")(config.hypervisor) && validator("lxc")(config.lxc);
}

test("the mutators: enough of them, and at least half schema-valid", () => {
  expect(breaking.length).toBeGreaterThanOrEqual(15);
  expect(breaking.filter(({ schemaValid }) => schemaValid).length).toBeGreaterThanOrEqual(
    breaking.length / 2,
  );
});

test(`${runs} mutations, seed ${seed}`, { timeout: 120_000 }, () => {
  const random = new Random(seed);
  const counts = new Map<string, number>();
  for (let i = 0; i < runs; i++) {
    const config = randomConfig(random);
    const mutator = random.chance(80) ? random.pick(breaking) : random.pick(harmless);
    const where = `run ${i}, ${mutator.name}`;
    if (i % 50 === 0) {
      const sound = modelOf(buildModel(sourcesOf(config.hypervisor, config.lxc)));
      const again = modelOf(buildModel(sourcesOf(config.hypervisor, config.lxc)));
      expect(planText(again), where).toBe(planText(sound));
    }
    const place = mutator.apply(config, random);
    if (place === undefined) continue;
    counts.set(mutator.name, (counts.get(mutator.name) ?? 0) + 1);
    if (i % 10 === 0) expect(schemaAccepts(config), where).toBe(mutator.schemaValid);
    const outcome = buildModel(sourcesOf(config.hypervisor, config.lxc));
    const errors = findingsOf(outcome).filter(({ severity }) => severity === "error");
    if (harmless.includes(mutator)) {
      expect(errors.map(brief), where).toEqual([]);
      continue;
    }
    const hit = errors.some(({ file, pointer }) => file === place.file && pointer === place.pointer);
    // The message is only put together when it is needed.
    if (!hit)
      expect.fail(`${where}: nothing at ${place.file} ${place.pointer}\n${errors.map(brief).join("\n")}`);
  }
  const table = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  console.log(table.map(([name, count]) => `${String(count).padStart(5)}  ${name}`).join("\n"));
  expect(table.map(([name]) => name)).toEqual([...breaking, ...harmless].map(({ name }) => name).sort());
});
