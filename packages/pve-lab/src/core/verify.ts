import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { checkFormat } from "./formats.ts";
import { parsePropertyString, PropertyStringError } from "./property-string.ts";
import { ApiError } from "./route.ts";

/** A property of the API description, as far as verification needs it. */
export interface Property {
  type?: string;
  format?: string | Readonly<Record<string, Property>>;
  optional?: number | boolean;
  enum?: readonly string[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  requires?: string;
  default_key?: number;
  alias?: string;
  items?: Property;
}
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
      typeof format === "string" ? checkFormat(format, text) : checkPropertyString(format, text, name);
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
    ...(values ? { enum: values } : {}),
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

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "ARRAY";
  if (value !== null && typeof value === "object") return "HASH";
  return String(value);
}

/** Turns a text of the wire into the described type where it reads so; otherwise leaves it for the type check. */
function coerce(value: unknown, type: string | undefined): unknown {
  switch (type) {
    case "boolean":
      if (/^(?:1|on|yes|true)$/i.test(String(value))) return true;
      return /^(?:0|off|no|false)$/i.test(String(value)) ? false : value;
    case "integer":
      return typeof value === "string" && /^[+-]?\d+$/.test(value) ? Number(value) : value;
    case "number":
      return typeof value === "string" && /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(value)
        ? Number(value)
        : value;
    case "array":
      if (typeof value === "string") return value === "" ? [] : value.split("\0");
      return value;
    case "string":
      if (typeof value === "boolean") return value ? "1" : "0";
      return typeof value === "number" ? String(value) : value;
    default:
      return value;
  }
}

/** Ajv's finding in PVE's words, with the name of the property it belongs to. */
function translate(error: ErrorObject): [string, string] {
  const name = error.instancePath.slice(1).replaceAll("~1", "/").replaceAll("~0", "~");
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
    case "type":
      return [
        name,
        `type check ('${limit}') failed - got '${kindOf(error.data)}'`.replace(/'(ARRAY|HASH)'$/, "$1"),
      ];
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

function check(schema: ParameterSchema, values: Values): { values: Values; errors: ErrorMap } {
  const { validate, property } = compile(schema.properties ?? {}, Boolean(schema.additionalProperties));
  const typed = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, coerce(value, property(name)?.type)]),
  );
  const errors: ErrorMap = {};
  if (!validate(typed)) {
    for (const error of validate.errors ?? []) {
      const [name, text] = translate(error);
      // A pattern says the same about a value as its format, less clearly; the first finding stands.
      errors[name] ??= text;
    }
  }
  return { values: typed, errors };
}

function checkPropertyString(
  format: Readonly<Record<string, Property>>,
  text: string,
  name: string,
): string | undefined {
  const defaultKey = Object.keys(format).find((key) => format[key]?.default_key);
  try {
    const raw: Values = parsePropertyString(text, defaultKey);
    for (const [key, value] of Object.entries(raw)) {
      const alias = format[key]?.alias;
      if (alias === undefined) continue;
      Reflect.deleteProperty(raw, key);
      raw[alias] = value;
    }
    const { errors } = check({ properties: format }, raw);
    const lines = Object.entries(errors).map(([key, message]) => `${name}.${key}: ${message}\n`);
    return lines.length === 0 ? undefined : `format error\n${lines.join("")}`;
  } catch (error) {
    if (error instanceof PropertyStringError) return error.message;
    throw error;
  }
}

/**
 * Verifies parameters against their description and returns them typed.
 * @throws ApiError 400 `Parameter verification failed.` with PVE's text for each wrong parameter
 */
export function verifyParameters(schema: ParameterSchema, values: Values): Values {
  const result = check(schema, values);
  if (Object.keys(result.errors).length > 0)
    throw new ApiError(400, "Parameter verification failed.", result.errors);
  return result.values;
}
