import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { small } from "../unit/sources.ts";
import { known, type Registered, runProgram } from "./harness.ts";

const HASH = "$6$salt$the.value.itself";
const KEY = "hf_the-token-itself";
let room = "";

beforeAll(() => {
  room = mkdtempSync(join(tmpdir(), "phoenix-secrets-"));
  mkdirSync(join(room, "features"));
  writeFileSync(join(room, "features/feature_keep_token.sh"), "#!/bin/sh\n", { mode: 0o755 });
  const manifest = {
    name: "keep_token",
    version: "1.0.0",
    description: "Keeps a token.",
    target: "lxc",
    parameters: { type: "object", properties: { token: { $ref: "phoenix:secret" } } },
    verbs: ["check", "apply"],
  };
  writeFileSync(join(room, "features/feature_keep_token.json"), JSON.stringify(manifest));
});
afterAll(() => rmSync(room, { recursive: true }));

/** The password of a host's user, and a token in a template. */
async function program(token: unknown, secrets: Record<string, string>): Promise<Registered[]> {
  const { hypervisor, lxc } = small();
  hypervisor["users"] = { username: "me", password_hash: { secret: "my_hash" } };
  const configs = lxc["lxc_configs"] as Record<string, { features: unknown[] }>;
  configs["900"]?.features.push({ name: "keep_token", parameters: { token } });
  const [host, containers] = [hypervisor, lxc].map((value, i) => {
    const path = join(room, `${i}.json`);
    writeFileSync(path, JSON.stringify(value, null, 2));
    return path;
  });
  const resources: Registered[] = [];
  const files = { hypervisor: [host ?? ""], lxc: [containers ?? ""], features: [join(room, "features")] };
  return await runProgram({ ...files, secrets }, resources);
}

const reference = { secret: "hf.token" };
const set = { my_hash: HASH, "hf.token": KEY };

test("a reference becomes the secret on standard input, and all that comes of it is secret", async () => {
  const resources = await program(reference, set);
  const holders = [];
  for (const { name, inputs, options } of resources) {
    const text = JSON.stringify(await known(inputs as pulumi.Input<object>));
    if (!text.includes(HASH) && !text.includes(KEY)) continue;
    holders.push(name);
    expect(await pulumi.isSecret(pulumi.output(inputs["stdin"])), name).toBe(true);
    expect(options.additionalSecretOutputs, name).toEqual(expect.arrayContaining(["stdout", "stderr"]));
    const { stdin, ...others } = inputs;
    expect(JSON.stringify(await known(others as pulumi.Input<object>))).not.toMatch(/itself/);
    expect(String(await known(stdin as pulumi.Input<string>))).not.toContain('"secret"');
  }
  expect(holders).toEqual(["user-me", "900-keep_token"]);
});

test("the record of a generation keeps the reference", async () => {
  const seal = (await program(reference, set)).find(({ name }) => name === "900-seal");
  expect(await known(seal?.inputs["stdin"] as pulumi.Input<string>)).toContain(
    '"token":{"secret":"hf.token"}',
  );
});

test("a secret that the stack lacks is an error before anything is registered", async () => {
  await expect(program(reference, { my_hash: HASH })).rejects.toThrow(
    /1\.json:\d+:\d+ error[^\n]*\n\s*the secret `hf\.token` is not set in this stack\n\s*→ pulumi config set --secret phoenix:hf\.token/,
  );
});

test("a literal is an error that names the place and not the value", async () => {
  const failure = program(KEY, set).catch((error: unknown) => String(error));
  expect(await failure).toContain("a secret stands here as a reference, never as itself");
  expect(await failure).not.toContain(KEY);
});
