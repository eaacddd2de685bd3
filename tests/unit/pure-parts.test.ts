import fc from "fast-check";
import { expect, test } from "vitest";
import {
  formatAddress,
  hostProblem,
  parseAddress,
  parseCidr,
  sameSubnet,
  subnet,
} from "../../model/address.ts";
import { unifiedDiff } from "../../model/diff.ts";
import { order } from "../../model/order.ts";
import { bytes } from "../../model/quota-checks.ts";
import { recipeDigest } from "../../model/index.ts";
import { canonical } from "../../model/recipe.ts";
import { fromPointer, toPointer } from "../../model/text.ts";
import { buildModel } from "../../model/index.ts";
import type { ContainerSpec } from "../../model/types.ts";
import { modelOf, reference } from "./sources.ts";

const seed = 11;

test("order: everything needed comes first, and what is left out stands in or behind a circle", () => {
  const graph = fc.array(fc.tuple(fc.nat(12), fc.nat(12)), { maxLength: 30 });
  fc.assert(
    fc.property(graph, (edges) => {
      const ids = [...Array(13).keys()];
      const needs = (id: number): number[] => edges.filter(([from]) => from === id).map(([, to]) => to);
      const { order: placed, cycles } = order(ids, needs);
      for (const id of placed) {
        for (const other of needs(id)) expect(placed.indexOf(other)).toBeLessThan(placed.indexOf(id));
      }
      expect(cycles.length === 0).toBe(placed.length === ids.length);
      for (const cycle of cycles) {
        cycle.forEach((id, i) => expect(needs(id)).toContain(cycle[(i + 1) % cycle.length]));
        expect(cycle[0]).toBe(Math.min(...cycle));
      }
    }),
    { seed },
  );
});

test("addresses: written and read again, and subnets hold what they should", () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.nat(32), (address, prefix) => {
      const text = formatAddress(address);
      expect(parseAddress(text)).toBe(address);
      const cidr = parseCidr(`${text}/${prefix}`);
      expect(sameSubnet(cidr, parseCidr(subnet(cidr)).address)).toBe(true);
      if (prefix > 0) expect(sameSubnet(cidr, (address + 2 ** (32 - prefix)) % 2 ** 32)).toBe(false);
    }),
    { seed },
  );
  expect(hostProblem(parseCidr("10.0.0.0/24"))).toContain("subnet itself");
  expect(hostProblem(parseCidr("10.0.0.255/24"))).toContain("broadcast");
  expect(hostProblem(parseCidr("10.0.0.0/31"))).toBeUndefined();
});

test("pointers: any key survives", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (path) => {
      expect(fromPointer(toPointer(path))).toEqual(path);
    }),
    { seed },
  );
});

test("a diff contains exactly the lines that are removed and added", () => {
  const lines = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 20 });
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const text = (all: string[]): string => all.map((line) => line + "\n").join("");
      const diff = unifiedDiff(text(before), text(after), "f").split("\n").slice(2);
      const count = (sign: string): number => diff.filter((line) => line.startsWith(sign)).length;
      expect(before.length - count("-")).toBe(after.length - count("+"));
      expect(diff.length <= 1).toBe(text(before) === text(after));
      // Applied, the diff gives the new text.
      let position = 0;
      const result: string[] = [];
      for (const line of diff) {
        const hunk = /^@@ -(\d+)/.exec(line)?.[1];
        if (hunk !== undefined) while (position < Number(hunk) - 1) result.push(before[position++] ?? "");
        else if (line.startsWith("+")) result.push(line.slice(1));
        else if (line.startsWith("-")) position++;
        else if (line.startsWith(" ")) result.push(before[position++] ?? "");
      }
      expect([...result, ...before.slice(position)]).toEqual(after);
    }),
    { seed, numRuns: 1000 },
  );
});

test("sizes as ZFS writes them", () => {
  expect([bytes("1K"), bytes("1.5G"), bytes("2t"), bytes("none"), bytes(undefined)]).toEqual([
    1024,
    1.5 * 1024 ** 3,
    2 * 1024 ** 4,
    undefined,
    undefined,
  ]);
});

test("the same meaning is the same text", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse());
      expect(canonical(reversed)).toBe(canonical(value));
    }),
    { seed },
  );
});

test("a recipe: what is baked in counts, what a clone brings itself does not", () => {
  const { templates } = modelOf(buildModel(reference("dev")));
  const [base] = templates;
  if (base === undefined) throw new Error("no template");
  const digests = { "bin/lxc/feature_setup_base.sh": "1" };
  const digest = (change: Partial<ContainerSpec>): string =>
    recipeDigest({ ...base, ...change }, undefined, digests);
  const before = digest({});
  expect(before).toMatch(/^[0-9a-f]{16}$/);
  expect(digest({ name: "other", memoryMb: 4096, cores: 8, network: [], nameserver: "1.1.1.1" })).toBe(
    before,
  );
  expect(digest({ rootfs: { ...base.rootfs, sizeGb: 5 } })).not.toBe(before);
  expect(digest({ unprivileged: false })).not.toBe(before);
  expect(digest({ settings: { ...base.settings, fuse: true } })).not.toBe(before);
  expect(digest({ features: [] })).not.toBe(before);
  expect(digest({ features: base.features.map((f) => ({ ...f, parameters: { x: 1 } })) })).not.toBe(before);
  const image = { kind: "os-template", template: "t", volid: "v", image: "other.tar.zst" } as const;
  expect(digest({ source: image })).not.toBe(before);
  expect(() => recipeDigest(base, undefined, {})).toThrow("bin/lxc/feature_setup_base.sh");
});
