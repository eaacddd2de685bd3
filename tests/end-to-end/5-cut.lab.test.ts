import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { Checkout } from "./checkout.ts";
import { cutUp } from "./cut.ts";
import { stackFacts } from "./facts.ts";
import { readTry } from "./setup.ts";

const room = inject("room");
const checkout = new Checkout(room);

const onNode = async (command: string): Promise<boolean> =>
  (await checkout.phoenix("lab", "ssh", command)).code === 0;

// Starts on the blank node that the test of destroy leaves.
test("a run that is killed inside a feature, and again while a clone runs, converges without a word", async () => {
  const inFeature = await cutUp(checkout, join(room, "cut-1.jsonl"), /902-docker$/, () =>
    onNode("pgrep -f '[f]eature_install_docker.sh apply'"),
  );
  expect(inFeature.code).not.toBe(0);
  // The lock of the dead run is its own to clear: plain `pulumi` would refuse, and say how to.
  expect((await checkout.phoenix("refresh")).stdout).toMatch(/cut off/);

  const inClone = await cutUp(checkout, join(room, "cut-2.jsonl"), /ContainerLegacy::910$/, () =>
    onNode("test -e /etc/pve/lxc/910.conf"),
  );
  expect(inClone.code).not.toBe(0);

  const { code, stdout, stderr } = await checkout.phoenix("up");
  expect(stderr).not.toMatch(/error/i);
  expect(stdout).toMatch(/cut off/);
  expect(code).toBe(0);
  expect(await stackFacts(checkout)).toEqual(readTry(room).facts);
  expect((await checkout.pulumi("preview", "--expect-no-changes")).code).toBe(0);
  expect((await checkout.phoenix("drift")).code).toBe(0);
});
