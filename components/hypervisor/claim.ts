import * as pulumi from "@pulumi/pulumi";
import type { OsTemplateSpec, StorageSpec } from "../../model/index.ts";
import { Feature } from "../feature.ts";
import type { HostContext } from "./host-context.ts";
import { refuseForeignImage, takeBackStorage } from "./take-back.ts";

/** What a resource gets whose making could be cut off from the state. */
export interface Claim {
  /** The step that writes the note: the making waits for it. */
  readonly step: Feature;
  /** Looks before the making, in previews too. */
  readonly hook: pulumi.ResourceHook;
}

/** Notes on the node that a storage is about to be registered. */
export function claimStorage(
  spec: StorageSpec,
  context: HostContext,
  opts: pulumi.ComponentResourceOptions,
): Claim {
  const { api, claims, stack } = context.target;
  const asked = { id: spec.id, type: spec.type, stack, place: context.places.get(`storage:${spec.id}`) };
  return {
    step: noteOf(`claim-${spec.id}`, { storage: spec.id }, context, opts),
    hook: hookOf(`claim-${spec.id}`, () =>
      takeBackStorage({ api, claims }, asked, pulumi.runtime.isDryRun()),
    ),
  };
}

/** Notes on the node that an image is about to be brought. */
export function claimImage(
  spec: OsTemplateSpec,
  context: HostContext,
  opts: pulumi.ComponentResourceOptions,
): Claim {
  const { api, claims, stack } = context.target;
  const { name, storage, fileName } = spec;
  const asked = { name, storage, fileName, stack, place: context.places.get(`image:${name}`) };
  return {
    step: noteOf(`claim-image-${name}`, { storage, image: fileName }, context, opts),
    hook: hookOf(`claim-image-${name}`, () => refuseForeignImage({ api, claims }, asked)),
  };
}

function noteOf(
  name: string,
  parameters: Readonly<Record<string, string>>,
  { target, scripts }: HostContext,
  opts: pulumi.ComponentResourceOptions,
): Feature {
  const script = scripts.version("bin/hypervisor/feature_claim_storage.sh");
  return new Feature(
    name,
    { target, script, input: { stack: target.stack, parameters }, removable: true },
    opts,
  );
}

const hookOf = (name: string, look: () => Promise<void>): pulumi.ResourceHook =>
  new pulumi.ResourceHook(name, look, { onDryRun: true });
