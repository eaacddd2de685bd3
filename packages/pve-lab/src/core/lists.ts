/** Splits a `…-list` parameter as PVE does: NUL-separated (repeated keys), else by comma, semicolon or white space. */
export function splitList(text: unknown): string[] {
  if (Array.isArray(text)) return text.map(String);
  if (typeof text !== "string") return [];
  const parts = text.includes("\0") ? text.split("\0") : text.split(/[,;\s]+/);
  return parts.filter((part) => part !== "");
}
