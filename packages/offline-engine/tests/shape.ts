/**
 * The type of a property, in a form in which the schema of a plugin and the sources of an npm SDK can be compared:
 * `string`, `number`, `boolean`, `any`, `archive`, `asset|archive`, an enum's values, or built from these.
 */
export type Shape =
  | { readonly kind: "simple"; readonly name: string }
  | { readonly kind: "enum"; readonly values: readonly string[] }
  | { readonly kind: "list" | "map"; readonly of: Shape }
  | { readonly kind: "object"; readonly properties: Properties };

/** Properties by name. */
export type Properties = { readonly [name: string]: Property };

/** One property. */
export interface Property {
  readonly type: Shape;
  readonly required: boolean;
}

/** What the two sides have to agree on, for one resource. */
export interface Resource {
  readonly token: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
  /** Names of top-level properties that are encrypted in the state. */
  readonly secretInputs: readonly string[];
  readonly secretOutputs: readonly string[];
  /** Defaults inside of object inputs, as JSON, by the object's name: "Connection.port": "22". */
  readonly defaults: { readonly [path: string]: string };
}

export const simple = (name: string): Shape => ({ kind: "simple", name });

export const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();
