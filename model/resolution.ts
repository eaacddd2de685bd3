import type { Findings } from "./findings.ts";
import type { ContainerConfig } from "./generated/lxc-configs.ts";
import type { Effective } from "./inherit.ts";
import type { Locator } from "./locate.ts";
import type { Catalogue } from "./manifests.ts";
import type { GpuContext } from "./nvidia.ts";
import type { ContainerSpec, HostSpec } from "./types.ts";

export interface Input {
  /** Without the keys that the schema refuses. */
  configs: ReadonlyMap<number, ContainerConfig>;
  /** Those keys; `*` for a whole container. What follows from them alone is no finding of its own. */
  damaged: ReadonlyMap<number, ReadonlySet<string>>;
  host: HostSpec;
  /** False if the schema refuses the hypervisor file: then nothing is judged by it. */
  hostSound: boolean;
  catalogue: Catalogue;
  locator: Locator;
  findings: Findings;
  unbuilt: "warn" | "error";
  /** What the host gives to containers that say nothing. */
  defaults: Readonly<Record<string, unknown>>;
  /** What features of containers with a GPU are told. */
  context: GpuContext;
}

export interface Resolved {
  spec: ContainerSpec;
  effective: Effective;
}
