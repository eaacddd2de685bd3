import * as proxmoxve from "@muhlba91/pulumi-proxmoxve";
import * as pulumi from "@pulumi/pulumi";
import type { OsTemplateSpec } from "../../model/index.ts";
import { claimImage } from "./claim.ts";
import type { HostContext } from "./host-context.ts";

/** An OS template in one of the node's storages: downloaded by the node, uploaded from here, or there already. */
export class OsTemplate extends pulumi.ComponentResource {
  constructor(spec: OsTemplateSpec, context: HostContext, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:hypervisor:OsTemplate", spec.name, {}, opts);
    if (!spec.existing) {
      const { node } = context.target;
      const { step, hook } = claimImage(spec, context, { parent: this });
      const made = {
        parent: this,
        dependsOn: step,
        hooks: { beforeCreate: [hook] },
        deleteBeforeReplace: true,
      };
      if (spec.url !== undefined) download(spec, spec.url, node, made);
      if (spec.file !== undefined) upload(spec, spec.file, node, made);
    }
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
      // The rest of a cut run: the file is there, but not in the state. Of anybody else's the hook has said no.
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
