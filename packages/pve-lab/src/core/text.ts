/** A parameter as text: flags as 1 and 0, nothing as the empty text. Parameters are never objects. */
export function asText(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "1" : "0";
  return typeof value === "number" ? value.toString() : "";
}
