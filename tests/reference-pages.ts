import { memberSchema, deref } from "../model/schema-walk.ts";
import type { Schema } from "../model/schema-walk.ts";

/** A reference page for a schema: one table for the top, one for each named part, in the order of first use. */
export function schemaPage(root: Schema, title: string, intro: string): string {
  const parts: { heading: string; schema: Schema }[] = [{ heading: "", schema: root }];
  const seen = new Set<unknown>();
  const lines = [`# ${title}`, "", intro, "", generatedNote];
  for (let i = 0; i < parts.length; i++) {
    const { heading, schema } = parts[i] ?? { heading: "", schema: {} };
    if (heading !== "") lines.push("", `## ${heading}`, "", text(schema["description"]));
    lines.push("", "| key | type | default | meaning |", "| --- | --- | --- | --- |");
    for (const [key, member] of members(root, schema)) {
      lines.push(row(key, member, required(schema).includes(key)));
      for (const part of inner(root, member)) {
        const name = text(part["title"]);
        if (name === "" || seen.has(name)) continue;
        seen.add(name);
        parts.push({ heading: name, schema: part });
      }
    }
  }
  return lines.join("\n") + "\n";
}

export const generatedNote = "_Written by `npm run generate` from the schemas and manifests; do not edit._";

function members(root: Schema, schema: Schema): [string, Schema][] {
  const own = Object.keys((schema["properties"] as object | undefined) ?? {});
  const result = own.map((key): [string, Schema] => [key, memberSchema(root, schema, key) ?? {}]);
  for (const [pattern, sub] of Object.entries((schema["patternProperties"] as object | undefined) ?? {})) {
    const name = pattern.startsWith("^[1-9]") ? "\\<CTID\\>" : "\\<name\\>";
    result.push([name, deref(root, sub as Schema)]);
  }
  return result;
}

/** Parts with tables of their own inside a member. */
function inner(root: Schema, schema: Schema): Schema[] {
  const below = [schema["items"], ...((schema["anyOf"] as unknown[] | undefined) ?? [])]
    .concat(Object.values((schema["patternProperties"] as object | undefined) ?? {}))
    .filter((sub) => typeof sub === "object" && sub !== null)
    .flatMap((sub) => inner(root, deref(root, sub as Schema)));
  return schema["title"] !== undefined && schema["type"] === "object" ? [schema] : below;
}

function required(schema: Schema): string[] {
  return (schema["required"] as string[] | undefined) ?? [];
}

function row(key: string, schema: Schema, needed: boolean): string {
  const shown = schema["default"] === undefined ? (needed ? "**required**" : "") : code(schema["default"]);
  const example = (schema["examples"] as unknown[] | undefined)?.[0];
  const parts = [text(schema["description"]), ...limits(schema)];
  if (example !== undefined) parts.push(`Example: ${code(example)}`);
  const name = key.startsWith("\\") ? key : `\`${key}\``;
  return `| ${name} | ${typeOf(schema)} | ${shown} | ${parts
    .filter((part) => part !== "")
    .join(" ")
    .replaceAll("|", "\\|")} |`;
}

function limits(schema: Schema): string[] {
  const { enum: values, minimum, maximum } = schema;
  const items = schema["items"] as Schema | undefined;
  const all = (values ?? items?.["enum"]) as unknown[] | undefined;
  const result = all === undefined ? [] : [`One of ${all.map(code).join(", ")}.`];
  if (minimum !== undefined && maximum !== undefined)
    result.push(`From ${text(minimum)} to ${text(maximum)}.`);
  else if (minimum !== undefined) result.push(`At least ${text(minimum)}.`);
  return result;
}

function typeOf(schema: Schema): string {
  if (schema["title"] !== undefined && schema["type"] === "object") {
    const title = text(schema["title"]);
    return `[${title}](#${title.toLowerCase()})`;
  }
  if (Array.isArray(schema["anyOf"]))
    return schema["anyOf"].map((form) => typeOf(form as Schema)).join(" or ");
  if (schema["type"] === "array") return `list of ${itemType(schema["items"] as Schema)}`;
  return text(schema["type"]);
}

function itemType(items: Schema): string {
  if (Array.isArray(items["anyOf"])) return "string or object";
  return items["$ref"] === undefined ? typeOf(items) : "object";
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function code(value: unknown): string {
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}
