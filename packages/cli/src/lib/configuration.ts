import { relative, resolve } from "node:path";
import { parse } from "yaml";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildModel, formatFindings } from "../../../../model/index.ts";
import type { Model, Outcome, SourceFile, Sources, Success } from "../../../../model/index.ts";
import { readSources } from "../../../../model/read-files.ts";
import { root } from "./checkout.ts";
import { Failure } from "./failure.ts";

/** What a person may say about which files are meant. */
export interface FileOptions {
  readonly hypervisor?: string[];
  readonly lxc?: string[];
  readonly stack?: string;
}

const usage = 2;

type YamlConfig = Record<string, unknown>;

function yamlConfig(file: string): YamlConfig {
  return (parse(readFileSync(join(root, file), "utf8")) as { config?: YamlConfig } | null)?.config ?? {};
}

/** The files that a stack names, else Pulumi.yaml's defaults; a person's own files are relative to where they are. */
export function chosenSources(options: FileOptions): Sources {
  const file = `Pulumi.${options.stack}.yaml`;
  if (options.stack !== undefined && !existsSync(join(root, file))) {
    throw new Failure(`there is no ${file}.`, { code: usage });
  }
  const own = options.stack === undefined ? {} : yamlConfig(file);
  const declared = yamlConfig("Pulumi.yaml");
  const named = (key: string): string[] => {
    const fallback = declared[key] as { default?: string[] } | undefined;
    return (own[key] as string[] | undefined) ?? fallback?.default ?? [];
  };
  const here = (path: string): string => {
    const absolute = resolve(path);
    const inside = relative(root, absolute);
    return inside.startsWith("..") ? absolute : inside;
  };
  return readSources(root, {
    hypervisor: options.hypervisor?.map(here) ?? named("phoenix:hypervisorFiles"),
    lxc: options.lxc?.map(here) ?? named("phoenix:lxcFiles"),
    features: named("phoenix:featureFolders"),
  });
}

/** A person's files as texts; what cannot be read is a finding later. */
export const readTexts = (files: readonly string[]): SourceFile[] =>
  readSources(root, { hypervisor: files.map((file) => resolve(file)), lxc: [] }).hypervisor;

export const chosenOutcome = (options: FileOptions): Outcome =>
  buildModel(chosenSources(options), { unbuilt: "warn" });

/** The model and what explains it, or a Failure with every finding. */
export function chosenConfiguration(options: FileOptions): Success {
  const outcome = chosenOutcome(options);
  if (outcome.ok) return outcome;
  throw new Failure(`the configuration is not valid.\n${formatFindings(outcome.findings)}`, {
    next: "bin/phoenix validate",
  });
}

export const chosenModel = (options: FileOptions): Model => chosenConfiguration(options).model;

/** A container or template of the model. @throws Failure that lists the ones there are. */
export function containerOf(model: Model, ctid: string) {
  const all = [...model.templates, ...model.containers];
  const found = all.find((container) => String(container.vmid) === ctid);
  if (found) return found;
  throw new Failure(`there is no container ${ctid}; there are ${all.map(({ vmid }) => vmid).join(", ")}.`, {
    code: usage,
  });
}
