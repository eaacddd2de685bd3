import * as pulumi from "@pulumi/pulumi";
import { refusedEdits } from "../../model/index.ts";
import type { DatasetSpec } from "../../model/index.ts";
import { editGuard } from "../edit-guard.ts";
import { Feature } from "../feature.ts";
import type { HostContext } from "./host-context.ts";

/** A dataset with its properties; forgotten, not destroyed, unless allowed. */
export class ZfsDataset extends pulumi.ComponentResource {
  constructor(spec: DatasetSpec, context: HostContext, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:hypervisor:ZfsDataset", spec.path, {}, opts);
    const { name, pool, path, properties, owner, mode, existing, protect, allow } = spec;
    const dataset = { name, pool, path, properties, owner, mode, existing };
    new Feature(
      `dataset-${spec.path}`,
      {
        target: context.target,
        script: context.scripts.version("bin/hypervisor/feature_setup_zfs.sh"),
        input: { stack: context.target.stack, parameters: { kind: "dataset", ...dataset }, allow },
        removable: !spec.existing,
        beforeUpdate: editGuard(`dataset ${spec.path}`, refusedEdits),
      },
      { parent: this, protect },
    );
    this.registerOutputs({ name: spec.path });
  }
}
