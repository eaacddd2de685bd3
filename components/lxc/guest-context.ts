import type * as proxmoxve from "@muhlba91/pulumi-proxmoxve";
import type * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { ContainerSpec } from "../../model/index.ts";
import type { Feature, FeatureArgs } from "../feature.ts";
import type { NvidiaDriver } from "../hypervisor/nvidia-driver.ts";
import type { Target } from "../node/target.ts";
import type { NodeScripts } from "../scripts/node-scripts.ts";
import type { CloneQueue } from "./clone-queue.ts";
import type { Recovered } from "./recovery.ts";
import type { Survey } from "./survey.ts";

/** What templates and containers share. */
export interface GuestContext {
  readonly target: Target;
  readonly scripts: NodeScripts;
  /** Recipe digests by vmid: a template's own, a container's that of the template it would be made from. */
  readonly recipes: ReadonlyMap<number, string>;
  /** All specs by vmid: a clone's disk is given as its source's. */
  readonly specs: ReadonlyMap<number, ContainerSpec>;
  /** Of the containers that may be replaced. */
  readonly surveys: ReadonlyMap<number, Survey>;
  /** Only in a recovery: what stands on the node and is taken back. */
  readonly recovered: ReadonlyMap<number, Recovered>;
  /** Where the host has one: it knows the GPUs and their device nodes. */
  readonly driver: NvidiaDriver | undefined;
  readonly clones: CloneQueue;
}

/** What was made, for what comes behind it. */
export interface Guest {
  readonly resource: proxmoxve.ContainerLegacy;
  readonly settings: command.remote.Command;
  readonly features: readonly Feature[];
  /** The last step so far: whatever comes next depends on it. */
  readonly last: pulumi.Resource;
  /** For the caller's own steps. */
  readonly runArgs: Pick<FeatureArgs, "target" | "guest">;
}
