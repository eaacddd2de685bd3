import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { defaults } from "../../model/inherit.ts";
import { memberSchema } from "../../model/schema-walk.ts";
import type { Schema } from "../../model/schema-walk.ts";
import { schemas } from "../../model/schemas.ts";
import { generate } from "../generate.ts";
import { root } from "./sources.ts";

test("types and reference pages are what the schemas give: else `npm run generate`", async () => {
  for (const [path, text] of await generate())
    expect(readFileSync(join(root, path), "utf8"), path).toBe(text);
});

test("defaults in the schema are the ones that hold", () => {
  const container =
    memberSchema(schemas.lxc, memberSchema(schemas.lxc, schemas.lxc, "lxc_configs") ?? {}, "900") ?? {};
  for (const [key, value] of Object.entries(defaults)) {
    const schema = key
      .split(".")
      .reduce<Schema>((sub, part) => memberSchema(schemas.lxc, sub, part) ?? {}, container);
    expect(schema["default"], key).toEqual(value);
  }
});
