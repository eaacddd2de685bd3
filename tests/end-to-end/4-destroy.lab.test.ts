import { expect, inject, test } from "vitest";
import { Checkout } from "./checkout.ts";
import { nodeDump, urns } from "./facts.ts";

const checkout = new Checkout(inject("room"));

test("destroy brings the node back to what it was", async () => {
  const full = await nodeDump(checkout);
  const destroyed = await checkout.phoenix("destroy");
  expect(destroyed.stderr).not.toMatch(/error/i);
  expect(destroyed.code).toBe(0);
  expect(await urns(checkout)).toEqual([]);
  const after = await nodeDump(checkout);
  // The lab's own reset makes a node that no stack has ever seen; the stack's (empty) state stays.
  const reset = await checkout.run("node", [checkout.path("packages/pve-lab/src/main.ts"), "reset"]);
  expect(reset.code).toBe(0);
  const fresh = await nodeDump(checkout);
  expect(after).toBe(fresh);
  expect(full).not.toBe(fresh);
});
