import { expect, test } from "vitest";
import { buildModel } from "../../model/index.ts";
import pending from "../../model/pending-keys.json" with { type: "json" };
import { leaves } from "../../model/schema-walk.ts";
import { schemas } from "../../model/schemas.ts";
import { base, onlyChecked, pairOf, put, served } from "./leaf-pairs.ts";
import { build, modelOf, set, sourcesOf } from "./sources.ts";

/** The list of what is still to be built may only shrink: lower the numbers with it. */
const atMost = { hypervisor: 42, lxc: 19, features: 10, applications: 14 };

test.each(served)("$key makes a difference", (item) => {
  const [first, second] = pairOf(item).map(({ hypervisor, lxc }) =>
    JSON.stringify(modelOf(buildModel(sourcesOf(hypervisor, lxc)))),
  );
  expect(first).not.toBe(second);
});

test.each(Object.entries(onlyChecked))("%s is checked", (key, [path, good, bad]) => {
  const outcomes = [good, bad].map((value) => {
    const { hypervisor, lxc } = base();
    set(lxc, ["lxc_configs", "912", "gpu_assignment"], "1");
    set(lxc, ["lxc_configs", "912", "storage_pool"], "local");
    set(lxc, ["lxc_configs", "912", "cores"], 4);
    set(lxc, ["lxc_configs", "912", "memory_mb"], 4096);
    set(lxc, ["lxc_configs", "911", "network_config", "bridge"], "vmbr9");
    put(key.startsWith("lxc ") ? lxc : hypervisor, path.split("."), value);
    return build(hypervisor, lxc).ok;
  });
  expect(outcomes).toEqual([true, false]);
});

test("the list of what is still to be built names only what the schemas know, and shrinks", () => {
  for (const file of ["hypervisor", "lxc"] as const) {
    const known = leaves(schemas[file]).map(({ pattern }) => pattern);
    expect(pending[file].filter((pattern) => !known.includes(pattern))).toEqual([]);
  }
  for (const [list, limit] of Object.entries(atMost)) {
    expect(pending[list as keyof typeof atMost].length, list).toBeLessThanOrEqual(limit);
  }
});

test("every leaf accepted for compatibility says why it has no effect", () => {
  for (const file of ["hypervisor", "lxc"] as const) {
    for (const { pattern, schema } of leaves(schemas[file])) {
      if (schema["deprecated"] !== true) continue;
      expect(schema["description"], pattern).toMatch(/Accepted for compatibility, without effect: \S.*\.$/);
    }
  }
});
