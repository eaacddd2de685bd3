import * as pulumi from "@pulumi/pulumi";
import type { UserSpec } from "../../model/index.ts";
import { Feature } from "../feature.ts";
import type { HostContext } from "./host-context.ts";

/** The node's administrator. A user that is no longer configured loses what was given here, and stays. */
export class User extends pulumi.ComponentResource {
  constructor(spec: UserSpec, context: HostContext, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:hypervisor:User", spec.username, {}, opts);
    new Feature(
      `user-${spec.username}`,
      {
        target: context.target,
        script: context.scripts.version("bin/hypervisor/feature_manage_user.sh"),
        input: { stack: context.target.stack, parameters: { ...spec } },
        removable: true,
      },
      { parent: this },
    );
    this.registerOutputs({ name: spec.username });
  }
}
