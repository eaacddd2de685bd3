import * as pulumi from "@pulumi/pulumi";
import type { HostSpec } from "../../model/index.ts";
import { Feature } from "../feature.ts";
import { BaseSystem } from "./base-system.ts";
import type { HostContext } from "./host-context.ts";
import { NvidiaDriver } from "./nvidia-driver.ts";
import { OsTemplate } from "./os-template.ts";
import { SharedVolume } from "./shared-volume.ts";
import { Storage } from "./storage.ts";
import { User } from "./user.ts";
import { ZfsDataset } from "./zfs-dataset.ts";
import { ZfsPool } from "./zfs-pool.ts";

/** The host: base system → pools → datasets → storages → OS templates, and its users. All of it is there before the first container. */
export class Hypervisor extends pulumi.ComponentResource {
  /** Where the host has one. */
  readonly driver: NvidiaDriver | undefined;

  constructor(name: string, spec: HostSpec, context: HostContext, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:hypervisor:Hypervisor", name, {}, { ...opts, providers: [context.target.provider] });

    const base = BaseSystem.wanted(spec.base)
      ? new BaseSystem("base", spec.base, context, { parent: this })
      : undefined;
    const dependsOn = present(base);
    if (spec.arcMaxGb !== undefined) limitArc(spec.arcMaxGb, context, { parent: this, dependsOn });
    /** Pools and datasets by their full names. */
    const zfs = new Map<string, pulumi.Resource>();
    for (const pool of spec.pools)
      zfs.set(pool.name, new ZfsPool(pool, context, { parent: this, dependsOn }));
    for (const dataset of spec.datasets) {
      const dependsOn = present(zfs.get(dataset.parent) ?? base);
      zfs.set(dataset.path, new ZfsDataset(dataset, context, { parent: this, dependsOn }));
    }
    const storages = new Map(
      spec.storages.map((storage) => {
        const dependsOn = present(zfs.get(storage.dataset ?? "") ?? base);
        return [storage.id, new Storage(storage, context, { parent: this, dependsOn })] as const;
      }),
    );
    for (const template of spec.osTemplates) {
      const dependsOn = present(storages.get(template.storage));
      new OsTemplate(template, context, { parent: this, dependsOn });
    }

    this.driver = spec.nvidia && new NvidiaDriver(spec.nvidia, context, { parent: this, dependsOn });
    for (const user of spec.users) new User(user, context, { parent: this, dependsOn });

    for (const volume of spec.sharedVolumes) {
      const dependsOn = [...zfs.values()];
      new SharedVolume(volume, context, { parent: this, dependsOn });
    }

    this.registerOutputs({
      storages: [...storages.keys()],
      ...(this.driver ? { gpus: this.driver.gpus } : {}),
    });
  }
}

function limitArc(maxGb: number, context: HostContext, opts: pulumi.ComponentResourceOptions): void {
  const script = context.scripts.version("bin/hypervisor/feature_limit_arc.sh");
  const input = { stack: context.target.stack, parameters: { maxGb } };
  new Feature("zfs-arc", { target: context.target, script, input, removable: true }, opts);
}

function present(...resources: (pulumi.Resource | undefined)[]): pulumi.Resource[] {
  return resources.filter((resource) => resource !== undefined);
}
