import type { Model } from "../../../../model/index.ts";

/** One right that the program uses. */
export interface Right {
  /** Path in Proxmox VE's permission tree. */
  readonly path: string;
  readonly privilege: string;
}

/** The name of the role, and of the user whose tokens have it; the user has no password. */
export const role = "Phoenix";
export const user = "phoenix@pve";

/** A token of its own for each stack, so that one can be taken back alone. */
export const tokenName = (stack: string): string => `pulumi-${stack}`;

/**
 * What the program asks of the API, and nothing else: each of these was taken away once and something was refused
 * (tests/own-host/own-host.lab.test.ts). What only root may do goes over SSH.
 */
export const privileges: Readonly<Record<string, string>> = {
  "VM.Allocate": "make and destroy containers",
  "VM.Clone": "clone a template",
  "VM.Audit": "read a container's configuration",
  "VM.PowerMgmt": "stop a container that is to be destroyed",
  "VM.Config.CPU": "set cores",
  "VM.Config.Memory": "set memory and swap",
  "VM.Config.Disk": "give a new container its root file system",
  "VM.Config.Network": "set host name, addresses and name servers",
  "VM.Config.Options": "set description and start at boot",
  "Datastore.Allocate": "register and forget storages, remove OS templates",
  "Datastore.AllocateSpace": "make root file systems",
  "Datastore.AllocateTemplate": "download OS templates",
  "SDN.Use": "connect to a bridge",
  "Sys.AccessNetwork": "let the node fetch an OS template",
};

/**
 * What only some configurations need; `access` adds it where the stack's does, and takes none of it away, since another
 * stack on the node may need it.
 */
export const sometimes: Readonly<Record<string, string>> = {
  "Sys.Modify": "make privileged containers from an OS template",
};

/** The privileges that a configuration needs beyond those that every one gets. */
export const morePrivileges = (model: Model): string[] =>
  Object.keys(sometimes).filter((one) => neededRights(model, "").some(({ privilege }) => privilege === one));

const ofGuest = [
  "VM.Allocate",
  "VM.Audit",
  "VM.PowerMgmt",
  "VM.Config.CPU",
  "VM.Config.Memory",
  "VM.Config.Disk",
  "VM.Config.Network",
  "VM.Config.Options",
];

/** What a configuration needs of the API, each right once. */
export function neededRights(model: Model, node: string): Right[] {
  const { host } = model;
  const guests = [...model.templates, ...model.containers];
  const all: Right[] = guests.flatMap(({ vmid, source, rootfs, network, unprivileged }) => [
    ...ofGuest.map((privilege) => ({ path: `/vms/${vmid}`, privilege })),
    ...(source.kind === "clone" ? [{ path: `/vms/${source.vmid}`, privilege: "VM.Clone" }] : []),
    ...(source.kind === "os-template" && !unprivileged ? [{ path: "/", privilege: "Sys.Modify" }] : []),
    { path: `/storage/${rootfs.storage}`, privilege: "Datastore.AllocateSpace" },
    ...network.map(({ bridge }) => ({ path: `/sdn/zones/localnetwork/${bridge}`, privilege: "SDN.Use" })),
  ]);
  if (host.storages.some(({ existing }) => !existing)) {
    all.push({ path: "/storage", privilege: "Datastore.Allocate" });
  }
  for (const { storage, url, existing } of host.osTemplates) {
    if (existing) {
      // To see what is in it, Proxmox VE takes this one as well as Datastore.Audit, and every role of ours has it.
      all.push({ path: `/storage/${storage}`, privilege: "Datastore.AllocateSpace" });
      continue;
    }
    all.push(
      { path: `/storage/${storage}`, privilege: "Datastore.AllocateTemplate" },
      { path: `/storage/${storage}`, privilege: "Datastore.Allocate" },
      ...(url === undefined ? [] : [{ path: `/nodes/${node}`, privilege: "Sys.AccessNetwork" }]),
    );
  }
  return all.filter(
    (right, i) =>
      all.findIndex(({ path, privilege }) => path === right.path && privilege === right.privilege) === i,
  );
}

/** Privileges by path, as `/access/permissions?path=…` answers. */
export type Permissions = ReadonlyMap<string, ReadonlySet<string>>;

/** The rights that are not there, as paths by privilege. */
export function missingRights(needed: readonly Right[], has: Permissions): Map<string, string[]> {
  const missing = new Map<string, string[]>();
  for (const { path, privilege } of needed) {
    if (has.get(path)?.has(privilege)) continue;
    missing.set(privilege, [...(missing.get(privilege) ?? []), path]);
  }
  return missing;
}
