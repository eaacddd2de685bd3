import { isObject } from "./text.ts";
import type { Json, Path } from "./text.ts";

export type Schema = { [key: string]: unknown };

const asSchema = (value: unknown): Schema => (isObject(value) ? value : {});

// Schemas are constants, and walked again and again.
const followed = new WeakMap<Schema, Schema>();
const patterns = new Map<string, RegExp>();

function matches(pattern: string, key: string): boolean {
  const known = patterns.get(pattern) ?? new RegExp(pattern, "u");
  patterns.set(pattern, known);
  return known.test(key);
}

/** Follows a `$ref` into `$defs`; keywords beside it stay. */
export function deref(root: Schema, schema: Schema): Schema {
  const ref = schema["$ref"];
  if (typeof ref !== "string") return schema;
  const known = followed.get(schema);
  if (known !== undefined) return known;
  const target = ref
    .split("/")
    .slice(1)
    .reduce<unknown>((node, part) => asSchema(node)[part], root);
  const beside = Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$ref"));
  const result = { ...deref(root, asSchema(target)), ...beside };
  followed.set(schema, result);
  return result;
}

/** The schema of a member, undefined if the schema knows no such key. */
export function memberSchema(root: Schema, schema: Schema, key: string): Schema | undefined {
  const own = asSchema(schema["properties"])[key];
  if (own !== undefined) return deref(root, asSchema(own));
  for (const [pattern, sub] of Object.entries(asSchema(schema["patternProperties"]))) {
    if (matches(pattern, key)) return deref(root, asSchema(sub));
  }
  return undefined;
}

/** Visits every value with its schema; keys that the schema does not know are visited with undefined, and not entered. */
export function walk(
  root: Schema,
  value: Json,
  visit: (path: Path, schema: Schema | undefined, value: Json) => void,
): void {
  const step = (current: Json, schema: Schema, path: Path): void => {
    const form = chooseForm(root, schema, current);
    visit(path, form, current);
    if (Array.isArray(current)) {
      const items = deref(root, asSchema(form["items"]));
      current.forEach((item, i) => step(item, items, [...path, i]));
    } else if (isObject(current)) {
      for (const [key, member] of Object.entries(current)) {
        const sub = memberSchema(root, form, key);
        const free = form["properties"] === undefined && form["patternProperties"] === undefined;
        if (sub !== undefined) step(member, sub, [...path, key]);
        else if (!free) visit([...path, key], undefined, member);
      }
    }
  };
  step(value, root, []);
}

function chooseForm(root: Schema, schema: Schema, value: Json): Schema {
  const forms = schema["anyOf"];
  if (!Array.isArray(forms)) return schema;
  const type = Array.isArray(value) ? "array" : typeof value;
  const found = forms.map((form) => deref(root, asSchema(form))).find((form) => form["type"] === type);
  return found ?? schema;
}

export interface Leaf {
  /** `zfs.pools[].name`, `lxc_configs.*.cores`: `[]` for an item, `*` for a key chosen by the person. */
  pattern: string;
  schema: Schema;
}

/** Every place of a schema that holds a plain value. */
export function leaves(root: Schema): Leaf[] {
  const result: Leaf[] = [];
  const step = (schema: Schema, pattern: string): void => {
    const forms = schema["anyOf"];
    if (Array.isArray(forms)) {
      for (const form of forms) step(deref(root, asSchema(form)), pattern);
      return;
    }
    const properties = Object.entries(asSchema(schema["properties"]));
    const patterns = Object.entries(asSchema(schema["patternProperties"]));
    const join = (key: string): string => (pattern === "" ? key : `${pattern}.${key}`);
    for (const [key, sub] of properties) step(deref(root, asSchema(sub)), join(key));
    for (const [, sub] of patterns) step(deref(root, asSchema(sub)), join("*"));
    if (schema["items"] !== undefined) step(deref(root, asSchema(schema["items"])), `${pattern}[]`);
    else if (properties.length + patterns.length === 0) result.push({ pattern, schema });
  };
  step(root, "");
  return result;
}

/** The pattern of a concrete path, as `Leaf.pattern`; numbers in arrays are `[]`, CTIDs `*`. */
export function patternOf(path: Path): string {
  let pattern = "";
  for (const part of path) {
    if (typeof part === "number") pattern += "[]";
    else pattern += (pattern === "" ? "" : ".") + (/^\d+$/.test(part) ? "*" : part);
  }
  return pattern;
}
