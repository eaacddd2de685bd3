import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { secretNames, withSecrets } from "../model/index.ts";
import type { Target } from "./node/target.ts";
import type { ScriptVersion } from "./scripts/node-scripts.ts";

/** What a script gets on standard input: nothing of it ever stands in a command line. */
export interface ScriptInput {
  readonly stack: string;
  readonly ctid?: number;
  /** The recipe of the template that the step belongs to; a sealed template with the same recipe is left alone. */
  readonly recipe?: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly allow?: readonly string[];
  /** Stands for what came before: another one runs the step again. */
  readonly after?: string;
}

export interface FeatureArgs {
  readonly target: Target;
  readonly script: ScriptVersion;
  readonly input: ScriptInput;
  /** Parameters that an earlier step finds out; they hold no references to secrets. */
  readonly late?: pulumi.Output<Readonly<Record<string, unknown>>>;
  /** The script undoes its work when the feature goes. */
  readonly removable: boolean;
  /** Looks at an edit before it is made, in previews too. */
  readonly beforeUpdate?: pulumi.ResourceHook;
  /** The input is a record to be kept on the node: `{"secret": …}` in it stays a reference. */
  readonly keepReferences?: boolean;
  /** The guest that the feature lives in: a new guest gets it anew, and one that goes needs no removal. */
  readonly guest?: { readonly resource: pulumi.Resource; readonly mark: pulumi.Output<string> };
}

/** One script applied to the host or to one container: check, apply and, where it makes sense, remove. */
export class Feature extends pulumi.ComponentResource {
  /** The version of the script that was applied. */
  readonly digest: string;
  /** Where that version lies on the node. */
  readonly scriptPath: string;
  /** What the script printed; unknown while it is about to run. */
  readonly output: pulumi.Output<string>;

  constructor(name: string, args: FeatureArgs, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:Feature", name, {}, opts);
    this.digest = args.script.digest;
    this.scriptPath = args.script.path;
    // A component's dependencies make its children wait, but leave no trace of the order for the way back.
    const run = runScript(name, args, {
      parent: this,
      ...(opts?.dependsOn ? { dependsOn: opts.dependsOn } : {}),
    });
    this.output = run.stdout;
    this.registerOutputs({ digest: this.digest });
  }
}

/** The one way in which a script runs on the node: one SSH session, input on stdin. */
export function runScript(
  name: string,
  { target, script, input, late, removable, keepReferences = false, guest, beforeUpdate }: FeatureArgs,
  opts: pulumi.CustomResourceOptions,
): command.remote.Command {
  const dependsOn = [script.upload, ...asArray(opts.dependsOn)];
  const secrets = keepReferences ? [] : secretNames(input);
  const text = (document: ScriptInput): pulumi.Input<string> =>
    secrets.length > 0 ? documentWithSecrets(document, secrets, target) : JSON.stringify(document);
  return new command.remote.Command(
    name,
    {
      connection: target.connection,
      create: `${script.path} apply`,
      ...(removable ? { delete: `${script.path} remove` } : {}),
      stdin: late
        ? late.apply((found) =>
            pulumi.output(text({ ...input, parameters: { ...input.parameters, ...found } })),
          )
        : text(input),
      addPreviousOutputInEnv: false,
      ...(guest ? { triggers: [guest.mark] } : {}),
    },
    {
      ...opts,
      dependsOn,
      // A removal must not run behind the new apply.
      deleteBeforeReplace: true,
      // Outputs would stand in the state in plain text even where stdin is secret.
      ...(secrets.length > 0 ? { additionalSecretOutputs: ["stdout", "stderr"] } : {}),
      ...(guest ? { deletedWith: guest.resource } : {}),
      ...(beforeUpdate ? { hooks: { beforeUpdate: [beforeUpdate] } } : {}),
    },
  );
}

/** The document with its references followed; a secret, so that neither state nor display shows it. */
function documentWithSecrets(
  input: ScriptInput,
  names: readonly string[],
  target: Target,
): pulumi.Output<string> {
  return pulumi
    .all(names.map((name) => target.secret(name)))
    .apply((values) => new Map(names.map((name, i) => [name, values[i] ?? ""])))
    .apply((secrets) => JSON.stringify(withSecrets(input, secrets)));
}

function asArray(dependsOn: pulumi.CustomResourceOptions["dependsOn"]): pulumi.Resource[] {
  if (dependsOn === undefined) return [];
  return Array.isArray(dependsOn) ? (dependsOn as pulumi.Resource[]) : [dependsOn as pulumi.Resource];
}
