import * as pulumi from "@pulumi/pulumi";
import type { VolumeSpec } from "../../model/index.ts";
import { Feature } from "../feature.ts";
import type { HostContext } from "../hypervisor/host-context.ts";

/**
 * A container's volume: a dataset that is the container's in name only. A new container gets it as it is; without it in
 * the configuration it is forgotten and its data stay, unless they may go.
 */
export class Volume extends pulumi.ComponentResource {
  constructor(
    vmid: number,
    spec: VolumeSpec,
    { target, scripts }: Pick<HostContext, "target" | "scripts">,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    const name = `${vmid}/${spec.name}`;
    super("phoenix:lxc:Volume", name, {}, opts);
    const { dataset, sizeGb, owner, protect, allow } = spec;
    new Feature(
      `volume-${name}`,
      {
        target,
        script: scripts.version("bin/hypervisor/feature_provide_volume.sh"),
        input: { stack: target.stack, parameters: { volume: name, dataset, sizeGb, ...owner }, allow },
        removable: true,
      },
      { parent: this, protect },
    );
    this.registerOutputs({ dataset });
  }
}
