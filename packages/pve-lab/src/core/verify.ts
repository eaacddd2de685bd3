import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { checkFormat } from "./formats.ts";
import { NAMED_PROPERTIES } from "./named-properties.ts";
import { parseSentProperties, PropertyStringError, spelledFlag } from "./property-string.ts";
import type { Property } from "./property.ts";
import { ApiError } from "./route.ts";

export interface ParameterSchema {
  properties?: Readonly<Record<string, Property>>;
  additionalProperties?: number | boolean;
}

export type ErrorMap = Record<string, string>;
type Values = Record<string, unknown>;

/** How many of an indexed `name[n]` there may be (PVE::LXC::Config: 32 nets, 256 of the others). */
const INDEX_PATTERN: Readonly<Record<string, string>> = { net: "(?:[12]?\\d|3[01])" };
const INDEX_DEFAULT = "(?:1?\\d{1,2}|2[0-4]\\d|25[0-5])";

const ajv = new Ajv({ allErrors: true, strict: false, unicodeRegExp: false, verbose: true });
ajv.addKeyword({
  keyword: "pveFormat",
  type: "string",
  errors: "full",
  validate: function check(
    format: string | Readonly<Record<string, Property>>,
    text: string,
    _schema?: unknown,
    at?: { instancePath: string },
  ): boolean {
    const name = at?.instancePath.split("/").pop() ?? "";
    const complaint =
      typeof format === "string" ? checkNamed(format, text, name) : checkPropertyString(format, text, name);
    const own = check as { errors?: Partial<ErrorObject>[] };
    own.errors = complaint === undefined ? [] : [{ keyword: "pveFormat", message: complaint, params: {} }];
    return complaint === undefined;
  },
});

function toJsonSchema(property: Property): Record<string, unknown> {
  const { type, format, enum: values, pattern, minimum, maximum, minLength, maxLength, items } = property;
  const isArray = type === "array";
  return {
    ...(type === undefined ? {} : { type }),
    ...(isArray && items ? { items: toJsonSchema(items) } : {}),
    ...(values ? { enum: type === "integer" ? values.map(Number) : values } : {}),
    ...(pattern === undefined ? {} : { pattern: `^(?:${pattern})$` }),
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
    ...(minLength === undefined ? {} : { minLength }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(format === undefined ? {} : { pveFormat: format }),
  };
}

interface Compiled {
  readonly validate: ValidateFunction;
  readonly property: (name: string) => Property | undefined;
}
const compiled = new WeakMap<object, Compiled>();

function compile(properties: Readonly<Record<string, Property>>, open: boolean): Compiled {
  const known = compiled.get(properties);
  if (known) return known;
  const plain: Values = {};
  const indexed: Values = {};
  const patterns: { test: RegExp; property: Property }[] = [];
  const needs: Record<string, string[]> = {};
  for (const [name, property] of Object.entries(properties)) {
    const index = /^(.*)\[n\]$/.exec(name);
    if (index?.[1] !== undefined) {
      const pattern = `^${index[1]}${INDEX_PATTERN[index[1]] ?? INDEX_DEFAULT}$`;
      indexed[pattern] = toJsonSchema(property);
      patterns.push({ test: new RegExp(pattern), property });
    } else {
      plain[name] = toJsonSchema(property);
      if (property.requires !== undefined) needs[name] = [property.requires];
    }
  }
  const required = Object.keys(properties).filter(
    (name) => !name.endsWith("[n]") && !properties[name]?.optional,
  );
  const validate = ajv.compile({
    type: "object",
    properties: plain,
    patternProperties: indexed,
    required,
    dependencies: needs,
    additionalProperties: open,
  });
  const property = (name: string): Property | undefined =>
    Object.hasOwn(properties, name)
      ? properties[name]
      : patterns.find(({ test }) => test.test(name))?.property;
  const result = { validate, property };
  compiled.set(properties, result);
  return result;
}

/** What PVE's JSON parser calls a value that a text was expected for. */
function gotOf(value: unknown): string {
  if (Array.isArray(value)) return "ARRAY";
  if (typeof value === "boolean") return "JSON::PP::Boolean";
  return typeof value === "string" || typeof value === "number" ? `'${value}'` : "HASH";
}

/** PVE takes lists for `…-list` texts, and single values for lists (PVE::RESTHandler). */
function reshape(value: unknown, property: Property | undefined): unknown {
  const isList = typeof property?.format === "string" && property.format.endsWith("-list");
  if (Array.isArray(value) && property?.type === "string" && isList) return value.join(",");
  const single = typeof value !== "object" && value !== "" && value !== "0" && value !== 0;
  return property?.type === "array" && single ? [value] : value;
}

const isNumber = (text: string): boolean => /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text);

/** Turns a text of the wire into the described type where it reads so; otherwise leaves it for the type check. */
function coerce(value: unknown, type: string | undefined, byHand: boolean): unknown {
  switch (type) {
    case "boolean": {
      const text = byHand && typeof value === "string" ? spelledFlag(value) : value;
      if (text === "1" || text === 1) return true;
      return text === "0" || text === 0 ? false : text;
    }
    case "integer":
      return typeof value === "string" && /^[+-]?\d+$/.test(value) ? Number(value) : value;
    case "number":
      return typeof value === "string" && isNumber(value) ? Number(value) : value;
    case "string":
      return typeof value === "number" ? String(value) : value;
    default:
      return value;
  }
}

/** PVE stops at a value's first fault, and looks in this order. */
const ORDER = ["type", "pveFormat", "pattern", "maxLength", "minLength", "maximum", "minimum", "enum"];

/** Ajv's finding in PVE's words, with the name of the property it belongs to. */
function translate(error: ErrorObject): [string, string] {
  const name = error.instancePath
    .slice(1)
    .replace(/\/(\d+)$/, "[$1]")
    .replaceAll("~1", "/")
    .replaceAll("~0", "~");
  const limit = String(error.schema);
  switch (error.keyword) {
    case "required":
      return [String(error.params["missingProperty"]), "property is missing and it is not optional"];
    case "additionalProperties":
      return [
        String(error.params["additionalProperty"]),
        "property is not defined in schema and the schema does not allow additional properties",
      ];
    case "dependencies":
      return [
        String(error.params["missingProperty"]),
        `missing property - '${String(error.params["property"])}' requires this property`,
      ];
    case "type": {
      const got = limit === "array" || limit === "object" ? "" : ` - got ${gotOf(error.data)}`;
      return [name, `type check ('${limit}') failed${got}`];
    }
    case "enum":
      return [
        name,
        `value '${String(error.data)}' does not have a value in the enumeration '${(error.schema as string[]).join(", ")}'`,
      ];
    case "minimum":
      return [name, `value must have a minimum value of ${limit}`];
    case "maximum":
      return [name, `value must have a maximum value of ${limit}`];
    case "minLength":
      return [name, `value must be at least ${limit} characters long`];
    case "maxLength":
      return [name, `value may only be ${limit} characters long`];
    case "pattern":
      return [name, "value does not match the regex pattern"];
    case "pveFormat":
      return [name, `invalid format - ${error.message ?? ""}`];
    default:
      return [name, error.message ?? error.keyword];
  }
}

function check(
  schema: ParameterSchema,
  values: Values,
  byHand = false,
): { values: Values; errors: ErrorMap } {
  const { validate, property } = compile(schema.properties ?? {}, Boolean(schema.additionalProperties));
  const typed: Values = {};
  const errors: ErrorMap = {};
  for (const [name, value] of Object.entries(values)) {
    const known = property(name);
    // A key without a value is not there, unless nobody knows it.
    if (known && (value === null || value === undefined)) continue;
    const now = coerce(reshape(value, known), known?.type, byHand);
    typed[name] = now;
    // Formats read what was sent: `0900` is a number, and no vmid.
    if (!Number.isInteger(now) || typeof known?.format !== "string") continue;
    const complaint = checkFormat(known.format, String(value));
    if (complaint !== undefined) errors[name] = `invalid format - ${complaint}`;
  }
  if (!validate(typed)) {
    const rank = ({ keyword }: ErrorObject): number => ORDER.indexOf(keyword);
    for (const error of [...(validate.errors ?? [])].sort((a, b) => rank(a) - rank(b))) {
      const [name, text] = translate(error);
      errors[name] ??= text;
    }
  }
  return { values: typed, errors };
}

type Keys = Readonly<Record<string, Property>>;

/** PVE's complaint about a property string, or its values. */
function readProperties(keys: Keys, text: string, name: string): string | Values {
  try {
    const { values, errors } = check({ properties: keys }, parseSentProperties(text, keys));
    const lines = Object.entries(errors).map(([key, message]) => `${name}.${key}: ${message}\n`);
    return lines.length === 0 ? values : `format error\n${lines.join("")}`;
  } catch (error) {
    if (error instanceof PropertyStringError) return error.message;
    throw error;
  }
}

function checkPropertyString(keys: Keys, text: string, name: string): string | undefined {
  const read = readProperties(keys, text, name);
  return typeof read === "string" ? read : undefined;
}

function checkNamed(format: string, text: string, name: string): string | undefined {
  const named = NAMED_PROPERTIES[format];
  if (!named) return checkFormat(format, text);
  const read = readProperties(named.keys, text, name);
  return typeof read === "string" ? read : named.together(read);
}

/**
 * Verifies parameters against their description and returns them typed.
 * @param byHand whether a person typed them: command lines know more spellings of a flag than 1 and 0
 * @throws ApiError 400 `Parameter verification failed.` with PVE's text for each wrong parameter
 */
export function verifyParameters(schema: ParameterSchema, values: Values, byHand = false): Values {
  const result = check(schema, values, byHand);
  if (Object.keys(result.errors).length > 0)
    throw new ApiError(400, "Parameter verification failed.", result.errors);
  return result.values;
}
