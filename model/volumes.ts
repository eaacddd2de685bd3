import type { Input, Resolved } from "./resolution.ts";
import type { HypervisorConfig, SharedVolume, SharedZfsVolume } from "./generated/hypervisor-config.ts";
import { unknownName } from "./names.ts";
import { hostId } from "./id-maps.ts";
import type { Locator } from "./locate.ts";
import type { Path } from "./text.ts";
import { mountPointOf, zfsOf } from "./zfs.ts";
import type { ContainerSpec, MountSpec, OwnerSpec, SharedVolumeSpec, VolumeSpec } from "./types.ts";

interface Sources {
  hostConfig: HypervisorConfig;
  hostLocator: Locator;
  resolved: ReadonlyMap<number, Resolved>;
  input: Input;
}

/**
 * A container's own volumes, each a dataset of its own that is named after the container and the volume: order and
 * additions mean nothing. Volumes whose storage is not made from a dataset are a finding elsewhere.
 */
export function volumesOf(
  spec: Pick<ContainerSpec, "vmid" | "unprivileged" | "idMaps">,
  input: Input,
): VolumeSpec[] {
  const volumes = (input.configs.get(spec.vmid)?.volumes ?? []).flatMap((volume): VolumeSpec[] => {
    const dataset = input.host.storages.find(({ id }) => id === volume.pool)?.dataset;
    if (dataset === undefined) return [];
    const path = `${dataset}/volume-${spec.vmid}-${volume.name}`;
    return [
      {
        name: volume.name,
        dataset: path,
        source: `/${path}`,
        mountPoint: volume.mount_point,
        sizeGb: volume.size_gb,
        readOnly: volume.read_only ?? false,
        owner: ownerOf(spec, volume),
        protect: volume.protect ?? false,
        allow: volume.allow ?? [],
      },
    ];
  });
  return volumes.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function ownerOf(
  spec: Pick<ContainerSpec, "unprivileged" | "idMaps">,
  { owner_uid = 0, owner_gid = 0 }: { owner_uid?: number; owner_gid?: number },
): OwnerSpec {
  return { uid: hostId(spec, "u", owner_uid), gid: hostId(spec, "g", owner_gid) };
}

/** What several containers see: a folder of the host, or a dataset of its own. Fills in each container's `mounts`. */
export function shareVolumes(sources: Sources): SharedVolumeSpec[] {
  const { hostConfig } = sources;
  const folders = Object.entries(hostConfig.shared_volumes ?? {}).map(([name, volume]) =>
    shareFolder(name, volume, sources),
  );
  const datasets = Object.entries(hostConfig.shared_zfs_volumes ?? {}).flatMap(([name, volume]) =>
    shareDataset(name, volume, sources),
  );
  for (const { spec } of sources.resolved.values())
    spec.mounts.sort((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1));
  return [...folders, ...datasets];
}

function shareFolder(name: string, volume: SharedVolume, sources: Sources): SharedVolumeSpec {
  const path: Path = ["shared_volumes", name];
  const dataset = datasetAt(sources, volume.host_path);
  const within = dataset === undefined ? {} : { dataset };
  mount({ source: volume.host_path, ...within }, volume.mounts, path, sources);
  return {
    kind: "folder",
    name,
    source: volume.host_path,
    ...(dataset === undefined ? {} : { within: dataset }),
    owner: sharedOwner(volume, path, sources),
    allow: volume.allow ?? [],
  };
}

function shareDataset(name: string, volume: SharedZfsVolume, sources: Sources): SharedVolumeSpec[] {
  const { hostConfig, hostLocator, input } = sources;
  const path: Path = ["shared_zfs_volumes", name];
  const pools = zfsOf(hostConfig).pools.map((pool) => pool.name);
  const storage = input.host.storages.find(({ id }) => id === volume.pool);
  const base = storage?.dataset ?? (pools.includes(volume.pool) ? volume.pool : undefined);
  if (base === undefined) {
    const known = [...input.host.storages.filter(({ dataset }) => dataset).map(({ id }) => id), ...pools];
    if (storage === undefined)
      input.findings.add(
        hostLocator,
        [...path, "pool"],
        ...unknownName("storage or pool", volume.pool, known),
      );
    else
      input.findings.add(
        hostLocator,
        [...path, "pool"],
        `the storage \`${volume.pool}\` is not made from a dataset`,
        { remedy: "volumes are datasets of their own; name a pool, or the storage of a dataset" },
      );
    return [];
  }
  const dataset = `${base}/shared-${name}`;
  mount({ source: `/${dataset}`, dataset }, volume.mounts ?? {}, path, sources);
  return [
    {
      kind: "dataset",
      name,
      dataset,
      source: `/${dataset}`,
      sizeGb: volume.size_gb,
      owner: sharedOwner(volume, path, sources),
      allow: volume.allow ?? [],
    },
  ];
}

/** A container's own volume takes precedence over what is shared at the same place. */
function mount(
  what: Pick<MountSpec, "source" | "dataset">,
  mounts: Readonly<Record<string, string | undefined>>,
  path: Path,
  sources: Sources,
): void {
  const { resolved, input, hostLocator } = sources;
  for (const [ctid, mountPoint = ""] of Object.entries(mounts)) {
    const spec = resolved.get(Number(ctid))?.spec;
    if (spec === undefined) continue;
    const place: Path = [...path, "mounts", ctid];
    if (spec.isTemplate) {
      const message = `${ctid} is a template, which cannot be cloned with a folder of the host in it`;
      input.findings.add(hostLocator, place, message, { remedy: "name the containers that are to see it" });
      continue;
    }
    const own = spec.volumes.find((volume) => volume.mountPoint === mountPoint);
    if (own === undefined) spec.mounts.push({ ...what, mountPoint });
    else {
      const message = `${ctid} has its own volume \`${own.name}\` at ${mountPoint}, which it sees instead`;
      input.findings.warn(hostLocator, place, message);
    }
  }
}

/** One owner for all that see it: a container with another map would see somebody else's files. */
function sharedOwner(
  volume: { mounts?: Readonly<Record<string, string | undefined>>; owner_uid?: number; owner_gid?: number },
  path: Path,
  { resolved, input, hostLocator }: Sources,
): OwnerSpec {
  let first: { ctid: string; owner: OwnerSpec } | undefined;
  for (const ctid of Object.keys(volume.mounts ?? {})) {
    const spec = resolved.get(Number(ctid))?.spec;
    if (spec === undefined) continue;
    const owner = ownerOf(spec, volume);
    first ??= { ctid, owner };
    if (owner.uid === first.owner.uid && owner.gid === first.owner.gid) continue;
    const message = `${first.ctid} and ${ctid} map ids differently: what belongs to one is nobody's in the other`;
    input.findings.warn(hostLocator, [...path, "mounts", ctid], message, {
      remedy: "make both privileged or both unprivileged, with the same `id_maps`",
    });
  }
  return first?.owner ?? { uid: volume.owner_uid ?? 0, gid: volume.owner_gid ?? 0 };
}

/** The dataset at or below whose mount point a path lies; the innermost one. */
export function datasetAt({ hostConfig }: Pick<Sources, "hostConfig">, path: string): string | undefined {
  const { datasets } = zfsOf(hostConfig);
  return datasets
    .map((dataset) => ({ name: `${dataset.pool}/${dataset.name}`, place: mountPointOf(dataset, datasets) }))
    .filter(({ place }) => place !== undefined && (path === place || path.startsWith(`${place}/`)))
    .sort((a, b) => (b.place?.length ?? 0) - (a.place?.length ?? 0))[0]?.name;
}
