/** What the settings step of a container was, or is to be, given; only what cannot be changed as one likes. */
export interface SettingsInput {
  readonly parameters: {
    readonly rootfsGb?: number;
    /** Lines of the container's configuration that PVE has no key for. */
    readonly raw?: readonly (readonly [string, string])[];
  };
}

/**
 * What of an edit cannot be done to a container that is there. It is known from the two configurations alone, so a
 * preview says it.
 */
export function refusedSettings(before: SettingsInput, after: SettingsInput): string[] {
  const [old, now] = [before.parameters, after.parameters];
  const refused: string[] = [];
  if (old.rootfsGb !== undefined && now.rootfsGb !== undefined && now.rootfsGb < old.rootfsGb) {
    refused.push(
      `its root disk has ${old.rootfsGb} GiB and would have ${now.rootfsGb}: Proxmox VE cannot shrink it; ` +
        `set "storage_size_gb" back to ${old.rootfsGb}, or make another container and move what is in this one`,
    );
  }
  if (idMap(old.raw) !== idMap(now.raw)) {
    refused.push(
      `its ids would be mapped otherwise, and its files would belong to nobody: take the edit of "id_maps" back, ` +
        "or make another container with it and move what is in this one",
    );
  }
  return refused;
}

/** Without exceptions the usual map holds, which stands nowhere. */
const idMap = (raw: SettingsInput["parameters"]["raw"] = []): string =>
  raw
    .filter(([key]) => key === "lxc.idmap")
    .map(([, value]) => value)
    .sort()
    .join("\n");
