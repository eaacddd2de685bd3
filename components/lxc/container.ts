import * as pulumi from "@pulumi/pulumi";
import type { ContainerSpec } from "../../model/index.ts";
import { checkHealth } from "./health.ts";
import { asItStands, createGuest, mayReplace, REPLACING } from "./guest.ts";
import type { GuestContext } from "./guest-context.ts";
import { readMark } from "./mark.ts";
import { takeSnapshot } from "./snapshot.ts";
import type { Template } from "./template.ts";

/**
 * A container with its own features and its health: what depends on it waits for the latter. It only records the
 * generation of the template that it came from: a rebuild of the template never touches it, since its source is a
 * plain number and not the template's output. Two exceptions, both its owner's word: a linked clone that may be
 * replaced is made anew with its base, and `roll` makes one of an older generation anew.
 */
export class Container extends pulumi.ComponentResource {
  readonly vmid: number;
  readonly address: string | undefined;
  /** `current`, or `older` where its template has been rebuilt since. */
  readonly generation: pulumi.Output<string>;

  constructor(
    spec: ContainerSpec,
    context: GuestContext,
    source: Template | undefined,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("phoenix:lxc:Container", `${spec.vmid}`, {}, { ...opts, providers: [context.target.provider] });
    this.vmid = spec.vmid;
    this.address = spec.network[0]?.address;

    const { word, vmid } = replacementOf(spec, context, source);
    const guest = createGuest(spec, context, vmid, { parent: this, ...word });
    const healthy = checkHealth(spec, guest, context, this);
    takeSnapshot("final-form", spec, guest.runArgs, context, {
      parent: this,
      dependsOn: [healthy ?? guest.last],
    });

    this.generation = guest.resource.description.apply((description) =>
      this.#compare(readMark(description, spec.vmid)?.recipe, source),
    );
    this.registerOutputs({ vmid: this.vmid, address: this.address, generation: this.generation });
  }

  #compare(recipe: string | undefined, source: Template | undefined): string {
    if (!source || !recipe || recipe === source.recipe) return "current";
    void pulumi.log.warn(
      `made from an older generation of template ${source.vmid}; it stays as it is until you roll it`,
      this,
    );
    return "older";
  }
}

/** Which changes may make this container anew, and by what they are seen. */
function replacementOf(
  spec: ContainerSpec,
  { surveys, recovered }: GuestContext,
  source: Template | undefined,
): { word: pulumi.CustomResourceOptions; vmid: pulumi.Input<number> | undefined } {
  if (recovered.has(spec.vmid)) return { word: asItStands, vmid: undefined };
  const survey = surveys.get(spec.vmid);
  if (!mayReplace(spec, survey)) {
    // A preview shows such a change, and is refused. A run without one must not do it either.
    return { word: pulumi.runtime.isDryRun() ? {} : { ignoreChanges: REPLACING }, vmid: undefined };
  }
  const linked = spec.source.kind === "clone" && spec.source.mode === "linked";
  if (linked && source) return { word: { replaceOnChanges: ["clone"] }, vmid: source.sealed };
  // The mark of a new guest differs from the old one's: to let that count is what makes it anew.
  return { word: spec.roll && survey?.older ? { replaceOnChanges: ["description"] } : {}, vmid: undefined };
}
