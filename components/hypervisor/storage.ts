import * as proxmoxve from "@muhlba91/pulumi-proxmoxve";
import * as pulumi from "@pulumi/pulumi";
import type { StorageSpec } from "../../model/index.ts";
import { claimStorage } from "./claim.ts";
import type { HostContext } from "./host-context.ts";

/**
 * Registers a dataset, a folder or an export with Proxmox VE as a storage.
 *
 * The provider never sends the clearing of a property, and does not even see one that PVE computes: what can be
 * cleared is a trigger as well, by which the registration is made anew. The data behind it is not touched by that.
 */
export class Storage extends pulumi.ComponentResource {
  readonly id: string;

  constructor(spec: StorageSpec, context: HostContext, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:hypervisor:Storage", spec.id, {}, opts);
    this.id = spec.id;
    if (!spec.existing) {
      const { step, hook } = claimStorage(spec, context, { parent: this });
      register(spec, {
        parent: this,
        dependsOn: step,
        hooks: { beforeCreate: [hook] },
        deleteBeforeReplace: true,
        replacementTrigger: clearable(spec),
      });
    }
    this.registerOutputs({ id: spec.id });
  }
}

/** A text, and never none: the engine takes a trigger that was or becomes none for no change. */
function clearable({ nodes, prune, mountOptions }: StorageSpec): string {
  return JSON.stringify({ nodes, prune, mountOptions });
}

function register(spec: StorageSpec, opts: pulumi.CustomResourceOptions): pulumi.Resource {
  const common = {
    resourceId: spec.id,
    contents: [...spec.content],
    ...(spec.nodes === undefined ? {} : { nodes: spec.nodes }),
  };
  const backups = spec.prune === undefined ? {} : { backups: spec.prune };
  switch (spec.type) {
    case "zfspool":
      return new proxmoxve.storage.Zfspool(
        spec.id,
        { ...common, zfsPool: present(spec.dataset, spec, "dataset"), thinProvision: true },
        opts,
      );
    case "dir":
      return new proxmoxve.storage.Directory(
        spec.id,
        // `shared` defaults to true in the provider, which would be a lie for a local path.
        { ...common, ...backups, path: present(spec.path, spec, "path"), shared: false },
        opts,
      );
    case "nfs":
      return new proxmoxve.storage.Nfs(
        spec.id,
        {
          ...common,
          ...backups,
          ...present(spec.nfs, spec, "export"),
          ...(spec.mountOptions === undefined ? {} : { options: spec.mountOptions }),
        },
        opts,
      );
    default:
      throw new Error(`storage ${spec.id}: a storage of type ${spec.type} can only be declared existing`);
  }
}

function present<T>(value: T | undefined, spec: StorageSpec, property: string): T {
  if (value !== undefined) return value;
  throw new Error(`storage ${spec.id}: the model gives no ${property}`);
}
