import * as pulumi from "@pulumi/pulumi";
import type { SharedVolumeSpec } from "../../model/index.ts";
import { Feature } from "../feature.ts";
import type { HostContext } from "./host-context.ts";

/** What several containers see: a folder of the host, or a dataset of its own. Its data stay when it is forgotten. */
export class SharedVolume extends pulumi.ComponentResource {
  constructor(
    spec: SharedVolumeSpec,
    { target, scripts }: HostContext,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("phoenix:hypervisor:SharedVolume", spec.name, {}, opts);
    const { script, parameters } = workOf(spec);
    new Feature(
      `shared-${spec.kind}-${spec.name}`,
      {
        target,
        script: scripts.version(script),
        input: { stack: target.stack, parameters: { ...parameters, ...spec.owner }, allow: spec.allow },
        removable: true,
      },
      { parent: this },
    );
    this.registerOutputs({ path: spec.source });
  }
}

function workOf(spec: SharedVolumeSpec) {
  if (spec.kind === "folder") {
    const within = spec.within === undefined ? {} : { within: spec.within };
    return {
      script: "bin/hypervisor/feature_provide_folder.sh",
      parameters: { path: spec.source, ...within },
    };
  }
  const { name, dataset, sizeGb } = spec;
  return {
    script: "bin/hypervisor/feature_provide_volume.sh",
    parameters: { volume: `shared/${name}`, dataset, sizeGb },
  };
}
