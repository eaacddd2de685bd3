import type { StepMetadata } from "../lib/events.ts";
import { urnParts } from "../lib/events.ts";

/** A resource of an exported state; only what an import needs of it. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom: boolean;
  readonly id?: string;
  readonly parent?: string;
  readonly provider?: string;
  readonly inputs?: Record<string, unknown>;
  readonly outputs?: Record<string, unknown>;
}

export interface Exported {
  readonly version?: number;
  readonly deployment: { resources?: StateResource[]; [key: string]: unknown };
}

export const types = {
  guest: "proxmoxve:index/containerLegacy:ContainerLegacy",
  download: "proxmoxve:download/file:File",
  provider: "pulumi:providers:proxmoxve",
};

/** What of the node a resource stands for, by its inputs; undefined for what no import can bring back. */
export function idOf(type: string, inputs: Readonly<Record<string, unknown>>): string | undefined {
  const text = (key: string): string => String(inputs[key]);
  if (type === types.guest) return text("vmId");
  if (type === types.download) return `${text("datastoreId")}:${text("contentType")}/${text("fileName")}`;
  if (type.startsWith("proxmoxve:storage/")) return text("resourceId");
  return undefined;
}

/** What is to be taken back, by the steps that a run on an empty state would make. */
export interface Taking {
  readonly steps: readonly StepMetadata[];
  /** Inputs that the node knows better, by the URNs of what is taken; no entry: it is not taken. */
  readonly taken: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** The provider in the state, as resources refer to it: `URN::ID`. */
  readonly provider: string;
}

/**
 * The state of what stands on the node: as if it had been made with the configuration's inputs, which is what a refresh
 * then compares with the node. A command has no such state: it runs again.
 */
export function resourcesOf({ steps, taken, provider }: Taking): StateResource[] {
  const byUrn = new Map(steps.map((step) => [step.urn, step.new]));
  const wanted = new Set<string>();
  const withParents = (urn: string): void => {
    const state = byUrn.get(urn);
    if (!state || wanted.has(urn)) return;
    wanted.add(urn);
    if (state.parent) withParents(state.parent);
  };
  for (const urn of taken.keys()) withParents(urn);
  return steps.flatMap(({ urn, type, new: state }): StateResource[] => {
    if (!wanted.has(urn) || type === "pulumi:pulumi:Stack") return [];
    const common = { urn, type, ...(state?.parent ? { parent: state.parent } : {}) };
    const known = taken.get(urn);
    if (known === undefined) return [{ ...common, custom: false }];
    const inputs = { ...state?.inputs, ...known };
    const id = idOf(type, inputs) ?? "";
    const outputs = { ...(plain(inputs) as object), ...unlikely(type, id) };
    return [{ ...common, custom: true, id, provider, inputs, outputs }];
  });
}

/**
 * What a state has beside its inputs. Of a clone the provider reads some keys only where the state has another value than
 * its default: these are given such a one, so that a refresh asks the node.
 */
function unlikely(type: string, id: string): Record<string, unknown> {
  if (type === types.download) return { id };
  if (type !== types.guest) return {};
  const asked = { protection: true, startOnBoot: false, unprivileged: true, tags: ["-"] };
  return { id, template: false, timeoutStart: 300, ...asked };
}

/** Without the bridge's notes on what is a default, and without what is not there. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).filter(([key, inner]) => key !== "__defaults" && inner !== null);
  return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner)]));
}

/** Components' parents come before them, and the provider before what it made: the order of an import. */
export function withTaken(exported: string, resources: readonly StateResource[]): string {
  const state = JSON.parse(exported) as Exported;
  const there = state.deployment.resources ?? [];
  const known = new Set(there.map(({ urn }) => urn));
  state.deployment.resources = [...there, ...resources.filter(({ urn }) => !known.has(urn))];
  return JSON.stringify(state);
}

/** The provider of an exported state, as `URN::ID`. */
export function providerOf(exported: string): string | undefined {
  const { deployment } = JSON.parse(exported) as Exported;
  const found = deployment.resources?.find(({ type }) => type === types.provider);
  return found?.id === undefined ? undefined : `${found.urn}::${found.id}`;
}

/** How many resources a state has; a stack that was only made has none. */
export const countOf = (exported: string): number =>
  ((JSON.parse(exported) as Partial<Exported>).deployment?.resources ?? []).filter(
    ({ type }) => type !== "pulumi:pulumi:Stack",
  ).length;

/** In the words of the configuration. */
export const nameOf = (urn: string): string => urnParts(urn).name;
