import type { ContainerSpec } from "../../model/index.ts";

/** Ids of the host that Proxmox VE's own map gives to every guest. */
const SHIFTED = { first: 100_000, count: 65_536 };

/**
 * What the settings step is told: all that the provider loses on clones, replaces for, or may not do with a token. What
 * nobody asks for is left out.
 */
export function settingsOf(spec: ContainerSpec): Readonly<Record<string, unknown>> {
  const { volumes, mounts, devices, idMaps, lxcOptions, timezone, description } = spec;
  const own = volumes.map(({ source, mountPoint, readOnly }) => ({
    source,
    path: mountPoint,
    ...(readOnly ? { readOnly } : {}),
  }));
  const shared = mounts.map(({ source, mountPoint }) => ({ source, path: mountPoint }));
  const raw = [
    ...idMaps.map(({ kind, inside, outside, count }) => [
      "lxc.idmap",
      `${kind} ${inside} ${outside} ${count}`,
    ]),
    ...lxcOptions,
  ];
  const subordinateIds = idMaps
    .filter(({ outside }) => outside < SHIFTED.first || outside >= SHIFTED.first + SHIFTED.count)
    .map(({ kind, outside, count }) => ({ kind, first: outside, count }));
  return {
    features: spec.settings,
    ...given("mounts", [...own, ...shared]),
    ...given("devices", devices),
    ...given("raw", raw),
    ...given("subordinateIds", subordinateIds),
    ...(timezone === undefined ? {} : { options: { timezone } }),
    ...(description === undefined ? {} : { description }),
    rootfsGb: spec.rootfs.sizeGb,
    ready: spec.ready,
    started: true,
  };
}

const given = (key: string, list: readonly unknown[]): Record<string, readonly unknown[]> =>
  list.length > 0 ? { [key]: list } : {};
