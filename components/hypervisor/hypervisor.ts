import * as pulumi from "@pulumi/pulumi";
import type { HostSpec } from "../../model/index.ts";
import type { HostContext } from "./host-context.ts";
import { OsTemplate } from "./os-template.ts";
import { Storage } from "./storage.ts";
import { User } from "./user.ts";
import { ZfsDataset } from "./zfs-dataset.ts";
import { ZfsPool } from "./zfs-pool.ts";

/** The host: pools → datasets → storages → OS templates, and its users. All of it is there before the first container. */
export class Hypervisor extends pulumi.ComponentResource {
  constructor(name: string, spec: HostSpec, context: HostContext, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:hypervisor:Hypervisor", name, {}, { ...opts, providers: [context.target.provider] });

    const pools = new Map(
      spec.pools.map((pool) => [pool.name, new ZfsPool(pool, context, { parent: this })] as const),
    );
    const datasets = new Map(
      spec.datasets.map((dataset) => {
        const dependsOn = present(pools.get(dataset.pool));
        return [dataset.path, new ZfsDataset(dataset, context, { parent: this, dependsOn })] as const;
      }),
    );
    const storages = new Map(
      spec.storages.map((storage) => {
        const dependsOn = present(datasets.get(storage.dataset ?? "") ?? pools.get(storage.dataset ?? ""));
        return [storage.id, new Storage(storage, { parent: this, dependsOn })] as const;
      }),
    );
    for (const template of spec.osTemplates) {
      const dependsOn = present(storages.get(template.storage));
      new OsTemplate(template, context.target.node, { parent: this, dependsOn });
    }

    for (const user of spec.users) new User(user, context, { parent: this });

    this.registerOutputs({ storages: [...storages.keys()] });
  }
}

function present(resource: pulumi.Resource | undefined): pulumi.Resource[] {
  return resource ? [resource] : [];
}
