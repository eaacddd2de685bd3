/** Privileges and built-in roles of Proxmox VE 8.4 (documented: pveum(1), «Roles», «Privileges»). */

interface Group {
  readonly root: readonly string[];
  readonly admin: readonly string[];
  readonly user: readonly string[];
  readonly audit: readonly string[];
}

const GROUPS: Readonly<Record<string, Group>> = {
  VM: {
    root: [],
    admin: [
      ...["Disk", "CPU", "Memory", "Network", "HWType", "Options"].map((part) => `VM.Config.${part}`),
      ...["Allocate", "Clone", "Migrate", "Monitor", "Snapshot", "Snapshot.Rollback"].map(
        (part) => `VM.${part}`,
      ),
    ],
    user: ["VM.Config.CDROM", "VM.Config.Cloudinit", "VM.Console", "VM.Backup", "VM.PowerMgmt"],
    audit: ["VM.Audit"],
  },
  Sys: {
    root: ["Sys.PowerMgmt", "Sys.Modify", "Sys.Incoming", "Sys.AccessNetwork"],
    admin: ["Sys.Console", "Sys.Syslog"],
    user: [],
    audit: ["Sys.Audit"],
  },
  Datastore: {
    root: [],
    admin: ["Datastore.Allocate", "Datastore.AllocateTemplate"],
    user: ["Datastore.AllocateSpace"],
    audit: ["Datastore.Audit"],
  },
  SDN: { root: [], admin: ["SDN.Allocate"], user: ["SDN.Use"], audit: ["SDN.Audit"] },
  User: {
    root: ["Realm.Allocate"],
    admin: ["User.Modify", "Group.Allocate", "Realm.AllocateUser"],
    user: [],
    audit: [],
  },
  Pool: { root: [], admin: ["Pool.Allocate"], user: ["Pool.Audit"], audit: ["Pool.Audit"] },
  Mapping: { root: [], admin: ["Mapping.Modify"], user: ["Mapping.Use"], audit: ["Mapping.Audit"] },
};

/** Privileges that the PVE 9 description asks for and 8.4 does not have; accepted so that either kind of client works. */
const NEWER = ["VM.Replicate", "VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted"];

const KNOWN = new Set([
  ...Object.values(GROUPS).flatMap(({ root, admin, user, audit }) => [...root, ...admin, ...user, ...audit]),
  "Permissions.Modify",
]);

export const ALL_PRIVILEGES: readonly string[] = [...KNOWN].sort();

export function isPrivilege(name: string): boolean {
  return KNOWN.has(name) || NEWER.includes(name);
}

function builtInRoles(): Map<string, ReadonlySet<string>> {
  const roles = new Map<string, Set<string>>([
    ["NoAccess", new Set()],
    ["Administrator", new Set(ALL_PRIVILEGES)],
    ["PVETemplateUser", new Set(["VM.Clone", "VM.Audit"])],
  ]);
  const grant = (role: string, privileges: readonly string[]): void => {
    const set = roles.get(role) ?? new Set<string>();
    for (const privilege of privileges) set.add(privilege);
    roles.set(role, set);
  };
  for (const [name, { admin, user, audit }] of Object.entries(GROUPS)) {
    grant(`PVE${name}Admin`, [...admin, ...user, ...audit]);
    grant("PVEAdmin", [...admin, ...user, ...audit]);
    if (user.length > 0) grant(`PVE${name}User`, [...user, ...audit]);
    grant("PVEAuditor", audit);
  }
  // Mappings hand out the node's hardware; PVE keeps them out of the general administrator's role.
  roles.get("PVEAdmin")?.delete("Mapping.Modify");
  return roles;
}

export const BUILT_IN_ROLES: ReadonlyMap<string, ReadonlySet<string>> = builtInRoles();
