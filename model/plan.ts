import { recipeDigest } from "./recipe.ts";
import type { ScriptDigests } from "./recipe.ts";
import type { ContainerSpec, Model } from "./types.ts";

/**
 * - `rebuilds`: a new recipe of `from` makes `to` anew (template → template, template → linked container that allows it)
 * - `clones`: `to` is a copy of `from` and stays as it is when `from` is built anew
 * - `uses`: `to` lies on, or is made from, `from` (pool → dataset → storage → container; OS image → template)
 * - `depends`: `from` must be there before `to`
 * - `runs`: `from`, a feature's script, is applied in `to`
 */
export type EdgeKind = "rebuilds" | "clones" | "uses" | "depends" | "runs";

export interface Edge {
  from: string;
  to: string;
  kind: EdgeKind;
}

export interface PlanNode {
  /** `pool:quickOS`, `dataset:quickOS/lxc-disks`, `storage:…`, `os-template:…`, `template:900`, `container:910`, `script:bin/lxc/…` */
  id: string;
  kind: "pool" | "dataset" | "storage" | "os-template" | "template" | "container" | "script";
  label: string;
}

export interface Plan {
  nodes: PlanNode[];
  edges: Edge[];
  /** For a template the digest of its own recipe; for a container that of the template (or OS image) it would be made from. */
  recipes: Map<number, string>;
  /** Everything that a change of this node reaches, by what happens to it. */
  affected(id: string): Affected;
}

export interface Affected {
  /** Built anew. */
  rebuilt: string[];
  /** Stays, but is from an older generation then. */
  outdated: string[];
  /** A step in it runs again in place. */
  updated: string[];
}

/** What there will be, and what each change reaches: a pure function of the model. */
export function plan(model: Model, scriptDigests: ScriptDigests): Plan {
  const nodes: PlanNode[] = [];
  const edges: Edge[] = [];
  const edge = (from: string, to: string, kind: EdgeKind): number => edges.push({ from, to, kind });
  for (const pool of model.host.pools)
    nodes.push({ id: `pool:${pool.name}`, kind: "pool", label: pool.name });
  for (const dataset of model.host.datasets) {
    nodes.push({ id: `dataset:${dataset.path}`, kind: "dataset", label: dataset.path });
    edge(`pool:${dataset.pool}`, `dataset:${dataset.path}`, "uses");
  }
  for (const storage of model.host.storages) {
    nodes.push({ id: `storage:${storage.id}`, kind: "storage", label: storage.id });
    if (storage.dataset !== undefined) edge(`dataset:${storage.dataset}`, `storage:${storage.id}`, "uses");
  }
  for (const template of model.host.osTemplates) {
    nodes.push({ id: `os-template:${template.name}`, kind: "os-template", label: template.name });
    edge(`storage:${template.storage}`, `os-template:${template.name}`, "uses");
  }
  const all = [...model.templates, ...model.containers];
  const scripts = new Set(all.flatMap((container) => container.features.map((feature) => feature.script)));
  for (const script of scripts)
    nodes.push({ id: `script:${script}`, kind: "script", label: script.split("/").at(-1) ?? script });
  const ids = new Map(all.map((container) => [container.vmid, nodeId(container)]));
  for (const container of all) {
    const id = nodeId(container);
    const kind = container.isTemplate ? "template" : "container";
    nodes.push({ id, kind, label: `${container.vmid} ${container.name}` });
    const { source } = container;
    if (source.kind === "os-template")
      edge(`os-template:${source.template}`, id, container.isTemplate ? "rebuilds" : "clones");
    else
      edge(
        ids.get(source.vmid) ?? `template:${source.vmid}`,
        id,
        rebuildsWith(container) ? "rebuilds" : "clones",
      );
    edge(`storage:${container.rootfs.storage}`, id, "uses");
    for (const dependency of container.dependencies)
      edge(ids.get(dependency) ?? `container:${dependency}`, id, "depends");
    for (const feature of container.features) edge(`script:${feature.script}`, id, "runs");
  }
  return { nodes, edges, recipes: recipesOf(model, scriptDigests), affected: (id) => affected(id, edges) };
}

/** Whether it is made anew with the template that it is cloned from. */
export function rebuildsWith(container: ContainerSpec): boolean {
  if (container.source.kind !== "clone") return false;
  return container.isTemplate || (container.source.mode === "linked" && container.allow.includes("replace"));
}

function nodeId(container: ContainerSpec): string {
  return `${container.isTemplate ? "template" : "container"}:${container.vmid}`;
}

function recipesOf(model: Model, scriptDigests: ScriptDigests): Map<number, string> {
  const recipes = new Map<number, string>();
  for (const container of [...model.templates, ...model.containers]) {
    const { source } = container;
    const parent = source.kind === "clone" ? recipes.get(source.vmid) : undefined;
    if (!container.isTemplate && parent !== undefined) recipes.set(container.vmid, parent);
    else
      recipes.set(
        container.vmid,
        recipeDigest(container.isTemplate ? container : bare(container), parent, scriptDigests),
      );
  }
  return recipes;
}

/** A container from an OS image is made from the image alone; its features run in it later, and again. */
function bare(container: ContainerSpec): ContainerSpec {
  return { ...container, features: [], settings: { nesting: false, keyctl: false, fuse: false } };
}

function affected(id: string, edges: readonly Edge[]): Affected {
  const result: Affected = { rebuilt: [], outdated: [], updated: [] };
  const rebuilt = new Set<string>();
  const rebuild = (node: string): void => {
    if (rebuilt.has(node)) return;
    rebuilt.add(node);
    for (const edge of edges.filter((candidate) => candidate.from === node)) {
      if (edge.kind === "rebuilds") rebuild(edge.to);
      if (edge.kind === "clones") result.outdated.push(edge.to);
    }
  };
  if (id.startsWith("template:")) rebuild(id);
  for (const edge of edges.filter((candidate) => candidate.from === id)) {
    if (edge.kind === "runs" && edge.to.startsWith("template:")) rebuild(edge.to);
    else if (edge.kind === "runs") result.updated.push(edge.to);
    else if (edge.kind === "rebuilds") rebuild(edge.to);
    else if (edge.kind === "clones" && id.startsWith("os-template:")) result.outdated.push(edge.to);
  }
  result.rebuilt = [...rebuilt].sort();
  result.outdated = [...new Set(result.outdated)].filter((node) => !rebuilt.has(node)).sort();
  result.updated.sort();
  return result;
}
