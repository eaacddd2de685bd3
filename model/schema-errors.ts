import { distance } from "fastest-levenshtein";
import type { ErrorObject } from "./schemas.ts";
import { fromPointer } from "./text.ts";
import type { Path } from "./text.ts";

/** What a schema says is wrong, in a person's words. */
export interface SchemaProblem {
  path: Path;
  message: string;
  remedy?: string;
  what: "key" | "value";
}

/** All problems of one validation; alternatives of which only one can be meant are folded into it. */
export function explainErrors(errors: readonly ErrorObject[]): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  for (const error of dropNoise(errors)) {
    const problem = explain(error);
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
  return result.filter((error) => error.keyword !== "if");
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

function explain(error: ErrorObject): SchemaProblem {
  const path = fromPointer(error.instancePath);
  const params = error.params as Record<string, unknown>;
  const parent = (error.parentSchema ?? {}) as Record<string, unknown>;
  const value = show(error.data);
  switch (error.keyword) {
    case "additionalProperties":
    case "unevaluatedProperties": {
      const key = String(params["additionalProperty"] ?? params["unevaluatedProperty"]);
      const known = Object.keys((parent["properties"] as object | undefined) ?? {});
      const patterns = Object.keys((parent["patternProperties"] as object | undefined) ?? {});
      return { path: [...path, key], ...unknownKey(key, known, patterns), what: "key" };
    }
    case "required": {
      const key = String(params["missingProperty"]);
      const property = (parent["properties"] as Record<string, unknown> | undefined)?.[key];
      const remedy = typeof property === "object" && property !== null ? about(property) : undefined;
      return { path, message: `\`${key}\` is missing`, ...optional(remedy), what: "key" };
    }
    case "type":
      return {
        path,
        message: `${value} is not ${typeName(params["type"])}`,
        ...optional(about(parent)),
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
        ...optional(about(parent)),
        what: "value",
      };
    case "pattern":
      return { path, message: `${value} has not the right form`, ...optional(about(parent)), what: "value" };
    case "minimum":
      return {
        path,
        message: `${value} is too small; at least ${String(params["limit"])}`,
        ...optional(about(parent)),
        what: "value",
      };
    case "maximum":
      return {
        path,
        message: `${value} is too large; at most ${String(params["limit"])}`,
        ...optional(about(parent)),
        what: "value",
      };
    case "uniqueItems": {
      const { i, j } = params as { i: number; j: number };
      const twice = Array.isArray(error.data) ? show((error.data as unknown[])[i]) : value;
      return { path: [...path, Math.max(i, j)], message: `${twice} is in the list twice`, what: "value" };
    }
    case "minItems":
      return {
        path,
        message: `at least ${String(params["limit"])} entries are needed`,
        ...optional(about(parent)),
        what: "value",
      };
    case "minLength":
      return {
        path,
        message: "an empty text is not possible here",
        ...optional(about(parent)),
        what: "value",
      };
    case "anyOf":
    case "oneOf": {
      const forms = (error.schema as Record<string, unknown>[]).map((form) => form["type"] ?? "object");
      return {
        path,
        message: `${value} is not ${typeName(forms)}`,
        ...optional(about(parent)),
        what: "value",
      };
    }
    default:
      return {
        path,
        message: `${value} ${error.message ?? "is not valid"}`,
        ...optional(about(parent)),
        what: "value",
      };
  }
}

function unknownKey(key: string, known: string[], patterns: string[]): { message: string; remedy?: string } {
  const near = nearest(key, known);
  if (near !== undefined) return { message: `unknown key \`${key}\``, remedy: `did you mean \`${near}\`?` };
  if (known.length === 0 && patterns.length > 0) {
    return {
      message: `\`${key}\` cannot be a key here`,
      remedy: `keys have the form ${patterns.join(" or ")}`,
    };
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
  const limit = Math.max(1, Math.floor(name.length / 3));
  return best !== undefined && best.score <= limit ? best.candidate : undefined;
}

/** Names for a message; of many only the first. */
export function list(names: readonly string[]): string {
  const shown = names.slice(0, 40).map((name) => `\`${name}\``);
  return shown.join(", ") + (names.length > shown.length ? ` and ${names.length - shown.length} more` : "");
}

/** A value for a message, short. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
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

/** What the schema says about the place: its description and an example. */
function about(schema: object): string | undefined {
  const { description, examples } = schema as { description?: string; examples?: unknown[] };
  const example = examples?.[0] === undefined ? undefined : `for example ${show(examples[0])}`;
  if (description === undefined) return example;
  return example === undefined ? description : `${description.replace(/\.$/, "")}, ${example}`;
}

function optional(remedy: string | undefined): { remedy?: string } {
  return remedy === undefined ? {} : { remedy };
}
