import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildModel, formatFindings } from "../../model/index.ts";
import type { SourceFile } from "../../model/types.ts";
import { findingsOf, root, testFeatures } from "./sources.ts";

/** `<case>.host.json` or `<case>.lxc.json` is broken, the other file is the valid one; `expected/broken/<case>.txt` is what is said. */
const folder = join(root, "tests/fixtures/broken");
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
const cases = files.filter((name) => !name.startsWith("valid."));
const read = (name: string): SourceFile => ({ path: name, text: readFileSync(join(folder, name), "utf8") });

function outcomeOf(host: string, lxc: string): ReturnType<typeof buildModel> {
  return buildModel({ hypervisor: [read(host)], lxc: [read(lxc)], ...testFeatures });
}

test("the valid pair is valid", () => {
  expect(formatFindings(findingsOf(outcomeOf("valid.host.json", "valid.lxc.json")))).toBe(
    "0 errors, 0 warnings",
  );
});

test.each(cases)("%s", async (name) => {
  const isHost = name.endsWith(".host.json");
  const outcome = outcomeOf(isHost ? name : "valid.host.json", isHost ? "valid.lxc.json" : name);
  const findings = findingsOf(outcome);
  expect(outcome.ok).toBe(false);
  expect(findings.some(({ severity }) => severity === "error")).toBe(true);
  await expect(formatFindings(findings) + "\n").toMatchFileSnapshot(
    `./expected/broken/${name.replace(".json", "")}.txt`,
  );
});
