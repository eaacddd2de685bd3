import type { Parameters } from "../core/route.ts";

/** Reading verified parameters with their types. */

export function textOf(parameters: Parameters, key: string): string | undefined {
  const value = parameters[key];
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
}

export function numberOf(parameters: Parameters, key: string): number | undefined {
  const value = parameters[key];
  return typeof value === "number"
    ? value
    : typeof value === "string" && value !== ""
      ? Number(value)
      : undefined;
}

export function flagOf(parameters: Parameters, key: string): boolean | undefined {
  const value = parameters[key];
  if (value === undefined) return undefined;
  return value === true || value === 1 || value === "1";
}

/** @throws Error when the route was called without it (its path holds it) */
export function vmidOf(parameters: Parameters, key = "vmid"): number {
  const vmid = numberOf(parameters, key);
  if (vmid === undefined || !Number.isInteger(vmid)) throw new Error(`missing '${key}'`);
  return vmid;
}

/** Configuration options among the parameters, as they stand in the file: booleans as 0 and 1. */
export function optionsOf(parameters: Parameters, others: ReadonlySet<string>): Record<string, string> {
  const options: Record<string, string> = {};
  for (const [key, value] of Object.entries(parameters)) {
    if (others.has(key) || value === undefined || value === null) continue;
    if (typeof value === "boolean") options[key] = value ? "1" : "0";
    else options[key] = typeof value === "string" ? value : JSON.stringify(value);
  }
  return options;
}
