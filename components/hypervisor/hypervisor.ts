import * as pulumi from "@pulumi/pulumi";
import type { HostSpec } from "../../model/index.ts";
import type { HostContext } from "./host-context.ts";
import { NvidiaDriver } from "./nvidia-driver.ts";
import { OsTemplate } from "./os-template.ts";
import { Storage } from "./storage.ts";
import { User } from "./user.ts";
import { ZfsDataset } from "./zfs-dataset.ts";
import { ZfsPool } from "./zfs-pool.ts";

/** The host: pools → datasets → storages → OS templates, and its users. All of it is there before the first container. */
export class Hypervisor extends pulumi.ComponentResource {
  /** Where the host has one. */
  readonly driver: NvidiaDriver | undefined;

  constructor(name: string, spec: HostSpec, context: HostContext, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:hypervisor:Hypervisor", name, {}, { ...opts, providers: [context.target.provider] });

    /** Pools and datasets by their full names. */
    const zfs = new Map<string, pulumi.Resource>();
    for (const pool of spec.pools) zfs.set(pool.name, new ZfsPool(pool, context, { parent: this }));
    for (const dataset of spec.datasets) {
      const dependsOn = present(zfs.get(dataset.parent));
      zfs.set(dataset.path, new ZfsDataset(dataset, context, { parent: this, dependsOn }));
    }
    const storages = new Map(
      spec.storages.map((storage) => {
        const dependsOn = present(zfs.get(storage.dataset ?? ""));
        return [storage.id, new Storage(storage, { parent: this, dependsOn })] as const;
      }),
    );
    for (const template of spec.osTemplates) {
      const dependsOn = present(storages.get(template.storage));
      new OsTemplate(template, context.target.node, { parent: this, dependsOn });
    }

    this.driver = spec.nvidia && new NvidiaDriver(spec.nvidia, context, { parent: this });
    for (const user of spec.users) new User(user, context, { parent: this });

    this.registerOutputs({
      storages: [...storages.keys()],
      ...(this.driver ? { gpus: this.driver.gpus } : {}),
    });
  }
}

function present(resource: pulumi.Resource | undefined): pulumi.Resource[] {
  return resource ? [resource] : [];
}
