/** A property string (`name=eth0,bridge=vmbr0`, or `local:8,mp=/data` with a default key) as key → text. */
export class PropertyStringError extends Error {}

/**
 * Takes a comma-separated property string apart, without checking values.
 * @param defaultKey the key of an entry without `=`, if the format has one
 * @throws PropertyStringError with PVE's texts
 */
export function parsePropertyString(text: string, defaultKey?: string): Record<string, string> {
  const result: Record<string, string> = {};
  for (const entry of text.split(",")) {
    if (entry.trim() === "") continue;
    const match = /^([^=]+)=(.*)$/s.exec(entry);
    if (match?.[1] !== undefined && match[2] !== undefined) {
      const key = match[1].trim();
      if (key in result)
        throw new PropertyStringError(`duplicate key in comma-separated list property: ${key}\n`);
      result[key] = match[2];
    } else if (defaultKey === undefined) {
      throw new PropertyStringError("value without key, but schema does not define a default key\n");
    } else {
      if (defaultKey in result)
        throw new PropertyStringError(`duplicate key in comma-separated list property: ${defaultKey}\n`);
      result[defaultKey] = entry;
    }
  }
  return result;
}

/** What parsing needs of a key's description. */
export interface KeyFormat {
  readonly type?: string;
  readonly default_key?: number;
  readonly alias?: string;
}

/** `1` or `0` for a flag that was spelled otherwise, as in property strings and on command lines. */
export function spelledFlag(value: string): string {
  if (/^(?:1|on|yes|true)$/i.test(value)) return "1";
  return /^(?:0|off|no|false)$/i.test(value) ? "0" : value;
}

/**
 * Takes apart what a client sent, as PVE::JSONSchema::parse_property_string does: strictly, by the keys' description.
 * @throws PropertyStringError with PVE's texts
 */
export function parseSentProperties(
  text: string,
  format: Readonly<Record<string, KeyFormat>>,
): Record<string, string> {
  const result: Record<string, string> = {};
  const defaultKey = Object.keys(format).find((key) => format[key]?.default_key);
  const duplicate = (key: string): PropertyStringError =>
    new PropertyStringError(`duplicate key in comma-separated list property: ${key}\n`);
  for (const part of text.split(",")) {
    if (part.trim() === "") continue;
    const [, key, value] = /^([^=]+)=(.+)$/.exec(part) ?? [];
    if (key !== undefined && value !== undefined) {
      if (key in result) throw duplicate(key);
      // A key that is not described stays: the check of the values names it.
      const known = Object.hasOwn(format, key) ? format[key] : undefined;
      const name = known?.alias ?? key;
      result[name] = format[name]?.type === "boolean" ? spelledFlag(value) : value;
    } else if (part.includes("=")) {
      throw new PropertyStringError("missing key in comma-separated list property\n");
    } else if (defaultKey === undefined) {
      throw new PropertyStringError("value without key, but schema does not define a default key\n");
    } else {
      if (defaultKey in result) throw duplicate(defaultKey);
      result[defaultKey] = part;
    }
  }
  return result;
}
