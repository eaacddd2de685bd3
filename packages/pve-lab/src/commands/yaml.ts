const PLAIN = /^[A-Za-z_./][\w./@+-]*$/;
const WORDS = /^(?:true|false|yes|no|on|off|null|y|n|~)$/i;

function scalar(value: unknown): string {
  if (value === null || value === undefined) return "~";
  if (typeof value !== "string") return JSON.stringify(value);
  if (PLAIN.test(value) && !WORDS.test(value)) return value;
  return /[\n\t\\]/.test(value) ? JSON.stringify(value) : `'${value.replaceAll("'", "''")}'`;
}

function lines(value: unknown): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return ["[]"];
    return value.flatMap((item: unknown) =>
      lines(item).map((line, index) => `${index === 0 ? "- " : "  "}${line}`),
    );
  }
  if (typeof value !== "object" || value === null) return [scalar(value)];
  const entries = Object.entries(value);
  if (entries.length === 0) return ["{}"];
  return entries.flatMap(([key, item]: [string, unknown]) => {
    const inner = lines(item);
    const nested = typeof item === "object" && item !== null && Object.keys(item).length > 0;
    if (!nested) return [`${scalar(key)}: ${inner.join("")}`];
    return [`${scalar(key)}:`, ...inner.map((line) => (Array.isArray(item) ? line : `  ${line}`))];
  });
}

/** YAML in block style, as libyaml dumps it; strings that are not plain words are quoted. */
export function yaml(value: unknown): string {
  const text = lines(value);
  return text.length === 1 && (typeof value !== "object" || value === null)
    ? `--- ${text.join("")}\n`
    : `---\n${text.join("\n")}\n`;
}
