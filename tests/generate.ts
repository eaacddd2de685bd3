/**
 * Writes what is derived from schemas and manifests: TypeScript types and pages of reference. `npm run generate`; a test fails when they are stale.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compile } from "json-schema-to-typescript";
import type { JSONSchema } from "json-schema-to-typescript";
import type { FeatureManifestFile } from "../model/generated/feature-manifest.ts";
import { featureSection } from "../model/feature-pages.ts";
import { defaults, rules } from "../model/inherit.ts";
import type { Rule } from "../model/inherit.ts";
import type { Schema } from "../model/schema-walk.ts";
import unserved from "../model/legacy/unserved-keys.json" with { type: "json" };
import pending from "../model/pending-keys.json" with { type: "json" };
import { generatedNote, schemaPage } from "./reference-pages.ts";

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
    const types = await compile(readJson(`schemas/${schema}.schema.json`) as JSONSchema, module, {
      additionalProperties: false,
      bannerComment: `/** Generated from schemas/${schema}.schema.json by \`npm run generate\`; do not edit. */`,
      format: true,
      style: { printWidth: 110 },
    });
    files.set(`model/generated/${module}.ts`, types);
  }
  for (const [path, { schema, title, intro }] of Object.entries(pages)) {
    files.set(path, schemaPage(readJson(schema) as Schema, title, intro));
  }
  files.set("docs/reference/inheritance.md", inheritancePage());
  files.set("docs/reference/features.md", featuresPage());
  files.set("docs/reference/older-files.md", olderFilesPage());
  return files;
}

const pages = {
  "docs/reference/hypervisor-file.md": {
    schema: "schemas/phoenix_hypervisor_config.schema.json",
    title: "The hypervisor file",
    intro:
      'What can stand in `phoenix_hypervisor_config.json`. Keys that are "without effect" are accepted for files of the systems before this one, and warned about.',
  },
  "docs/reference/container-file.md": {
    schema: "schemas/phoenix_lxc_configs.schema.json",
    title: "The container file",
    intro:
      "What can stand in `phoenix_lxc_configs.json`. What a clone has from its template stands in [inheritance](inheritance.md).",
  },
  "docs/reference/feature-manifest.md": {
    schema: "schemas/feature_manifest.schema.json",
    title: "The feature manifest",
    intro: "The JSON file beside a feature script.",
  },
};

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

function inheritancePage(): string {
  const words: Record<Rule, string> = {
    inherit: "from the nearest template below that says it, if the container does not",
    own: "only what the container itself says",
    add: "the parts of all templates below, base first, then its own",
  };
  const rows = Object.entries(rules).map(([key, rule]) => {
    const value = defaults[key] === undefined ? "" : `\`${JSON.stringify(defaults[key])}\``;
    return `| \`${key}\` | ${rule} | ${words[rule]} | ${value} |`;
  });
  const intro = [
    "Values come from the defaults, then along the chain of templates, then from the container itself.",
    "`bin/phoenix show CTID` prints the result with the origin of every value.",
    "What a feature needs of its container (nesting, keyctl, fuse) is added without being asked.",
  ];
  const head = ["| key | rule | meaning | default |", "| --- | --- | --- | --- |"];
  return ["# Inheritance", "", ...intro, "", generatedNote, "", ...head, ...rows].join("\n") + "\n";
}

/** What a key of an older file, or one whose consumer is still to be built, does. */
function olderFilesPage(): string {
  const bullets = (names: readonly string[]): string[] => names.map((name) => `- \`${name}\``);
  const files = [
    ["The hypervisor file", "hypervisor"],
    ["The container file", "lxc"],
  ] as const;
  return (
    [
      "# Files of the earlier systems",
      "",
      "Older spellings whose meaning is unambiguous are read as today's, each with a warning; `bin/phoenix migrate FILE...` writes them so.",
      "A key that no revision knew is an error.",
      "",
      generatedNote,
      "",
      "## Understood and checked, nothing acts on it yet",
      ...files.flatMap(([title, file]) => ["", `### ${title}`, "", ...bullets(pending[file])]),
      "",
      "### Features and applications without a script",
      "",
      "Left out with a warning by `validate`, refused by a preview.",
      "",
      ...bullets([...pending.features, ...pending.applications]),
      "",
      "## Keys of some revision that are not served",
      "",
      "Named in a warning and left out.",
      ...files.flatMap(([title, file]) => ["", `### ${title}`, "", ...bullets(unserved[file])]),
    ].join("\n") + "\n"
  );
}

/** One section for each manifest of the repository's own scripts. */
function featuresPage(): string {
  const lines = ["# Features", "", "The features that come with Phoenix.", "", generatedNote];
  for (const folder of ["bin/hypervisor", "bin/lxc"]) {
    for (const name of readdirSync(join(root, folder)).sort()) {
      if (!name.endsWith(".json")) continue;
      const manifest = readJson(`${folder}/${name}`) as FeatureManifestFile;
      lines.push("", ...featureSection(manifest, `${folder}/${name.replace(/json$/, "sh")}`));
    }
  }
  return lines.join("\n") + "\n";
}

if (import.meta.main) {
  for (const [path, text] of await generate()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(path);
  }
}
