import * as pulumi from "@pulumi/pulumi";
import { refusedEdits } from "../../model/index.ts";
import type { PoolSpec } from "../../model/index.ts";
import { editGuard } from "../edit-guard.ts";
import { Feature } from "../feature.ts";
import type { HostContext } from "./host-context.ts";

/** A ZFS pool: made on empty disks only, recognised when it is there; forgotten, not destroyed, unless allowed. */
export class ZfsPool extends pulumi.ComponentResource {
  constructor(spec: PoolSpec, context: HostContext, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:hypervisor:ZfsPool", spec.name, {}, opts);
    const { allow, protect, scrub, ...pool } = spec;
    const made = new Feature(
      `pool-${spec.name}`,
      {
        target: context.target,
        script: context.scripts.version("bin/hypervisor/feature_setup_zfs.sh"),
        input: { stack: context.target.stack, parameters: { kind: "pool", ...pool }, allow },
        removable: !spec.existing,
        beforeUpdate: editGuard(`pool ${spec.name}`, refusedEdits),
      },
      { parent: this, protect },
    );
    if (scrub !== undefined) {
      new Feature(
        `scrub-${spec.name}`,
        {
          target: context.target,
          script: context.scripts.version("bin/hypervisor/feature_scrub_pool.sh"),
          input: { stack: context.target.stack, parameters: { pool: spec.name, schedule: scrub } },
          removable: true,
        },
        { parent: this, dependsOn: made },
      );
    }
    this.registerOutputs({ name: spec.name });
  }
}
