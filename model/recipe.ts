import { createHash } from "node:crypto";
import type { ContainerSpec } from "./types.ts";

/** Content digests of scripts (script, manifest and library), by `FeatureSpec.script`. */
export type ScriptDigests = Readonly<Record<string, string>>;

/**
 * What a template is made of, as a digest: OS image or parent, what is baked into the root file system, features with
 * script versions and parameters. Name, address, memory and cores are not in it: clones bring their own.
 * @param parentDigest recipe of the template it is cloned from; undefined for one made from an OS image
 * @throws Error if the digest of one of its scripts is not given
 */
export function recipeDigest(
  container: ContainerSpec,
  parentDigest: string | undefined,
  scriptDigests: ScriptDigests,
): string {
  const { source } = container;
  const recipe = {
    source:
      source.kind === "os-template"
        ? { image: source.image }
        : { parent: parentDigest ?? null, mode: source.mode },
    rootfs: container.rootfs,
    unprivileged: container.unprivileged,
    settings: container.settings,
    // What files belong to, and raw settings, which Proxmox VE copies to clones.
    ...(container.idMaps.length > 0 ? { idMaps: container.idMaps } : {}),
    ...(container.lxcOptions.length > 0 ? { lxcOptions: container.lxcOptions } : {}),
    features: container.features.map(({ name, script, parameters }) => {
      const digest = scriptDigests[script];
      if (digest === undefined) throw new Error(`no digest is given for the script ${script}`);
      return { name, digest, parameters };
    }),
  };
  return createHash("sha256").update(canonical(recipe)).digest("hex").slice(0, 16);
}

/** JSON with sorted keys: the same meaning gives the same text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null)
    return value === undefined ? "null" : JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(",")}}`;
}
