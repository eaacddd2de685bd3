/**
 * Writes what is derived from the schemas: TypeScript types. `npm run generate`; a test fails when they are stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compile } from "json-schema-to-typescript";
import type { JSONSchema } from "json-schema-to-typescript";

const root = join(import.meta.dirname, "..");

const typed = {
  phoenix_hypervisor_config: "hypervisor-config",
  phoenix_lxc_configs: "lxc-configs",
  feature_manifest: "feature-manifest",
};

/** Path relative to the repository → content. */
export async function generate(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const [schema, module] of Object.entries(typed)) {
    const text = readFileSync(join(root, "schemas", `${schema}.schema.json`), "utf8");
    const types = await compile(JSON.parse(text) as JSONSchema, module, {
      additionalProperties: false,
      bannerComment: `/** Generated from schemas/${schema}.schema.json by \`npm run generate\`; do not edit. */`,
      format: true,
      style: { printWidth: 110 },
    });
    files.set(`model/generated/${module}.ts`, types);
  }
  return files;
}

if (import.meta.main) {
  for (const [path, text] of await generate()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(path);
  }
}
