import { createHash } from "node:crypto";
import { canonical } from "../model/recipe.ts";

/** A short digest of plain data: the same meaning gives the same text. */
export function digestOf(value: unknown): string {
  return createHash("sha256").update(canonical(value)).digest("hex").slice(0, 16);
}
