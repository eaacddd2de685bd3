/**
 * Undoes percent encoding as PVE does: `%` without two hexadecimal digits stays as it is, and nothing ever throws.
 * Bytes that are no UTF-8 become U+FFFD.
 */
export function percentDecode(text: string): string {
  if (!text.includes("%")) return text;
  const parts = text.split(/((?:%[0-9a-fA-F]{2})+)/);
  return parts
    .map((part, index) => (index % 2 === 0 ? part : Buffer.from(part.replaceAll("%", ""), "hex").toString()))
    .join("");
}
