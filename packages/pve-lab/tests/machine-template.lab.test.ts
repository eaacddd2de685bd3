import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { ensureTemplate, imageAt } from "../src/image/build.ts";
import { templateName } from "../src/image/recipe.ts";
import { cacheDirectory } from "../src/machine/lab.ts";
import { machineRecipe } from "../src/machine/machine-apt.ts";

const scratch = mkdtempSync("/var/tmp/phoenix-template-test-");

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function build(cache: string): Promise<{ digest: string; versions: string }> {
  const recipe = await machineRecipe();
  const image = imageAt(cache, recipe);
  await ensureTemplate(image, recipe, () => undefined);
  const file = path.join(image.template, templateName);
  const status = execFileSync("tar", ["--zstd", "-xOf", file, "./var/lib/dpkg/status"], {
    maxBuffer: 1 << 26,
  });
  const versions = status.toString("utf8").match(/^(Package|Version): .*$/gm) ?? [];
  expect(versions.length).toBeGreaterThan(100);
  return {
    digest: createHash("sha256").update(readFileSync(file)).digest("hex"),
    versions: versions.join("\n"),
  };
}

it("two builds of the OS template from the same package versions are the same bytes", async () => {
  const aside = await build(path.join(scratch, "one"));
  const cached = await build(cacheDirectory());
  // The mirror may have moved since the cached one was built: then a second build aside is the one to compare with.
  const other = cached.versions === aside.versions ? cached : await build(path.join(scratch, "two"));
  expect(other.versions).toBe(aside.versions);
  expect(other.digest).toBe(aside.digest);
}, 900_000);
