import * as pulumi from "@pulumi/pulumi";
import type { BaseSpec } from "../../model/index.ts";
import { Feature } from "../feature.ts";
import type { HostContext } from "./host-context.ts";

interface Step {
  readonly name: string;
  readonly script: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly allow?: readonly string[];
  /** Removal puts back what was there before. */
  readonly removable: boolean;
}

/**
 * The base system of the node, one step for each setting: its name, repositories, the upgrade that is asked for,
 * packages, then time and logs. Each waits for the group before it, and none is changed by an edit of another.
 */
export class BaseSystem extends pulumi.ComponentResource {
  constructor(name: string, spec: BaseSpec, context: HostContext, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:hypervisor:BaseSystem", name, {}, opts);
    let before: Feature[] = [];
    for (const group of groupsOf(spec)) {
      if (group.length === 0) continue;
      before = group.map(
        (step) =>
          new Feature(
            step.name,
            {
              target: context.target,
              script: context.scripts.version(`bin/hypervisor/feature_${step.script}.sh`),
              input: {
                stack: context.target.stack,
                parameters: step.parameters,
                ...(step.allow === undefined ? {} : { allow: step.allow }),
              },
              removable: step.removable,
            },
            { parent: this, dependsOn: before },
          ),
      );
    }
    this.registerOutputs({});
  }

  /** Whether anything is configured: a node that is left as it is has no such component. */
  static wanted(spec: BaseSpec): boolean {
    return groupsOf(spec).some((group) => group.length > 0);
  }
}

function groupsOf(spec: BaseSpec): Step[][] {
  return [
    spec.hostname === undefined ? [] : [step("hostname", "set_hostname", { ...spec.hostname })],
    [
      ...spec.disabledRepositories.map((name) => step(`no-${name}`, "disable_repository", { name })),
      ...spec.repositories.map(({ allow, ...repository }) => ({
        ...step(`repository-${repository.name}`, "setup_repository", repository),
        allow,
      })),
    ],
    spec.upgrade === undefined ? [] : [stays("upgrade", "upgrade_packages", { mark: spec.upgrade })],
    spec.packages.length === 0 ? [] : [stays("packages", "install_packages", { packages: spec.packages })],
    [
      ...(spec.timezone === undefined ? [] : [step("timezone", "set_timezone", { timezone: spec.timezone })]),
      ...(spec.timeServers.length === 0
        ? []
        : [step("time-servers", "sync_time", { servers: spec.timeServers })]),
      ...spec.logRotations.map((rotation) => step(`logs-${rotation.name}`, "rotate_logs", { ...rotation })),
    ],
  ];
}

const step = (name: string, script: string, parameters: Step["parameters"]): Step => ({
  name: `base-${name}`,
  script,
  parameters,
  removable: true,
});

const stays = (name: string, script: string, parameters: Step["parameters"]): Step => ({
  ...step(name, script, parameters),
  removable: false,
});
