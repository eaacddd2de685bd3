import * as proxmoxve from "@muhlba91/pulumi-proxmoxve";
import * as pulumi from "@pulumi/pulumi";
import type { OsTemplateSpec } from "../../model/index.ts";

/** An OS template that the node downloads into one of its storages. */
export class OsTemplate extends pulumi.ComponentResource {
  constructor(spec: OsTemplateSpec, node: string, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:hypervisor:OsTemplate", spec.name, {}, opts);
    new proxmoxve.download.File(
      spec.name,
      {
        nodeName: node,
        datastoreId: spec.storage,
        contentType: "vztmpl",
        fileName: spec.fileName,
        url: spec.url,
        // Otherwise every refresh asks the server for the size again, and replaces the file when it differs.
        overwrite: false,
        // The rest of a cut run: the file is there, but not in the state.
        overwriteUnmanaged: true,
        ...(spec.checksum
          ? { checksum: spec.checksum.value, checksumAlgorithm: spec.checksum.algorithm }
          : {}),
      },
      { parent: this, deleteBeforeReplace: true },
    );
    this.registerOutputs({ name: spec.name });
  }
}
