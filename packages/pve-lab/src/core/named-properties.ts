import type { Property } from "./property.ts";

/** A property string that the API description only names: its keys, and a check of them together. */
export interface NamedProperties {
  readonly keys: Readonly<Record<string, Property>>;
  /** PVE's complaint about the values, or nothing. */
  readonly together: (values: Readonly<Record<string, unknown>>) => string | undefined;
}

const count: Property = { type: "integer", minimum: 0, optional: 1 };

/** What a storage keeps of a guest's backups (PVE::Storage::Plugin). */
const pruneBackups: NamedProperties = {
  keys: {
    "keep-all": { type: "boolean", optional: 1 },
    "keep-last": count,
    "keep-hourly": count,
    "keep-daily": count,
    "keep-weekly": count,
    "keep-monthly": count,
    "keep-yearly": count,
  },
  together: ({ "keep-all": all, ...others }) =>
    all === true && Object.values(others).some((number) => Number(number) > 0)
      ? "keep-all cannot be set together with other options.\n"
      : undefined,
};

export const NAMED_PROPERTIES: Readonly<Record<string, NamedProperties>> = { "prune-backups": pruneBackups };
