import type { HypervisorConfig } from "./generated/hypervisor-config.ts";
import type { Locator } from "./locate.ts";
import { storageIdOf } from "./storages.ts";
import type { Path } from "./text.ts";
import { zfsOf } from "./zfs.ts";

/**
 * Where storages and images were written, for what is only seen on the node: `storage:ID` and `image:NAME` with
 * `FILE:LINE:COLUMN`.
 */
export function placesOf(config: HypervisorConfig, locator: Locator): Map<string, string> {
  const places = new Map<string, string>();
  const put = (thing: string, path: Path): void => {
    const { file, line, column } = locator.find(path);
    places.set(thing, `${file}:${line}:${column}`);
  };
  zfsOf(config).datasets.forEach((dataset, i) =>
    put(`storage:${storageIdOf(dataset)}`, ["zfs", "datasets", i]),
  );
  (config.storages ?? []).forEach(({ id }, i) => put(`storage:${id}`, ["storages", i]));
  (config.os_templates ?? []).forEach(({ name }, i) => put(`image:${name}`, ["os_templates", i]));
  return places;
}
