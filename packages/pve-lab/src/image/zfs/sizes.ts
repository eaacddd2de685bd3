const units = ["", "K", "M", "G", "T", "P", "E"];

/** Bytes from what zfs(8) accepts as a size: `131072`, `128K`, `1m`, `1.5GiB`; undefined if it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(?:([kmgtpe])(?:i?b)?|b)?$/i.exec(text);
  if (match === null) return undefined;
  const power = match[2] === undefined ? 0 : units.indexOf(match[2].toUpperCase());
  return Math.round(Number(match[1]) * 1024 ** power);
}

/** As zfs prints sizes for people: three digits at most, `1M`, `7.94G`. */
export function humanSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  if (Number.isInteger(value)) return `${value}${unit === 0 ? "" : (units[unit] ?? "")}`;
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return `${value.toFixed(digits)}${units[unit] ?? ""}`;
}
