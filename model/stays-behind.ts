import type { HostSpec, Model } from "./types.ts";

/**
 * What `destroy` leaves on the host, one thing a line: data that nothing allows to be destroyed, and what other things
 * may have come to need.
 */
export function staysBehind({ host, containers }: Pick<Model, "host" | "containers">): string[] {
  return [
    ...zfsOf(host),
    ...volumesOf(containers),
    ...sharedOf(host),
    ...packagesOf(host),
    ...filesOf(host),
    ...usersOf(host),
  ];
}

function volumesOf(containers: Model["containers"]): string[] {
  return containers.flatMap(({ vmid, volumes }) =>
    volumes
      .filter(({ allow }) => !allow.includes("destroy"))
      .map(({ name, dataset }) => `volume ${name} of container ${vmid} (${dataset}), with its data`),
  );
}

function sharedOf({ sharedVolumes }: HostSpec): string[] {
  return sharedVolumes
    .filter((shared) => shared.kind === "folder" || !shared.allow.includes("destroy"))
    .map(({ kind, name, source }) => `shared ${kind} ${name} (${source}), with its data`);
}

function zfsOf({ pools, datasets }: HostSpec): string[] {
  const keeps = ({ existing, allow }: { existing: boolean; allow: readonly string[] }): boolean =>
    !existing && !allow.includes("destroy");
  return [
    ...pools.filter(keeps).map(({ name }) => `pool ${name}, with all that is in it`),
    ...datasets.filter(keeps).map(({ path }) => `dataset ${path}, with its data`),
  ];
}

function packagesOf({ base, nvidia }: HostSpec): string[] {
  const names = [
    ...base.packages,
    ...(base.timeServers.length > 0 ? ["chrony"] : []),
    ...(base.logRotations.length > 0 ? ["logrotate"] : []),
  ];
  return [
    ...(names.length > 0 ? [`packages: ${[...new Set(names)].sort().join(", ")}`] : []),
    ...(base.upgrade === undefined ? [] : [`what the upgrade ${base.upgrade} brought`]),
    ...(nvidia === undefined ? [] : [`the NVIDIA driver ${nvidia.version}, loaded as it is`]),
  ];
}

/** Whether one was edited is only known on the node. */
function filesOf({ base: { repositories } }: HostSpec): string[] {
  if (repositories.length === 0) return [];
  const names = repositories.map(({ name }) => name).join(", ");
  return [`packages from the repositories ${names}; a file of theirs that was edited by hand, too`];
}

function usersOf({ users }: HostSpec): string[] {
  return users.map(({ username }) => `user ${username}, with its files, without the rights given here`);
}
