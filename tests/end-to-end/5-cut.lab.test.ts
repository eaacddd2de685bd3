import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, inject, test } from "vitest";
import { Checkout } from "./checkout.ts";
import { creating, cutUp } from "./cut.ts";
import { stackFacts } from "./facts.ts";
import { readTry } from "./setup.ts";

const room = inject("room");
const checkout = new Checkout(room);

const onNode = async (command: string): Promise<boolean> =>
  (await checkout.phoenix("lab", "ssh", command)).code === 0;

/** One more `up`, without a word from anybody, makes what an uninterrupted run makes. */
async function converges(): Promise<void> {
  const { code, stdout, stderr } = await checkout.phoenix("up");
  expect(stderr).not.toMatch(/error/i);
  expect(stdout).toMatch(/cut off/);
  expect(code).toBe(0);
  expect(await stackFacts(checkout)).toEqual(readTry(room).facts);
  expect((await checkout.pulumi("preview", "--expect-no-changes")).code).toBe(0);
  expect((await checkout.phoenix("drift")).code).toBe(0);
}

// Starts on the blank node that the test of destroy leaves.
test("a run that is killed inside a feature, and again while a clone runs, converges without a word", async () => {
  const inFeature = await cutUp(
    checkout,
    join(room, "cut-1.jsonl"),
    creating(/902-docker$/, () => onNode("pgrep -f '[f]eature_install_docker.sh apply'")),
  );
  expect(inFeature.ended).toBe(false);
  // The lock of the dead run is its own to clear: plain `pulumi` would refuse, and say how to.
  expect((await checkout.phoenix("refresh")).stdout).toMatch(/cut off/);

  const inClone = await cutUp(
    checkout,
    join(room, "cut-2.jsonl"),
    creating(/ContainerLegacy::910$/, () => onNode("grep -q '^lock: create' /etc/pve/lxc/910.conf")),
  );
  expect(inClone.ended).toBe(false);
  await converges();
});

if (process.env["PHOENIX_TEST_FULL"]) {
  const seed = Number(process.env["PHOENIX_TEST_SEED"] ?? Date.now() % 2 ** 31);
  process.stdout.write(`seed of the cuts: ${seed} (PHOENIX_TEST_SEED=${seed})\n`);
  const random = numbersFrom(seed);
  for (let round = 1; round <= 12; round += 1) {
    const [share, wait] = [random(), Math.floor(random() * 4000)];
    test(`cut ${round}, at ${(share * 100).toFixed(0)} % of the steps and ${wait} ms, converges`, async () => {
      expect((await checkout.phoenix("destroy")).code).toBe(0);
      const steps = Math.ceil(share * readTry(room).facts.urns.length);
      const cut = await cutUp(checkout, join(room, `cut-full-${round}.jsonl`), async (begun) => {
        if (begun.length < steps) return false;
        await sleep(wait);
        return true;
      });
      if (cut.ended) expect(cut.code).toBe(0);
      else await converges();
    });
  }
}

/** Numbers in [0, 1) that depend on the seed only (mulberry32). */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
