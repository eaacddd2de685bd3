import { type Properties, type Resource, type Shape, simple, sorted } from "./shape.ts";

/** The parts of a Pulumi package schema that matter here. */
interface TypeSpec {
  readonly type?: string;
  readonly $ref?: string;
  readonly items?: TypeSpec;
  readonly additionalProperties?: TypeSpec;
  readonly oneOf?: readonly TypeSpec[];
}
interface PropertySpec extends TypeSpec {
  readonly secret?: boolean;
  readonly default?: unknown;
}
interface ObjectSpec {
  readonly type?: string;
  readonly properties?: { readonly [name: string]: PropertySpec };
  readonly required?: readonly string[];
  readonly enum?: readonly { readonly value: string }[];
  readonly language?: {
    readonly nodejs?: { readonly requiredInputs?: string[]; readonly requiredOutputs?: string[] };
  };
}
interface ResourceSpec extends ObjectSpec {
  readonly inputProperties?: { readonly [name: string]: PropertySpec };
  readonly requiredInputs?: readonly string[];
}
export interface Schema {
  readonly name: string;
  readonly version?: string;
  readonly provider: ResourceSpec;
  readonly resources: { readonly [token: string]: ResourceSpec };
  readonly types?: { readonly [token: string]: ObjectSpec };
}

/** Reads a resource, or the provider itself under the token that the SDK gives it. */
export function resourceOf(schema: Schema, token: string): Resource {
  const isProvider = token === `pulumi:providers:${schema.name}`;
  const spec = isProvider ? schema.provider : schema.resources[token];
  if (!spec) throw new Error(`the plugin ${schema.name} has no ${token}`);
  const reader = new Reader(schema);
  const inputs = spec.inputProperties ?? {};
  // Pulumi's SDK generator gives a provider only those outputs that are plain texts.
  const kept = Object.entries(spec.properties ?? {}).filter(
    ([, property]) => !isProvider || property.type === "string",
  );
  const outputs = Object.fromEntries(kept);
  return {
    token,
    inputs: reader.properties(inputs, spec.requiredInputs ?? [], "Inputs"),
    outputs: reader.properties(outputs, spec.required ?? [], "Outputs"),
    secretInputs: sorted(Object.keys(inputs).filter((name) => inputs[name]?.secret)),
    secretOutputs: sorted(Object.keys(outputs).filter((name) => outputs[name]?.secret)),
    defaults: reader.defaults,
  };
}

type Side = "Inputs" | "Outputs";

class Reader {
  readonly schema: Schema;
  readonly defaults: { [path: string]: string } = {};

  constructor(schema: Schema) {
    this.schema = schema;
  }

  properties(
    specs: { readonly [name: string]: PropertySpec },
    required: readonly string[],
    side: Side,
  ): Properties {
    const entries = Object.entries(specs).map(([name, spec]) => {
      return [name, { type: this.shape(spec, side), required: required.includes(name) }] as const;
    });
    return Object.fromEntries(entries);
  }

  private shape(spec: TypeSpec, side: Side): Shape {
    if (spec.$ref) return this.reference(spec.$ref, side);
    if (spec.oneOf) throw new Error("oneOf: no resource in use has one");
    if (spec.type === "array" && spec.items) return { kind: "list", of: this.shape(spec.items, side) };
    if (spec.type === "object")
      return { kind: "map", of: this.shape(spec.additionalProperties ?? { type: "string" }, side) };
    if (spec.type === "integer") return simple("number");
    return simple(spec.type ?? "any");
  }

  private reference(ref: string, side: Side): Shape {
    const wellKnown = /^pulumi\.json#\/(.*)$/.exec(ref)?.[1];
    if (wellKnown) return simple(wellKnown === "Asset" ? "asset|archive" : wellKnown.toLowerCase());
    const token = decodeURIComponent(ref.replace("#/types/", ""));
    const spec = this.schema.types?.[token];
    if (!spec) throw new Error(`${ref} leads nowhere`);
    if (spec.enum) return { kind: "enum", values: sorted(spec.enum.map(({ value }) => value)) };
    const required = spec.language?.nodejs?.[`required${side}`] ?? spec.required ?? [];
    if (side === "Inputs") {
      for (const [name, property] of Object.entries(spec.properties ?? {})) {
        if (property.default === undefined) continue;
        this.defaults[`${token.split(":").at(-1)}.${name}`] = JSON.stringify(property.default);
      }
    }
    return { kind: "object", properties: this.properties(spec.properties ?? {}, required, side) };
  }
}
