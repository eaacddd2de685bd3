import * as proxmoxve from "@muhlba91/pulumi-proxmoxve";
import * as pulumi from "@pulumi/pulumi";
import type { OsTemplateSpec } from "../../model/index.ts";

/** An OS template in one of the node's storages: downloaded by the node, or uploaded from here. */
export class OsTemplate extends pulumi.ComponentResource {
  constructor(spec: OsTemplateSpec, node: string, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:hypervisor:OsTemplate", spec.name, {}, opts);
    if (spec.url !== undefined) download(spec, spec.url, node, { parent: this, deleteBeforeReplace: true });
    if (spec.file !== undefined) upload(spec, spec.file, node, { parent: this, deleteBeforeReplace: true });
    this.registerOutputs({ name: spec.name });
  }
}

function download(spec: OsTemplateSpec, url: string, node: string, opts: pulumi.CustomResourceOptions): void {
  new proxmoxve.download.File(
    spec.name,
    {
      nodeName: node,
      datastoreId: spec.storage,
      contentType: "vztmpl",
      fileName: spec.fileName,
      url,
      // Otherwise every refresh asks the server for the size again, and replaces the file when it differs.
      overwrite: false,
      // The rest of a cut run: the file is there, but not in the state.
      overwriteUnmanaged: true,
      ...(spec.checksum ? { checksum: spec.checksum.value, checksumAlgorithm: spec.checksum.algorithm } : {}),
    },
    opts,
  );
}

function upload(spec: OsTemplateSpec, path: string, node: string, opts: pulumi.CustomResourceOptions): void {
  const checksum = spec.checksum?.value.toLowerCase() ?? "";
  new proxmoxve.FileLegacy(
    `${spec.name}-upload`,
    {
      nodeName: node,
      datastoreId: spec.storage,
      contentType: "vztmpl",
      overwrite: true,
      sourceFile: { path, checksum, fileName: spec.fileName },
    },
    {
      ...opts,
      // The provider would upload again whenever the file's date differs here, as after a fresh clone, or when it is
      // gone: what counts is what is in it.
      ignoreChanges: ["sourceFile"],
      replacementTrigger: checksum,
    },
  );
}
