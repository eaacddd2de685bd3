import * as pulumi from "@pulumi/pulumi";
import type { ContainerSpec } from "../../model/index.ts";
import { checkHealth } from "./health.ts";
import { createGuest, type GuestContext } from "./guest.ts";
import { readMark } from "./mark.ts";
import type { Template } from "./template.ts";

/**
 * A container with its own features and its health: what depends on it waits for the latter. It only records the generation of the template that it came from: a rebuild of
 * the template never touches it, since its source is a plain number and not the template's output.
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

    const guest = createGuest(spec, context, undefined, { parent: this });
    checkHealth(spec, guest, context, this);

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
