import type * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { ContainerSpec } from "../../model/index.ts";
import { runScript } from "../feature.ts";
import type { Guest, GuestContext } from "./guest-context.ts";

/** Before the container is configured, and when all of it is there and works. */
export type SnapshotName = "pre-configured" | "final-form";

/** A snapshot where the configuration asks for it; taken once, and never taken away. */
export function takeSnapshot(
  name: SnapshotName,
  spec: ContainerSpec,
  runArgs: Guest["runArgs"],
  { target, scripts }: GuestContext,
  opts: pulumi.CustomResourceOptions,
): command.remote.Command | undefined {
  if (!spec.snapshots.includes(name)) return undefined;
  const parameters = { name, early: name === "pre-configured", ready: spec.ready };
  return runScript(
    `${spec.vmid}-snapshot-${name}`,
    {
      ...runArgs,
      script: scripts.version("bin/lxc/take_snapshot.sh"),
      input: { stack: target.stack, ctid: spec.vmid, parameters },
      removable: false,
    },
    opts,
  );
}
