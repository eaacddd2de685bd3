/**
 * Perl writes a compiled expression as `(?^:…)`; JavaScript has no such group, `(?:…)` means the same here.
 * @throws SyntaxError when the result is not an expression JavaScript knows
 */
export function toJavaScriptPattern(pattern: string): string {
  const converted = pattern
    .replaceAll("(?^:", "(?:")
    .replaceAll(/\(\?\^([ims]+):/g, "(?$1:")
    .replaceAll("\\A", "^")
    .replaceAll(/\\[zZ]/g, "$")
    .replaceAll("\\@", "@");
  new RegExp(converted);
  return converted;
}
