import { subordinateIds, type ContainerSpec } from "../../model/index.ts";

/**
 * What the settings step is told: all that the provider loses on clones, replaces for, or may not do with a token. What
 * nobody asks for is left out.
 */
export function settingsOf(spec: ContainerSpec): Readonly<Record<string, unknown>> {
  const { volumes, mounts, devices, idMaps, lxcOptions, timezone, description } = spec;
  const own = volumes.map(({ source, dataset, mountPoint, readOnly }) => ({
    source,
    dataset,
    path: mountPoint,
    ...(readOnly ? { readOnly } : {}),
  }));
  const shared = mounts.map(({ mountPoint, ...what }) => ({ ...what, path: mountPoint }));
  const raw = [
    ...idMaps.map(({ kind, inside, outside, count }) => [
      "lxc.idmap",
      `${kind} ${inside} ${outside} ${count}`,
    ]),
    ...lxcOptions,
  ];
  return {
    features: spec.settings,
    ...given("mounts", [...own, ...shared]),
    ...given("devices", devices),
    ...given("raw", raw),
    ...given("subordinateIds", subordinateIds(idMaps)),
    ...(timezone === undefined ? {} : { options: { timezone } }),
    ...(description === undefined ? {} : { description }),
    rootfsGb: spec.rootfs.sizeGb,
    ready: spec.ready,
    started: true,
  };
}

const given = (key: string, list: readonly unknown[]): Record<string, readonly unknown[]> =>
  list.length > 0 ? { [key]: list } : {};
