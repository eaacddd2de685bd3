import * as pulumi from "@pulumi/pulumi";
import type { ScriptReader } from "./components/scripts/script-source.ts";
import { buildModel, checkSecrets, formatFindings, plan, type Model } from "./model/index.ts";
import { readSources } from "./model/read-files.ts";
import type { Settings } from "./settings.ts";

/** The configuration, checked as a whole, and what follows from it. */
export interface Configuration {
  readonly model: Model;
  /** Recipe digests by vmid: a template's own, a container's that of the template it would be made from. */
  readonly recipes: ReadonlyMap<number, string>;
  /** Where storages and images were written. */
  readonly places: ReadonlyMap<string, string>;
}

/**
 * Reads and checks the files that the stack names.
 * @throws pulumi.RunError with every error of every file; nothing is registered then, so that a file that fails to
 *   load can never look like deleted containers
 */
export function loadConfiguration(settings: Settings, scripts: ScriptReader): Configuration {
  const outcome = buildModel(
    readSources(settings.root, {
      hypervisor: [...settings.hypervisorFiles],
      lxc: [...settings.lxcFiles],
      features: [...settings.featureFolders],
    }),
  );
  const errors = outcome.ok ? checkSecrets(outcome.secrets, settings.secretState) : outcome.findings;
  if (!outcome.ok || errors.length > 0) {
    throw new pulumi.RunError(
      `The configuration is not valid; nothing was touched.\n${formatFindings(errors)}`,
    );
  }
  if (outcome.warnings.length > 0) void pulumi.log.warn(formatFindings(outcome.warnings));

  const { model } = outcome;
  const digests = Object.fromEntries(
    [...model.templates, ...model.containers]
      .flatMap(({ features }) => features)
      .map(({ script }) => [script, scripts.read(script).digest] as const),
  );
  return { model, recipes: plan(model, digests).recipes, places: outcome.places };
}
