import * as proxmoxve from "@muhlba91/pulumi-proxmoxve";
import * as pulumi from "@pulumi/pulumi";
import type { StorageSpec } from "../../model/index.ts";

/**
 * Registers a dataset with Proxmox VE as a storage.
 *
 * The provider never sends the clearing of a property, so a changed registration is made anew; the data behind it
 * is not touched by that.
 */
export class Storage extends pulumi.ComponentResource {
  readonly id: string;

  constructor(spec: StorageSpec, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:hypervisor:Storage", spec.id, {}, opts);
    this.id = spec.id;
    if (!spec.existing) register(spec, { parent: this, deleteBeforeReplace: true });
    this.registerOutputs({ id: spec.id });
  }
}

function register(spec: StorageSpec, opts: pulumi.CustomResourceOptions): pulumi.Resource {
  const common = { resourceId: spec.id, contents: [...spec.content] };
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
        { ...common, path: present(spec.path, spec, "path"), shared: false },
        opts,
      );
    default:
      throw new Error(`storage ${spec.id}: a storage of type ${spec.type} can only be declared existing`);
  }
}

function present(value: string | undefined, spec: StorageSpec, property: string): string {
  if (value !== undefined) return value;
  throw new Error(`storage ${spec.id}: the model gives no ${property}`);
}
