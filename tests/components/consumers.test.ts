import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Configuration, pairOf, served } from "../unit/leaf-pairs.ts";
import { build, modelOf } from "../unit/sources.ts";
import { known, type Registered, runProgram } from "./harness.ts";

let room = "";
/** Digests: each text holds all scripts, and hundreds of them would not fit in memory. */
const done = new Map<string, string>();

const traces = Error.stackTraceLimit;

beforeAll(() => {
  Error.stackTraceLimit = 0; // the SDK takes one for each promise, which is most of the time of these many runs
  room = mkdtempSync(join(tmpdir(), "phoenix-consumers-"));
  mkdirSync(join(room, "features"));
  writeFileSync(join(room, "features/feature_own_thing.sh"), "#!/bin/sh\n", { mode: 0o755 });
});
afterAll(() => {
  Error.stackTraceLimit = traces;
  rmSync(room, { recursive: true });
});

/** What the whole program asks the engine for, as text. */
async function request({ hypervisor, lxc }: Configuration): Promise<string> {
  const texts = [hypervisor, lxc].map((value) => JSON.stringify(value));
  const paths = ["hypervisor.json", "lxc.json"].map((name, i) => {
    writeFileSync(join(room, name), texts[i] ?? "");
    return join(room, name);
  });
  const [host = "", containers = ""] = paths;
  const registered = await runProgram({
    hypervisor: [host],
    lxc: [containers],
    features: [join(room, "features")],
    // An older generation, for what is rolled.
    node: (path) =>
      path === "/storage"
        ? storagesOf({ hypervisor, lxc })
        : path.endsWith("/content?content=vztmpl")
          ? imagesOf({ hypervisor, lxc })
          : path.endsWith("/911/config")
            ? { description: "phoenix stack=dev vmid=911 incarnation=0123456789abcdef recipe=0d" }
            : undefined,
    secrets: { one_secret: "one", other_secret: "other" },
  });
  return JSON.stringify(await Promise.all(registered.map(plain)), null, 1);
}

/** What is declared existing is there. */
function storagesOf({ hypervisor, lxc }: Configuration): object[] {
  const { host } = modelOf(build(hypervisor, lxc));
  const { storages } = host;
  return storages.map(({ id, type, content }) => ({ storage: id, type, content: content.join(",") }));
}

function imagesOf({ hypervisor, lxc }: Configuration): object[] {
  const { host } = modelOf(build(hypervisor, lxc));
  return host.osTemplates.map(({ storage, fileName }) => ({ volid: `${storage}:vztmpl/${fileName}` }));
}

/** A digest of that, made once for each configuration. */
async function digestOf(configuration: Configuration): Promise<string> {
  const key = sha256(JSON.stringify(configuration));
  const digest = done.get(key) ?? sha256(await request(configuration));
  done.set(key, digest);
  return digest;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Without what is no effect of its own: the mark is random, written once, and names the recipe. */
async function plain({ type, name, inputs, options }: Registered): Promise<object> {
  const rest = Object.entries(inputs).filter(([key]) => key !== "description" && key !== "triggers");
  const { dependsOn, deletedWith, replaceOnChanges, protect } = options;
  const trigger = options.replacementTrigger as unknown;
  return {
    type,
    name,
    inputs: await known(Object.fromEntries(rest)),
    dependsOn: [dependsOn].flat().map(nameOf),
    deletedWith: nameOf(deletedWith),
    trigger,
    replaceOnChanges,
    protect,
  };
}

const nameOf = (resource: unknown): string => (resource as { __name?: string } | undefined)?.__name ?? "";

test("the same configuration asks for the same", async () => {
  const [first] = served;
  if (first === undefined) throw new Error("no leaf");
  const [one] = pairOf(first);
  const asked = await request(one);
  expect(await request(one)).toBe(asked);
  expect(asked).toContain('"912-settings"');
});

test.each(served)("$key reaches the engine", async (item) => {
  const [first, second] = pairOf(item);
  expect(await digestOf(first)).not.toBe(await digestOf(second));
});
