import type * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { ContainerSpec } from "../../model/index.ts";
import { digestOf } from "../digest.ts";
import { runScript } from "../feature.ts";
import type { Guest, GuestContext } from "./guest-context.ts";

/**
 * The last step of a container that says how to see that it works. It changes nothing; whatever depends on the
 * container waits for it, and it looks again after every change of the container.
 */
export function checkHealth(
  spec: ContainerSpec,
  guest: Guest,
  { target, scripts }: GuestContext,
  parent: pulumi.Resource,
): command.remote.Command | undefined {
  if (!spec.health) return undefined;
  const script = scripts.version("bin/lxc/check_health.sh");
  const input = {
    stack: target.stack,
    ctid: spec.vmid,
    parameters: { ...spec.health },
    after: changesOf(spec, guest),
  };
  return runScript(
    `${spec.vmid}-health`,
    { ...guest.runArgs, script, input, removable: false },
    { parent, dependsOn: [guest.last] },
  );
}

/** A digest of all that may restart the container or run in it. */
function changesOf(spec: ContainerSpec, guest: Guest): string {
  // What may be done to it, and how long it is waited for, changes nothing in it; templates never change under it.
  const quiet = new Set(["allow", "ready", "health", "inheritedFeatures"]);
  const state = Object.entries(spec).filter(([key]) => !quiet.has(key));
  const scripts = guest.features.map(({ digest }) => digest);
  return digestOf([state, scripts]);
}
