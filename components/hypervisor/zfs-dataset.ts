import * as pulumi from "@pulumi/pulumi";
import type { DatasetSpec } from "../../model/index.ts";
import { Feature } from "../feature.ts";
import type { HostContext } from "./host-context.ts";

/** A dataset with its properties; forgotten, not destroyed, unless allowed. */
export class ZfsDataset extends pulumi.ComponentResource {
  constructor(spec: DatasetSpec, context: HostContext, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:hypervisor:ZfsDataset", spec.path, {}, opts);
    const { allow, ...dataset } = spec;
    new Feature(
      `dataset-${spec.path}`,
      {
        target: context.target,
        script: context.scripts.version("bin/hypervisor/feature_setup_zfs.sh"),
        input: { stack: context.target.stack, parameters: { kind: "dataset", ...dataset }, allow },
        removable: !spec.existing,
      },
      { parent: this },
    );
    this.registerOutputs({ name: spec.path });
  }
}
