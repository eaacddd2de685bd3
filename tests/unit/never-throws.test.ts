import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { buildModel, formatFindings, migrate } from "../../model/index.ts";
import { findingsOf, root, small, sourcesOf, testFeatures } from "./sources.ts";
import type { Json } from "./sources.ts";

const options = { seed: 4, numRuns: 400 };

/** Whatever comes in: an answer, findings with a place, and no valid model beside an error. */
function answers(hypervisor: string, lxc: string): void {
  const files = { hypervisor: [{ path: "h.json", text: hypervisor }], lxc: [{ path: "l.json", text: lxc }] };
  const outcome = buildModel({ ...files, ...testFeatures }, { unbuilt: "warn" });
  const findings = findingsOf(outcome);
  expect(findings.some(({ severity }) => severity === "error")).toBe(!outcome.ok);
  for (const { line, column, file } of findings) {
    expect(line).toBeGreaterThan(0);
    expect(column).toBeGreaterThan(0);
    expect(["h.json", "l.json"]).toContain(file);
  }
  formatFindings(findings);
  migrate([...files.hypervisor, ...files.lxc]);
}

test("any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string(), answers), options);
});

test("any JSON", () => {
  fc.assert(fc.property(fc.json(), fc.json(), answers), options);
});

interface Hit {
  parent: Json | unknown[];
  key: string;
}

function nodes(value: unknown): Hit[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value).flatMap((key) => [
    { parent: value as Json, key },
    ...nodes((value as Json)[key]),
  ]);
}

const legacy = (name: string): string => readFileSync(join(root, "tests/fixtures/legacy", name), "utf8");

test.each([
  ["the small configuration", small()],
  [
    "the older files",
    {
      hypervisor: JSON.parse(legacy("phoenix_hypervisor_config.json")) as Json,
      lxc: JSON.parse(legacy("phoenix_lxc_configs.json")) as Json,
    },
  ],
])("%s with any value anywhere", (_, config) => {
  const wild = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom<unknown>(
      null,
      "",
      "NOT_SET",
      [],
      {},
      -1,
      1e300,
      "0",
      "900",
      [[]],
      [{}],
      { "": {} },
      "a,b",
      "\u0000",
    ),
  );
  fc.assert(
    fc.property(fc.nat(), wild, (index, value) => {
      const copy = structuredClone(config);
      const all = [...nodes(copy.hypervisor), ...nodes(copy.lxc)];
      const hit = all[index % all.length];
      if (hit !== undefined) (hit.parent as Json)[hit.key] = value;
      answers(JSON.stringify(copy.hypervisor), JSON.stringify(copy.lxc));
    }),
    options,
  );
});

test("a file cut at any place", () => {
  const text = JSON.stringify(small().lxc, null, 2);
  const { hypervisor } = sourcesOf(small().hypervisor, {});
  fc.assert(
    fc.property(fc.nat(text.length), (length) => answers(hypervisor[0]?.text ?? "", text.slice(0, length))),
    options,
  );
});

test("any shell file", () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'A="b"',
      "A=(",
      ")",
      'A["k"]="v"',
      "declare -A A=(",
      "A=${B:-$C}",
      "A=\\",
      "'",
      '"',
      "$(x)",
      "QUICKOS_POOL=a",
    ),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const { findings } = migrate([{ path: "phoenix_config.sh", text: lines.join("\n") }]);
      expect(findings.every(({ line: at }) => at >= 1 && at <= lines.length + 1)).toBe(true);
    }),
    options,
  );
});
