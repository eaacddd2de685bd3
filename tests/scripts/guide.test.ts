import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, onTestFinished, test } from "vitest";
import { Bench, root } from "./run-script.ts";

test("the feature in the guide works as it is printed there", () => {
  const guide = readFileSync(join(root, "docs/guides/your-own-feature.md"), "utf8");
  const block = (language: string, start: string) =>
    [...guide.matchAll(/```(\w+)\n([^]*?)```/g)].find(
      ([, name, text]) => name === language && text?.startsWith(start),
    )?.[2] ?? "";
  const manifest = block("json", '{\n  "$schema"');
  const schema = JSON.parse(
    readFileSync(join(root, "schemas/feature_manifest.schema.json"), "utf8"),
  ) as object;
  expect(new Ajv2020({ strictTypes: false }).validate(schema, JSON.parse(manifest))).toBe(true);

  const bench = new Bench();
  onTestFinished(() => bench.close());
  const folder = join(bench.folder, "version");
  mkdirSync(folder);
  cpSync(join(root, "bin/lib"), join(folder, "lib"), { recursive: true });
  const script = join(folder, "feature_set_motd.sh");
  writeFileSync(script, block("bash", "#!"));
  writeFileSync(join(folder, "feature_set_motd.json"), manifest);
  chmodSync(script, 0o755);

  bench.guest({ description: "phoenix stack=dev vmid=101 incarnation=0123456789abcdef recipe=-" });
  for (const verb of ["check", "apply", "remove"]) {
    expect(bench.shell(script, [verb], JSON.stringify({ stack: "dev", ctid: 101 }))).toMatchObject({
      code: 0,
    });
  }
  // The default of the manifest, as an argument.
  const runs = bench.calls().filter(([, verb]) => verb === "exec");
  expect(runs.map((call) => call.slice(-2))).toEqual([
    ["phoenix", "welcome"],
    ["phoenix", "welcome"],
  ]);
});
