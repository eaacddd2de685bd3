import type { Findings } from "./findings.ts";
import type { ContainerConfig } from "./generated/lxc-configs.ts";
import { unknownName } from "./names.ts";
import type { Locator } from "./locate.ts";
import type { Catalogue } from "./manifests.ts";
import { explainErrors, list } from "./schema-errors.ts";
import type { Path } from "./text.ts";
import { pendingFeatures } from "./unused.ts";
import type { ContainerSettings, FeatureSpec, InheritedFeatureSpec } from "./types.ts";

export interface Place {
  ctid: number;
  locator: Locator;
  findings: Findings;
  unbuilt: "warn" | "error";
  /** Whether all features of the chain could be read. */
  sure?: boolean;
}

/** A container's own features in order; those that it has from its templates already are left out. */
export function ownFeatures(
  config: ContainerConfig,
  inherited: readonly InheritedFeatureSpec[],
  catalogue: Catalogue,
  { ctid, locator, findings, unbuilt, sure = true }: Place,
): FeatureSpec[] {
  const own: FeatureSpec[] = [];
  (config.features ?? []).forEach((use, i) => {
    const path: Path = ["lxc_configs", String(ctid), "features", i];
    const name = typeof use === "string" ? use : use.name;
    const namePath = typeof use === "string" ? path : [...path, "name"];
    const parameters = typeof use === "string" ? {} : { ...use.parameters };
    const known = catalogue.lxc.get(name);
    if (known === undefined && pendingFeatures.has(name)) {
      const remedy = "leave it out with an overlay, or bring a script of your own: `phoenix:featureFolders`";
      const message = `the feature \`${name}\` has no script yet`;
      findings.add(locator, namePath, message, {
        severity: unbuilt === "warn" ? "warning" : "error",
        remedy,
      });
      return;
    }
    if (known === undefined) {
      findings.add(locator, namePath, ...unknownName("feature", name, [...catalogue.lxc.keys()]));
      return;
    }
    if (own.some((feature) => feature.name === name)) {
      findings.add(locator, namePath, `the feature \`${name}\` is in the list twice`, {
        remedy: "keep one of the two",
      });
      return;
    }
    const before = inherited.findLast((feature) => feature.name === name);
    if (before !== undefined && typeof use === "string") {
      const message = `the feature \`${name}\` is inherited from ${before.from} already; listing it again has no effect`;
      findings.warn(locator, namePath, message, { remedy: "it can be left out" });
      return;
    }
    const { manifest } = known;
    if (known.validate !== undefined && !known.validate(parameters)) {
      for (const problem of explainErrors(known.validate.errors ?? [], manifest?.parameters)) {
        const place = typeof use === "string" ? path : [...path, "parameters", ...problem.path];
        const message = `feature \`${name}\`: ${problem.message}`;
        findings.add(locator, place, message, { remedy: problem.remedy, what: problem.what });
      }
      return;
    }
    for (const needed of manifest?.needs.features ?? []) {
      if (!sure || [...inherited, ...own].some((feature) => feature.name === needed)) continue;
      const message = `the feature \`${name}\` needs \`${needed}\` before it, in this container or in a template below it`;
      findings.add(locator, namePath, message, { remedy: `put \`${needed}\` before \`${name}\`` });
    }
    own.push({
      name,
      level: manifest === undefined ? 0 : 1,
      script: known.script,
      ...(manifest === undefined ? {} : { manifest }),
      parameters,
      removable: manifest?.verbs.includes("remove") ?? false,
    });
  });
  return own;
}

/** What the container must be able to do: what it says itself, and what any feature of its chain needs. */
export function settingsOf(
  options: readonly string[],
  features: readonly FeatureSpec[],
  { ctid, locator, findings }: Place,
): ContainerSettings {
  const settings: ContainerSettings = { nesting: false, keyctl: false, fuse: false };
  for (const key of ["nesting", "keyctl", "fuse"] as const) {
    const needing = features
      .filter((feature) => feature.manifest?.needs[key] === true)
      .map((feature) => feature.name);
    // Along the chain a later entry overrules an earlier one.
    const said = options.findLast((option) => option.startsWith(`${key}=`));
    settings[key] = needing.length > 0 || said === `${key}=1`;
    if (said === `${key}=0` && needing.length > 0) {
      const path: Path = ["lxc_configs", String(ctid), "pct_options"];
      findings.add(
        locator,
        path,
        `\`${said}\` cannot be: ${list(needing)} need${needing.length === 1 ? "s" : ""} it`,
        {
          remedy: `remove \`${said}\``,
        },
      );
    }
  }
  return settings;
}
