import type { Findings } from "./findings.ts";
import { Locator } from "./locate.ts";
import { explainErrors } from "./schema-errors.ts";
import { compileParameters, schemas, validator } from "./schemas.ts";
import type { ValidateFunction } from "./schemas.ts";
import { parseFile } from "./text.ts";
import type { FeatureManifest, SourceFile, Sources } from "./types.ts";

/** What a name in `features` can stand for. */
export interface KnownFeature {
  name: string;
  script: string;
  manifest?: FeatureManifest;
  /** Fills in defaults. */
  validate?: ValidateFunction;
}

export interface Catalogue {
  lxc: Map<string, KnownFeature>;
  manifests: FeatureManifest[];
  scripts: ReadonlySet<string>;
}

/** Reads the manifests and pairs them with the scripts that exist. */
export function readCatalogue(sources: Sources, findings: Findings): Catalogue {
  const scripts = new Set(sources.scripts);
  const catalogue: Catalogue = { lxc: new Map(), manifests: [], scripts };
  const owners = new Map<string, string>();
  for (const source of sources.features) {
    const feature = readManifest(source, scripts, findings);
    if (feature?.manifest === undefined) continue;
    const key = `${feature.manifest.target} ${feature.name}`;
    const other = owners.get(key);
    if (other !== undefined) {
      const file = parseFile(source).file;
      const locator = new Locator(file === undefined ? [] : [file]);
      findings.add(locator, ["name"], `the feature \`${feature.name}\` is declared twice; also in ${other}`);
      continue;
    }
    owners.set(key, source.path);
    catalogue.manifests.push(feature.manifest);
    if (feature.manifest.target === "lxc") catalogue.lxc.set(feature.name, feature);
  }
  const described = new Set(catalogue.manifests.map((manifest) => manifest.script));
  for (const script of [...scripts].sort()) {
    const name = levelZeroName(script);
    if (name === undefined || described.has(script) || catalogue.lxc.has(name)) continue;
    catalogue.lxc.set(name, { name, script });
  }
  return catalogue;
}

/** The name of a script without manifest: its file name without `feature_` and ending. Host scripts and steps have none. */
export function levelZeroName(script: string): string | undefined {
  const parts = script.split("/");
  const file = parts.at(-1) ?? "";
  const inRepository = parts[0] === "bin" && !script.startsWith("/");
  if (inRepository && (parts[1] !== "lxc" || !file.startsWith("feature_"))) return undefined;
  const name = file.replace(/^feature_/, "").replace(/\.[A-Za-z0-9]+$/, "");
  return name === "" ? undefined : name;
}

function readManifest(
  source: SourceFile,
  scripts: ReadonlySet<string>,
  findings: Findings,
): KnownFeature | undefined {
  const parsed = parseFile(source);
  findings.list.push(...parsed.findings);
  if (parsed.file === undefined) return undefined;
  const locator = new Locator([parsed.file]);
  const check = validator("manifest");
  if (!check(parsed.file.value)) {
    for (const problem of explainErrors(check.errors ?? [], schemas.manifest)) {
      findings.add(locator, problem.path, problem.message, { ...problem, class: "schema" });
    }
    return undefined;
  }
  const raw = parsed.file.value as unknown as Omit<FeatureManifest, "needs" | "context" | "script"> & {
    context?: FeatureManifest["context"];
    needs?: Partial<FeatureManifest["needs"]>;
  };
  const stem = source.path.replace(/\.json$/, "");
  const script = scripts.has(`${stem}.sh`) ? `${stem}.sh` : scripts.has(stem) ? stem : undefined;
  if (script === undefined) {
    findings.add(locator, ["name"], `there is no script beside this manifest`, {
      remedy: `expected at ${stem}.sh`,
    });
    return undefined;
  }
  let validate: ValidateFunction;
  try {
    validate = compileParameters(raw.parameters);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    findings.add(locator, ["parameters"], `not a JSON Schema that can be used: ${reason}`, {
      class: "schema",
    });
    return undefined;
  }
  const needs = {
    nesting: false,
    keyctl: false,
    fuse: false,
    network: false,
    gpu: false,
    reboot: false,
    features: [],
    ...raw.needs,
  };
  const { name, version, description, target, parameters, context = [], verbs } = raw;
  return {
    name,
    script,
    validate,
    manifest: { name, version, description, target, parameters, needs, context, verbs, script },
  };
}
