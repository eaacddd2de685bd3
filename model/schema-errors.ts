import { distance } from "fastest-levenshtein";
import type { ErrorObject } from "./schemas.ts";
import { deref } from "./schema-walk.ts";
import type { Schema } from "./schema-walk.ts";
import { fromPointer } from "./text.ts";
import type { Path } from "./text.ts";

/** What a schema says is wrong, in a person's words. */
export interface SchemaProblem {
  path: Path;
  message: string;
  remedy?: string;
  what: "key" | "value";
  /** The key that is not there. */
  missing?: string;
}

/**
 * All problems of one validation; alternatives of which only one can be meant are folded into it.
 * @param root the whole schema, in which references are followed
 */
export function explainErrors(errors: readonly ErrorObject[], root: Schema = {}): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  for (const error of dropNoise(errors)) {
    const problem = explain(error, root);
    const same = (other: SchemaProblem): boolean =>
      other.message === problem.message && other.path.join("/") === problem.path.join("/");
    if (!problems.some(same)) problems.push(problem);
  }
  return problems;
}

/**
 * A choice of forms ("a name, or an object with parameters") fails in every form. If a form fits by its type, its own
 * errors are what the person wants to hear; if none does, only the sentence about the choice.
 */
function dropNoise(errors: readonly ErrorObject[]): ErrorObject[] {
  let result = [...errors];
  for (const choice of errors.filter((error) => error.keyword === "anyOf" || error.keyword === "oneOf")) {
    const inside = (error: ErrorObject): boolean =>
      error !== choice && error.instancePath.startsWith(choice.instancePath) && isBelow(error, choice);
    const typeErrors = result.filter(
      (error) => inside(error) && error.keyword === "type" && error.instancePath === choice.instancePath,
    );
    result = result.filter((error) => !typeErrors.includes(error));
    const fitting = result.filter(inside);
    if (fitting.length > 0) result = result.filter((error) => error !== choice);
  }
  return result.filter(({ keyword, schemaPath }) => keyword !== "if" && !schemaPath.includes("/contains/"));
}

function isBelow(error: ErrorObject, choice: ErrorObject): boolean {
  const forms = (choice.schema as { $ref?: string }[])
    .map((form) => form.$ref)
    .filter((ref) => ref !== undefined);
  return (
    error.schemaPath.startsWith(choice.schemaPath + "/") ||
    forms.some((ref) => error.schemaPath.startsWith(ref + "/") || error.schemaPath.includes(ref + "/"))
  );
}

function explain(error: ErrorObject, root: Schema): SchemaProblem {
  const path = fromPointer(error.instancePath);
  const params = error.params as Record<string, unknown>;
  const parent = (error.parentSchema ?? {}) as Record<string, unknown>;
  if (isSecret(parent) || isSecretReference(error, root)) return literalSecret(path);
  const value = show(error.data);
  const hint = optional(about(path, parent));
  switch (error.keyword) {
    case "additionalProperties":
    case "unevaluatedProperties": {
      const key = String(params["additionalProperty"] ?? params["unevaluatedProperty"]);
      const known = Object.keys((parent["properties"] as object | undefined) ?? {});
      const patterns = Object.keys((parent["patternProperties"] as object | undefined) ?? {});
      return { path: [...path, key], ...unknownKey(key, known, patterns, parent), what: "key" };
    }
    case "required": {
      const key = String(params["missingProperty"]);
      const property = (parent["properties"] as Record<string, unknown> | undefined)?.[key];
      const sub = typeof property === "object" && property !== null ? deref(root, property as Schema) : {};
      const remedy = about([key], sub);
      return { path, message: `\`${key}\` is missing`, ...optional(remedy), what: "key", missing: key };
    }
    case "type":
      return {
        path,
        message: `${value} is not ${typeName(params["type"])}`,
        ...hint,
        what: "value",
      };
    case "enum": {
      const allowed = (params["allowedValues"] as unknown[]).map(String);
      const near = typeof error.data === "string" ? nearest(error.data, allowed) : undefined;
      const remedy = near !== undefined ? `did you mean \`${near}\`?` : `one of ${list(allowed)}`;
      const message =
        near !== undefined ? `${value} is not one of ${list(allowed)}` : `${value} is not possible here`;
      return { path, message, remedy, what: "value" };
    }
    case "const":
      return {
        path,
        message: `${value} must be ${show(params["allowedValue"])}`,
        ...hint,
        what: "value",
      };
    case "pattern":
      return { path, message: `${value} has not the right form`, ...hint, what: "value" };
    case "minimum":
      return {
        path,
        message: `${value} is too small; at least ${String(params["limit"])}`,
        ...hint,
        what: "value",
      };
    case "maximum":
      return {
        path,
        message: `${value} is too large; at most ${String(params["limit"])}`,
        ...hint,
        what: "value",
      };
    case "uniqueItems": {
      const { i, j } = params as { i: number; j: number };
      const twice = Array.isArray(error.data) ? show((error.data as unknown[])[i]) : value;
      return { path: [...path, Math.max(i, j)], message: `${twice} is in the list twice`, what: "value" };
    }
    case "contains": {
      const wanted = (error.schema as { const?: unknown }).const;
      return { path, message: `${show(wanted)} must be in this list`, ...hint, what: "value" };
    }
    case "minItems":
      return {
        path,
        message: `at least ${String(params["limit"])} entries are needed`,
        ...hint,
        what: "value",
      };
    case "minLength":
      return {
        path,
        message: "an empty text is not possible here",
        ...hint,
        what: "value",
      };
    case "anyOf":
    case "oneOf": {
      const forms = (error.schema as Record<string, unknown>[]).map((form) => form["type"] ?? "object");
      return {
        path,
        message: `${value} is not ${typeName(forms)}`,
        ...hint,
        what: "value",
      };
    }
    default:
      return {
        path,
        message: `${value} ${error.message ?? "is not valid"}`,
        ...hint,
        what: "value",
      };
  }
}

function unknownKey(
  key: string,
  known: string[],
  patterns: string[],
  schema: object,
): { message: string; remedy?: string } {
  const near = nearest(key, known);
  if (near !== undefined) return { message: `unknown key \`${key}\``, remedy: `did you mean \`${near}\`?` };
  if (known.length === 0 && patterns.length > 0) {
    const { description = "" } = schema as { description?: string };
    return { message: `\`${key}\` cannot be a key here`, remedy: `here stand ${lower(description)}` };
  }
  return { message: `unknown key \`${key}\``, remedy: `known keys here: ${list(known)}` };
}

/** The name that was probably meant: few letters apart for its length. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  let best: { candidate: string; score: number } | undefined;
  for (const candidate of candidates) {
    const score = distance(name.toLowerCase(), candidate.toLowerCase());
    if (best === undefined || score < best.score) best = { candidate, score };
  }
  const limit = name.length < 4 ? 1 : Math.max(2, Math.floor(name.length / 3));
  return best !== undefined && best.score <= limit ? best.candidate : undefined;
}

/** Names for a message; of many only the first. */
export function list(names: readonly string[]): string {
  const shown = names.slice(0, 40).map((name) => `\`${name}\``);
  return shown.join(", ") + (names.length > shown.length ? ` and ${names.length - shown.length} more` : "");
}

/** A value for a message, short. */
export function show(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 60 ? text.slice(0, 57) + "..." : text;
}

function typeName(type: unknown): string {
  const names: Record<string, string> = {
    string: "a text",
    integer: "a whole number",
    number: "a number",
    boolean: "true or false",
    object: "an object",
    array: "a list",
    null: "null",
  };
  const types = [type].flat().map((name) => names[String(name)] ?? String(name));
  return types.join(" or ");
}

/** What the schema says about the place: its key, description and an example. */
function about(path: Path, schema: object): string | undefined {
  const { description, examples } = schema as { description?: string; examples?: unknown[] };
  const example = examples?.[0] === undefined ? undefined : `for example ${show(examples[0])}`;
  const key = path.findLast((part) => !/^\d+$/.test(String(part)));
  if (description === undefined || key === undefined) return example;
  const text = `\`${key}\`: ${lower(description)}`;
  return example === undefined ? text : `${text}, ${example}`;
}

/** A sentence as part of another one. */
function lower(sentence: string): string {
  const text = sentence.replace(/\.$/, "");
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

function optional(remedy: string | undefined): { remedy?: string } {
  return remedy === undefined ? {} : { remedy };
}

function isSecret(schema: object): boolean {
  return (schema as { title?: string }).title === "SecretReference";
}

function isSecretReference(error: ErrorObject, root: Schema): boolean {
  if (error.schemaPath.startsWith("phoenix:secret/")) return true;
  const ref = /^#\/\$defs\/([^/]+)\//.exec(error.schemaPath)?.[1];
  const definitions = root["$defs"] as Record<string, object> | undefined;
  return ref !== undefined && isSecret(definitions?.[ref] ?? {});
}

/** The value itself is never repeated: messages end up in logs. */
function literalSecret(path: Path): SchemaProblem {
  const secrets = path.filter((part) => !/^\d+$/.test(String(part)) && part !== "secret");
  const name = secretName(secrets);
  return {
    path,
    message: "a secret stands here as a reference, never as itself",
    remedy: `pulumi config set --secret phoenix:${name}, and here {"secret": "${name}"}`,
    what: "value",
  };
}

/** The name proposed for the secret at a place. */
export function secretName(path: Path): string {
  return path.join("_");
}
