import * as pulumi from "@pulumi/pulumi";
import type { ContainerSpec } from "../../model/index.ts";
import { type Feature, runScript } from "../feature.ts";
import { asItStands, createGuest } from "./guest.ts";
import type { GuestContext } from "./guest-context.ts";

/** A step of a generation: what was applied, and with which version of the script. */
export interface GenerationStep {
  readonly name: string;
  readonly script: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/**
 * A template: created, configured, shut down and sealed by `pct template`; immutable from then on.
 *
 * A changed recipe replaces it, and with it the templates that are linked clones of it, children first: that needs
 * both the parent's vmid as an output and `replaceOnChanges` on it. Containers are not touched.
 */
export class Template extends pulumi.ComponentResource {
  readonly vmid: number;
  readonly recipe: string;
  /** The vmid once the template is sealed; unknown while it is about to be rebuilt. */
  readonly sealed: pulumi.Output<number>;
  /** The features of the whole chain, base first. */
  readonly generation: readonly GenerationStep[];

  constructor(
    spec: ContainerSpec,
    context: GuestContext,
    parent: Template | undefined,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("phoenix:lxc:Template", `${spec.vmid}`, {}, { ...opts, providers: [context.target.provider] });
    const { target, scripts, recipes, recovered } = context;
    const standing = recovered.get(spec.vmid);
    this.vmid = spec.vmid;
    this.recipe = recipes.get(spec.vmid) ?? "";

    const guest = createGuest(spec, context, parent?.sealed, {
      parent: this,
      replacementTrigger: this.recipe,
      ...(standing ? asItStands : { replaceOnChanges: ["clone"] }),
    });

    this.generation = [
      ...(parent?.generation ?? []),
      ...guest.features.map((feature, i) => step(spec, feature, i)),
    ];
    const record = {
      recipe: this.recipe,
      vmid: spec.vmid,
      parent: parent?.recipe ?? null,
      features: this.generation,
    };
    // The node's record of an older generation names the scripts of its time, and stays as it is.
    const seal = standing?.older
      ? guest.resource
      : runScript(
          `${spec.vmid}-seal`,
          {
            ...guest.runArgs,
            script: scripts.version("bin/lxc/seal_template.sh"),
            input: { stack: target.stack, ctid: spec.vmid, recipe: this.recipe, parameters: { record } },
            keepReferences: true,
            removable: false,
          },
          { parent: this, dependsOn: [guest.last] },
        );

    this.sealed = pulumi.all([guest.resource.id, seal.id]).apply(([id]) => Number(id));
    this.registerOutputs({ vmid: this.vmid, recipe: this.recipe });
  }
}

function step(spec: ContainerSpec, feature: Feature, index: number): GenerationStep {
  const { name = "", parameters = {} } = spec.features[index] ?? {};
  return { name, script: feature.scriptPath, input: { parameters } };
}
