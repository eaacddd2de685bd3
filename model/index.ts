/**
 * The model of the configuration: texts in, a checked model or findings out. Pure: no Pulumi, no files (only
 * `read-files.ts` has those), no network, no clock, no randomness.
 */
import { resolveContainers } from "./containers.ts";
import type { Input } from "./resolution.ts";
import { Findings, sortFindings } from "./findings.ts";
import type { HypervisorConfig } from "./generated/hypervisor-config.ts";
import type { ContainerConfig, LxcConfigs } from "./generated/lxc-configs.ts";
import { bridgesOf, resolveHost } from "./host.ts";
import { Locator } from "./locate.ts";
import { readCatalogue } from "./manifests.ts";
import { checkNetworks } from "./network-checks.ts";
import { merge } from "./overlay.ts";
import { rewriteAcross } from "./legacy/across.ts";
import { rewriteContainers } from "./legacy/containers.ts";
import { rewriteHypervisor } from "./legacy/hypervisor.ts";
import { Rewriter } from "./legacy/rewriter.ts";
import { dropUnserved } from "./legacy/unserved.ts";
import { placesOf } from "./places.ts";
import { explainErrors } from "./schema-errors.ts";
import { schemas, validator } from "./schemas.ts";
import { secretUses } from "./secret-references.ts";
import { warnUnused } from "./unused.ts";
import { shareVolumes } from "./volumes.ts";
import { checkWhole } from "./whole-checks.ts";
import { defaultsOf } from "./inherit.ts";
import { explainContainer } from "./explain.ts";
import { gpuContext } from "./nvidia.ts";
import { isObject, parseFile } from "./text.ts";
import type { Json, ParsedFile } from "./text.ts";
import type { Finding, Outcome, SourceFile, Sources } from "./types.ts";

export type * from "./types.ts";
export { formatExplanation } from "./explain.ts";
export { formatFindings } from "./findings.ts";
export { renderGraph } from "./graph.ts";
export { plan } from "./plan.ts";
export type { Edge, EdgeKind, Plan, PlanNode } from "./plan.ts";
export { migrate } from "./migrate.ts";
export type { Migrated, Migration } from "./migrate.ts";
export { formatOverlayChanges, overlayChanges } from "./overlay-changes.ts";
export { featurePage, featureSchema, listFeatures } from "./feature-pages.ts";
export { staysBehind } from "./stays-behind.ts";
export { subordinateIds } from "./id-maps.ts";
export { recipeDigest } from "./recipe.ts";
export { refusedSettings } from "./settings-edits.ts";
export { refusedEdits } from "./zfs-edits.ts";
export type { ZfsInput } from "./zfs-edits.ts";
export { devicesFor, readDriverDocument } from "./gpu-devices.ts";
export type { DriverDocument, PassedDevice } from "./gpu-devices.ts";
export { checkSecrets, secretNames, withSecrets } from "./secret-references.ts";
export type { SecretState } from "./secret-references.ts";

export interface BuildOptions {
  /**
   * What a feature or application whose script is still to be written is: `error` (default) stops a preview, `warn`
   * is for looking at a configuration; the model then lacks it.
   */
  unbuilt?: "warn" | "error";
}

/** Never throws for bad input: everything that is wrong is a finding, all of them in one run. */
export function buildModel(sources: Sources, options: BuildOptions = {}): Outcome {
  const findings = new Findings();
  const hypervisor = load(sources.hypervisor, "hypervisor", findings);
  const lxc = load(sources.lxc, "lxc", findings);
  const catalogue = readCatalogue(sources, findings);
  if (hypervisor !== undefined) rewriteHypervisor(hypervisor.rewriter);
  if (lxc !== undefined) rewriteContainers(lxc.rewriter);
  if (hypervisor !== undefined && lxc !== undefined) rewriteAcross(hypervisor.rewriter, lxc.rewriter);
  const hostSound = hypervisor !== undefined && validate(hypervisor, "hypervisor", findings);
  const lxcSound = lxc !== undefined && validate(lxc, "lxc", findings);
  const hostConfig = hostSound ? (hypervisor.value as unknown as HypervisorConfig) : nobody;
  const hostLocator = hypervisor?.locator ?? new Locator([]);
  const host = resolveHost(hostConfig, hostLocator, findings);
  if (hostSound) warnUnused(hypervisor.value, "hypervisor", schemas.hypervisor, hostLocator, findings);
  if (lxc === undefined) return failed(findings);
  if (lxcSound) warnUnused(lxc.value, "lxc", schemas.lxc, lxc.locator, findings);
  const unbuilt = options.unbuilt ?? "error";
  const parts = { host, hostSound, catalogue, locator: lxc.locator, findings, unbuilt };
  const lxcConfig = lxcSound ? (lxc.value as unknown as LxcConfigs) : undefined;
  const context = gpuContext(hostConfig, lxcConfig);
  const input: Input = { ...parts, ...containersOf(lxc), defaults: defaultsOf(hostConfig), context };
  const resolved = resolveContainers(input);
  host.sharedVolumes = shareVolumes({ hostConfig, hostLocator, resolved, input });
  checkNetworks(resolved, bridgesOf(hostConfig), input);
  checkWhole({ hostConfig, hostLocator, lxcConfig, resolved, input });
  if (findings.hasErrors()) return failed(findings);
  const specs = [...resolved.values()].map(({ spec }) => spec);
  return {
    ok: true,
    model: {
      host,
      templates: specs.filter((spec) => spec.isTemplate),
      containers: specs.filter((spec) => !spec.isTemplate),
      manifests: catalogue.manifests,
    },
    warnings: sortFindings(findings.list),
    secrets: [hypervisor, lxc].flatMap((file) => (file ? secretUses(file.value, file.locator) : [])),
    places: placesOf(hostConfig, hostLocator),
    explain: (ctid) => explainContainer(ctid, resolved, input),
  };
}

interface Loaded {
  value: Json;
  locator: Locator;
  rewriter: Rewriter;
  /** Containers and their keys that the schema refuses. */
  refused: Map<string, Set<string>>;
}

function load(
  files: readonly SourceFile[],
  what: "hypervisor" | "lxc",
  findings: Findings,
): Loaded | undefined {
  if (files.length === 0) {
    const message = `no ${what} configuration is given`;
    findings.list.push(
      fileFinding(message, `name one: \`pulumi config set --path 'phoenix:${what}Files[0]' FILE\``),
    );
    return undefined;
  }
  const parsed: ParsedFile[] = [];
  for (const file of files) {
    const result = parseFile(file);
    findings.list.push(...result.findings);
    if (result.file !== undefined) parsed.push(result.file);
  }
  if (parsed.length < files.length) return undefined;
  const locator = new Locator(parsed);
  const { value, idle } = merge(parsed);
  for (const { file, path } of idle) {
    const message = `nothing to take out here: no file before this one has \`${String(path.at(-1))}\``;
    findings.warn(new Locator([file]), path, message);
  }
  if (!isObject(value)) {
    findings.add(locator, [], "the file must hold an object", { class: "schema", remedy: "{ ... }" });
    return undefined;
  }
  const rewriter = new Rewriter(value, locator, findings);
  return { value, locator, rewriter, refused: new Map() };
}

function fileFinding(message: string, remedy: string): Finding {
  return { severity: "error", class: "file", file: "", line: 1, column: 1, pointer: "", message, remedy };
}

function validate(loaded: Loaded, name: "hypervisor" | "lxc", findings: Findings): boolean {
  dropUnserved(loaded.rewriter, name, schemas[name]);
  const check = validator(name);
  if (check(loaded.value)) return true;
  for (const problem of explainErrors(check.errors ?? [], schemas[name])) {
    const { path, message, remedy, what } = problem;
    findings.add(loaded.locator, path, message, { class: "schema", remedy, what });
    if (path[0] !== "lxc_configs" || path[1] === undefined) continue;
    const ctid = String(path[1]);
    const keys = loaded.refused.get(ctid) ?? new Set();
    loaded.refused.set(ctid, keys.add(String(path[2] ?? problem.missing ?? "*")));
  }
  return false;
}

/** Stands for a hypervisor file that could not be read. */
const nobody: HypervisorConfig = { network: { interfaces: { name: "", address: "0.0.0.1/0" } } };

/** The containers without the keys that the schema refuses: the rest of each is still looked at. */
function containersOf(lxc: Loaded): Pick<Input, "configs" | "damaged"> {
  const all = isObject(lxc.value) && isObject(lxc.value["lxc_configs"]) ? lxc.value["lxc_configs"] : {};
  const configs = new Map<number, ContainerConfig>();
  const damaged = new Map<number, ReadonlySet<string>>();
  for (const [ctid, config] of Object.entries(all)) {
    if (!/^\d+$/.test(ctid)) continue;
    const refused = lxc.refused.get(ctid) ?? new Set();
    const members = isObject(config) ? Object.entries(config) : [];
    const sound = Object.fromEntries(members.filter(([key]) => !refused.has(key)));
    configs.set(Number(ctid), sound as unknown as ContainerConfig);
    if (refused.size > 0) damaged.set(Number(ctid), refused);
  }
  return { configs, damaged };
}

function failed(findings: Findings): Outcome {
  return { ok: false, findings: sortFindings(findings.list) };
}
