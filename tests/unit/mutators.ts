import type { Config, Random } from "./random-config.ts";
import { set } from "./sources.ts";
import type { Json } from "./sources.ts";

/** Where the finding must point. */
export interface Place {
  file: "host.json" | "lxc.json";
  pointer: string;
}

export interface Mutator {
  name: string;
  /** Whether the schema still accepts the result, so that only the checks of the whole can see it. */
  schemaValid: boolean;
  /** Changes the configuration; undefined if there is nothing here to change like that. */
  apply(config: Config, random: Random): Place | undefined;
}

const numbered = (config: Config): string[] =>
  Object.keys(config.lxc.lxc_configs).filter((id) => Number(id) > 910);
const container = (config: Config, ctid: string): Json => config.lxc.lxc_configs[ctid] ?? {};
const inLxc = (ctid: string, rest: string): Place => ({
  file: "lxc.json",
  pointer: `/lxc_configs/${ctid}${rest}`,
});
const inHost = (pointer: string): Place => ({ file: "host.json", pointer });

/** Sets one key of a random container. */
function key(name: string, schemaValid: boolean, path: string, value: (random: Random) => unknown): Mutator {
  return {
    name,
    schemaValid,
    apply(config, random) {
      const ctid = random.pick(numbered(config));
      set(container(config, ctid), path.split("/").slice(1), value(random));
      return inLxc(ctid, path);
    },
  };
}

function host(name: string, schemaValid: boolean, path: string, value: unknown, place = path): Mutator {
  return {
    name,
    schemaValid,
    apply(config) {
      set(config.hypervisor, path.split("/").slice(1), value);
      return inHost(place);
    },
  };
}

/** Gives a container what another one has; the later one is the one to change. */
function twice(name: string, path: string): Mutator {
  return {
    name,
    schemaValid: true,
    apply(config) {
      const [first, second] = numbered(config).filter((_, i, all) => i === 0 || i === all.length - 1);
      if (first === undefined || second === undefined || first === second) return undefined;
      const parts = path.split("/").slice(1);
      const value = parts.reduce<unknown>((node, part) => (node as Json)[part], container(config, first));
      set(container(config, second), parts, value);
      return inLxc(second, path);
    },
  };
}

export const breaking: Mutator[] = [
  {
    name: "misspell a key",
    schemaValid: false,
    apply(config, random) {
      const ctid = random.pick(numbered(config));
      const known = random.pick(["memory_mb", "cores", "name", "features", "mac_address"]);
      const at = 1 + random.below(known.length - 1);
      const wrong = known.slice(0, at) + known.slice(at + 1);
      container(config, ctid)[wrong] = container(config, ctid)[known];
      return inLxc(ctid, `/${wrong}`);
    },
  },
  key("a key nobody knew", false, "/colour", () => "red"),
  key("text for a number", false, "/memory_mb", () => "much"),
  key("a list for an object", false, "/network_config", () => []),
  key("too small", false, "/cores", (random) => -random.below(5)),
  key(
    "an impossible address",
    false,
    "/network_config/ip",
    (random) => `10.0.0.${256 + random.below(700)}/24`,
  ),
  key("not in the list of values", false, "/clone_mode", () => "copied"),
  {
    name: "remove what is required",
    schemaValid: false,
    apply(config, random) {
      const ctid = random.pick(numbered(config));
      delete container(config, ctid)["name"];
      return inLxc(ctid, "");
    },
  },
  host("a disk by a name that changes", false, "/zfs/pools/0/disks/0", "/dev/sda"),
  host(
    "a literal secret",
    false,
    "/users",
    { username: "me", password_hash: "$6$x" },
    "/users/password_hash",
  ),
  key("a source that is not there", true, "/clone_from_ctid", (random) => String(1000 + random.below(9000))),
  key("a clone of a container", true, "/clone_from_ctid", () => "910"),
  {
    name: "a circle of clones",
    schemaValid: true,
    apply(config) {
      delete container(config, "900")["template"];
      container(config, "900")["clone_from_ctid"] = "902";
      return inLxc("900", "/clone_from_ctid");
    },
  },
  key("two sources", true, "/template", () => "debian-12"),
  {
    name: "a dependency that is not there",
    schemaValid: true,
    apply(config, random) {
      const ctid = random.pick(numbered(config));
      container(config, ctid)["dependencies"] = [String(1000 + random.below(9000))];
      return inLxc(ctid, "/dependencies/0");
    },
  },
  {
    name: "a circle of dependencies",
    schemaValid: true,
    apply(config, random) {
      const ctid = random.pick(numbered(config));
      container(config, ctid)["dependencies"] = [ctid];
      return inLxc(ctid, "/dependencies");
    },
  },
  twice("a name twice", "/name"),
  twice("an address twice", "/network_config/ip"),
  twice("a MAC address twice", "/mac_address"),
  key("the host's address", true, "/network_config/ip", () => "10.0.0.13/24"),
  key("an address outside", true, "/network_config/ip", (random) => `10.0.${1 + random.below(200)}.9/24`),
  key("a gateway outside", true, "/network_config/gw", (random) => `10.${1 + random.below(200)}.0.1`),
  key("no such bridge", true, "/network_config/bridge", () => "vmbr7"),
  key("no such storage", true, "/storage_pool", () => "elsewhere"),
  key("a storage for other things", true, "/storage_pool", (random) =>
    random.pick(["tank-iso", "fast-data"]),
  ),
  key("smaller than the template", true, "/storage_size_gb", () => 2),
  key("privileged from unprivileged", true, "/unprivileged", () => false),
  key("no such feature", true, "/features/0", () => "telepathy"),
  key(
    "a parameter out of range",
    true,
    "/features/0/parameters/port",
    (random) => 65536 + random.below(1000),
  ),
  {
    name: "an ability that a feature needs",
    schemaValid: true,
    apply(config, random) {
      const ctid = random.pick(numbered(config));
      Object.assign(container(config, ctid), { clone_from_ctid: "902", pct_options: ["nesting=0"] });
      return inLxc(ctid, "/pct_options");
    },
  },
  key("no such application", true, "/application_script", () => "magic.sh"),
  key("no such GPU", true, "/gpu_assignment", (random) => String(2 + random.below(7))),
  key("beyond the machine", true, "/cores", (random) => 65 + random.below(64)),
  {
    name: "two volumes at one place",
    schemaValid: true,
    apply(config, random) {
      const ctid = random.pick(numbered(config));
      const volume = { name: "one", pool: "fast-data", size_gb: 1, mount_point: "/same" };
      container(config, ctid)["volumes"] = [volume, { ...volume, name: "two" }];
      return inLxc(ctid, "/volumes/1/mount_point");
    },
  },
  {
    name: "before what it needs at boot",
    schemaValid: true,
    apply(config, random) {
      const ctid = random.pick(numbered(config));
      Object.assign(container(config, "910"), { start_at_boot: true, boot_order: 50, dependencies: [] });
      Object.assign(container(config, ctid), { start_at_boot: true, boot_order: 1, dependencies: ["910"] });
      return inLxc(ctid, "/boot_order");
    },
  },
  host("a disk twice", true, "/zfs/pools/1/disks/1", "/dev/disk/by-id/ata-A"),
  host("a mirror of one", true, "/zfs/pools/0/raid_level", "mirror", "/zfs/pools/0/disks"),
  host("a RAID word of another world", false, "/zfs/pools/1/raid_level", "raid6"),
  host("groups that do not come out even", true, "/zfs/pools/1/group_size", 3, "/zfs/pools/1/disks"),
  host(
    "a log on a data disk",
    true,
    "/zfs/pools/1/log_disks",
    ["/dev/disk/by-id/ata-A"],
    "/zfs/pools/1/log_disks/0",
  ),
  host(
    "a dataset in nothing",
    true,
    "/zfs/datasets/3",
    { name: "a/b", pool: "fast" },
    "/zfs/datasets/3/name",
  ),
  host("a mount over the system", true, "/zfs/datasets/0/mountpoint", "/usr/local"),
  host("a dataset in no pool", true, "/zfs/datasets/2/pool", "slow"),
  host("a dataset twice", true, "/zfs/datasets/1/name", "lxc"),
  host("images in the wrong storage", true, "/os_templates/0/storage", "tank-lxc"),
  host("a folder for nobody", true, "/shared_volumes/certs/mounts/999", "/certs"),
];

export const harmless: Mutator[] = [
  key("more memory", true, "/memory_mb", (random) => 1024 + random.below(4096)),
  key("a description", true, "/description", () => "a remark"),
  key("permission", true, "/allow", () => ["replace"]),
  key("a larger disk", true, "/storage_size_gb", (random) => 9 + random.below(90)),
  key("start at boot", true, "/start_at_boot", () => false),
  {
    name: "another order of keys",
    schemaValid: true,
    apply(config) {
      const entries = Object.entries(config.lxc.lxc_configs).reverse();
      config.lxc.lxc_configs = Object.fromEntries(
        entries.map(([ctid, value]) => [ctid, Object.fromEntries(Object.entries(value).reverse())]),
      );
      return inLxc("900", "");
    },
  },
  {
    name: "one more container",
    schemaValid: true,
    apply(config) {
      config.lxc.lxc_configs["990"] = {
        name: "more",
        clone_from_ctid: "900",
        network_config: { ip: "10.0.0.190/24" },
      };
      return inLxc("990", "");
    },
  },
  host("a place of its own", true, "/zfs/datasets/1/mountpoint", "/srv/iso"),
  host("a spare", true, "/zfs/pools/1/spare_disks", ["/dev/disk/by-id/ata-Z"]),
  host("a dataset more", true, "/zfs/datasets/3", { name: "more", pool: "fast" }),
];
