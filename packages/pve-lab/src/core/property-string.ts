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
