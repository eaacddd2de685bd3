/** What there is to know about features, from their manifests: a page to read and a schema for editors. */
import { Findings } from "./findings.ts";
import type { FeatureManifestFile } from "./generated/feature-manifest.ts";
import { readCatalogue } from "./manifests.ts";
import { schemas } from "./schemas.ts";
import type { FeatureManifest, Finding, Sources } from "./types.ts";

export interface FeatureList {
  /** By name; one without a manifest is level 0. */
  features: { name: string; script: string; manifest?: FeatureManifest }[];
  findings: Finding[];
}

/** Every feature that a container of these sources can name, a person's own among them. */
export function listFeatures(sources: Sources): FeatureList {
  const findings = new Findings();
  const { lxc } = readCatalogue(sources, findings);
  const features = [...lxc.values()]
    .map(({ name, script, manifest }) => ({ name, script, ...(manifest === undefined ? {} : { manifest }) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { features, findings: findings.list };
}

/** One feature as a section of Markdown. */
export function featureSection(
  { name, version, description, needs = {}, context = [], verbs, parameters }: FeatureManifestFile,
  script: string,
): string[] {
  const needed = Object.entries(needs)
    .filter(([, value]) => value !== false && String(value) !== "")
    .map(([key, value]) => (value === true ? key : `${key} ${String(value)}`));
  return [
    `## ${name}`,
    "",
    description,
    "",
    `- script: \`${script}\`, version ${version}`,
    `- verbs: ${verbs.join(", ")}`,
    ...(needed.length > 0 ? [`- needs: ${needed.join(", ")}`] : []),
    ...(context.length > 0 ? [`- is told: ${context.join(", ")}`] : []),
    "",
    "```json",
    JSON.stringify(parameters, null, 2),
    "```",
  ];
}

/** The page of all features. */
export function featurePage({ features }: FeatureList): string {
  const sections = features.flatMap(({ name, script, manifest }) =>
    manifest === undefined
      ? [
          `## ${name}`,
          "",
          "An executable without a manifest (level 0): it gets the CTID, runs again when it or its parameters change, and cannot be checked.",
          "",
          `- script: \`${script}\``,
          "",
        ]
      : [...featureSection(manifest, script), ""],
  );
  return ["# Features", "", ...sections].join("\n");
}

/** The schema of the container file in which `features` names these features and knows their parameters. */
export function featureSchema({ features }: FeatureList): object {
  const schema = structuredClone(schemas.lxc) as unknown as {
    $id?: string;
    $defs: { secret: object; container: { properties: { features: { items: object } } } };
  };
  schema.$defs.container.properties.features.items = {
    anyOf: [
      { type: "string", enum: features.map(({ name }) => name) },
      ...features.map(({ name, manifest }) => ({
        type: "object",
        additionalProperties: false,
        required: ["name"],
        ...(manifest === undefined ? {} : { description: manifest.description }),
        properties: { name: { const: name }, parameters: manifest?.parameters ?? { type: "object" } },
      })),
    ],
  };
  delete schema.$id;
  // Manifests name a reference to a secret by a word of Phoenix's own, which editors do not know.
  schema.$defs.secret = schemas.hypervisor.$defs.secret;
  const text = JSON.stringify(schema).replaceAll('"phoenix:secret"', '"#/$defs/secret"');
  return JSON.parse(text) as object;
}
