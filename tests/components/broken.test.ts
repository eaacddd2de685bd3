import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, expect, test } from "vitest";
import { formatFindings } from "../../model/index.ts";
import { chosenOutcome } from "../../packages/cli/src/lib/configuration.ts";
import { type Registered, runProgram } from "./harness.ts";

const room = mkdtempSync(join(tmpdir(), "phoenix-broken-"));
afterAll(() => rmSync(room, { recursive: true }));

const hypervisor = ["etc/phoenix_hypervisor_config.json", "etc/dev/hypervisor.json"];
const base = "etc/phoenix_lxc_configs.json";
const container = (config: object): string => JSON.stringify({ lxc_configs: { "910": config } });

const broken: [string, string | undefined, string][] = [
  ["a missing file", undefined, "the file does not exist"],
  ["an empty file", "", "the file is empty"],
  ["a syntax error", '{ "lxc_configs": {', "the closing brace `}` is missing"],
  ["a schema error", container({ memoy_mb: 1 }), "`memory_mb`"],
  ["a cross-check error", container({ clone_from_ctid: "999" }), "999"],
];

test.each(broken)(
  "%s: the run fails with all that `validate` says, and registers nothing",
  async (_, text, said) => {
    const overlay = join(room, text === undefined ? "missing.json" : "overlay.json");
    if (text !== undefined) writeFileSync(overlay, text);
    const files = { hypervisor, lxc: [base, overlay] };
    const outcome = chosenOutcome(files);
    if (outcome.ok) throw new Error("it is valid");
    const registered: Registered[] = [];
    const error = await runProgram(files, registered).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(pulumi.RunError.isInstance(error), String(error)).toBe(true);
    expect((error as pulumi.RunError).message).toContain(formatFindings(outcome.findings));
    expect((error as pulumi.RunError).message).toContain(said);
    expect(registered).toEqual([]);
  },
);

test("the same files without the overlay register the machine", async () => {
  const registered = await runProgram({ hypervisor, lxc: [base, "etc/dev/lxc.json"] });
  expect(registered.length).toBeGreaterThan(15);
});
