/** Each leaf of the schemas with two values and the configuration that they are tried in. */
import pending from "../../model/pending-keys.json" with { type: "json" };
import { leaves } from "../../model/schema-walk.ts";
import type { Leaf } from "../../model/schema-walk.ts";
import { schemas } from "../../model/schemas.ts";
import { values } from "./leaf-values.ts";
import { set, small } from "./sources.ts";
import type { Json } from "./sources.ts";

/** Where a value is only checked, or only says that something is there: two values, of which the second is refused. */
export const onlyChecked: Record<string, [string, unknown, unknown]> = {
  "hypervisor network.interfaces.address": ["network.interfaces.address", "10.0.0.13/24", "10.0.0.112/24"],
  "hypervisor network.interfaces.gateway": ["network.interfaces.gateway", "10.0.0.1", "10.0.1.1"],
  "hypervisor storages[].type": ["storages.0.type", "dir", "lvmthin"],
  "hypervisor storages[].content[]": ["storages.0.content", ["rootdir", "vztmpl"], ["vztmpl"]],
  "hypervisor hardware.cores": ["hardware.cores", 8, 1],
  "hypervisor hardware.memory_mb": ["hardware.memory_mb", 65536, 1024],
  "hypervisor hardware.gpus": ["hardware.gpus", 2, 0],
  "hypervisor network.bridges[].name": ["network.bridges.0.name", "vmbr9", "vmbr8"],
  "hypervisor storages[].existing": ["storages.0.existing", true, false],
  "hypervisor nvidia_driver.install": ["nvidia_driver.install", true, false],
  "lxc nvidia_driver_version": ["nvidia_driver_version", "580.76.05", "580.76.06"],
  "hypervisor network.bridges[].existing": ["network.bridges.0.existing", true, false],
};

/** For the editor alone. */
const editorOnly = ["hypervisor $schema", "lxc $schema"];

const sum = "c".repeat(64);
const vendor = {
  "hypervisor nvidia_driver": { source: "vendor-repository", repository: { key_sha256: sum } },
};
const guestVendor = { lxc: { nvidia_repo_url: "http://example.com/r/", nvidia_repo_key_sha256: sum } };
const byRunfile = {
  "hypervisor nvidia_driver": { runfile_url: "http://example.com/r.run", runfile_sha256: sum },
};

/** What else must be there for a leaf to count, by section of a file. */
const companions: Record<string, Record<string, Json>> = {
  "hypervisor nvidia_driver.source": {
    "hypervisor nvidia_driver": { repository: { key_sha256: sum } },
    lxc: { nvidia_source: "distribution" },
  },
  "hypervisor nvidia_driver.repository.uri": { ...vendor, lxc: { nvidia_source: "distribution" } },
  "hypervisor nvidia_driver.repository.key_url": { ...vendor, lxc: { nvidia_source: "distribution" } },
  "hypervisor nvidia_driver.repository.key_sha256": { ...vendor, lxc: { nvidia_source: "distribution" } },
  "hypervisor nvidia_driver.runfile_url": byRunfile,
  "hypervisor nvidia_driver.runfile_sha256": byRunfile,
  "hypervisor nvidia_driver.cuda_version": guestVendor,
  "lxc nvidia_source": guestVendor,
  "lxc nvidia_repo_url": { lxc: { ...guestVendor.lxc, nvidia_source: "vendor-repository" } },
  "lxc nvidia_repo_key_sha256": { lxc: { ...guestVendor.lxc, nvidia_source: "vendor-repository" } },
  "lxc nvidia_runfile_url": { lxc: { nvidia_runfile_sha256: sum } },
  "lxc nvidia_runfile_sha256": { lxc: { nvidia_runfile_url: "http://example.com/r.run" } },
};

/** The container in which a leaf is changed, where it is not 912, which is made from an image. */
const places: Record<string, string> = {
  "lxc lxc_configs.*.clone_from_ctid": "911",
  "lxc lxc_configs.*.clone_mode": "911",
  "lxc lxc_configs.*.roll": "911",
  "lxc lxc_configs.*.is_template": "913",
  "lxc lxc_configs.*.unprivileged": "913",
  "lxc lxc_configs.*.dependencies[]": "910",
  "lxc lxc_configs.*.features[].parameters": "910",
};

const four = ["S", "T", "U", "V"].map((letter) => `/dev/disk/by-id/ata-${letter}`);
/** What a leaf needs beside it to be possible at all. */
const company: Record<string, [string, unknown][]> = {
  "hypervisor zfs.pools[].raid_level": [["zfs.pools.1.disks", four]],
  "hypervisor zfs.pools[].group_size": [["zfs.pools.1.disks", four]],
  "hypervisor zfs.pools[].draid.data_disks": draid(),
  "hypervisor zfs.pools[].draid.spares": draid(),
  "hypervisor zfs.datasets[].mountpoint": [["zfs.datasets.2.proxmox_storage_type", undefined]],
  "hypervisor zfs.datasets[].owner_in_containers": [["zfs.datasets.2.owner", "1000:1000"]],
};

function draid(): [string, unknown][] {
  return [
    ["zfs.pools.1.disks", four],
    ["zfs.pools.1.raid_level", "draid1"],
  ];
}

/** The entry of the host's file in which a leaf is changed, where its kind matters. */
const entries: [RegExp, string][] = [
  [/^storages\.0\.(path|prune|nodes)/, "storages.1."],
  [/^storages\.0\.(server|export|options)/, "storages.2."],
  [/^storages\.0\.pool/, "storages.3."],
  [/^zfs\.datasets\.\d\.storage_(nodes|prune)/, "zfs.datasets.3."],
  [/^os_templates\.\d\.file/, "os_templates.2."],
];

const properties: Record<string, [unknown, unknown]> = {
  keep_last: [1, 2],
  keep_hourly: [1, 2],
  keep_daily: [1, 2],
  keep_weekly: [1, 2],
  keep_monthly: [1, 2],
  keep_yearly: [1, 2],
  ashift: ["12", "13"],
  comment: ["a", "b"],
  recordsize: ["16K", "128K"],
  compression: ["lz4", "zstd"],
  special_small_blocks: ["0", "16K"],
  "*": ["1", "2"],
};

function valuesOf(key: string, { pattern, schema }: Leaf): [unknown, unknown] {
  const own = values[key];
  if (own !== undefined) return own;
  const [first, second] = (schema["enum"] as unknown[] | undefined) ?? [];
  if (second !== undefined) return [first, second];
  if (schema["type"] === "boolean") return [true, false];
  const name = pattern.split(".").at(-1) ?? "";
  return properties[name] ?? ["1G", "2G"];
}

export interface Configuration {
  hypervisor: Json;
  lxc: Json;
}

/** The configuration that every leaf is tried in. */
export function base(): Configuration {
  const { hypervisor, lxc } = small();
  const zfs = hypervisor["zfs"] as { pools: Json[]; datasets: Json[] };
  zfs.pools.push({
    name: "spare",
    raid_level: "mirror",
    disks: ["/dev/disk/by-id/ata-S", "/dev/disk/by-id/ata-T"],
  });
  zfs.datasets.push({
    name: "more",
    pool: "tank",
    proxmox_storage_type: "zfspool",
    proxmox_content_type: "images",
  });
  zfs.datasets.push({
    name: "backup",
    pool: "tank",
    proxmox_storage_type: "dir",
    proxmox_content_type: "backup",
  });
  hypervisor["storages"] = [
    { id: "local", type: "dir", content: ["rootdir", "vztmpl"], existing: true },
    { id: "folder", type: "dir", content: ["backup"], path: "/srv/x" },
    { id: "share", type: "nfs", content: ["backup"], server: "192.0.2.9", export: "/x" },
    { id: "data", type: "zfspool", content: ["images"], pool: "rpool/data" },
  ];
  const repository = {
    uris: ["http://example.com/x"],
    suites: ["bookworm"],
    components: ["main"],
    key: { path: "/etc/k.gpg" },
  };
  hypervisor["base"] = {
    repositories: { test: repository },
    log_rotation: { test: { files: ["/var/log/x.log"] } },
  };
  set(
    hypervisor,
    ["network", "bridges"],
    [
      { name: "vmbr9", existing: true },
      { name: "vmbr0b", existing: true },
    ],
  );
  const templates = hypervisor["os_templates"] as Json[];
  const checksum = { algorithm: "sha256", value: "c".repeat(64) };
  templates.push({ name: "spare-os", storage: "tank-iso", url: "http://example.com/x/z.tar.zst", checksum });
  const file = "tests/fixtures/images/a.tar.gz";
  const value = "28a756327edec9747cfdb34810db89a8ef904a2df4ee6cd171985da881e12cb0";
  templates.push({ name: "own-os", storage: "tank-iso", file, checksum: { algorithm: "sha256", value } });
  const configs = lxc["lxc_configs"] as Json;
  configs["911"] = {
    name: "eleven",
    clone_from_ctid: "900",
    network_config: { ip: "10.0.0.111/24" },
    allow: ["replace"],
  };
  configs["912"] = {
    name: "twelve",
    template: "debian-12",
    storage_pool: "tank-lxc",
    storage_size_gb: 4,
    network_config: { ip: "10.0.0.112/24", ip6: "fd00::112/64" },
    features: ["base_setup"],
    health_check: { command: "true", http: { port: 80 }, tcp: { port: 22 } },
    networks: [{ name: "eth1", bridge: "vmbr9", ip: "10.0.9.112/24", ip6: "fd00:9::112/64" }],
    devices: [{ path: "/dev/ttyS0" }],
    id_maps: [{ type: "uid", container_id: 33, host_id: 33 }],
    volumes: [{ name: "data", pool: "tank-lxc", size_gb: 1, mount_point: "/data" }],
    firewall: { enabled: true, rules: [{ type: "in", action: "ACCEPT", proto: "tcp", port: "22" }] },
  };
  configs["913"] = {
    name: "thirteen",
    template: "debian-12",
    storage_size_gb: 4,
    network_config: { ip: "10.0.0.113/24" },
  };
  configs["914"] = {
    name: "fourteen",
    clone_from_ctid: "900",
    network_config: { ip: "10.0.0.114/24" },
    gpu_assignment: "0",
    features: ["docker", "nvidia"],
  };
  hypervisor["nvidia_driver"] = { install: true, version: "580.76.05" };
  lxc["nvidia_container_toolkit"] = { version: "1.17.8-1", key_sha256: sum };
  hypervisor["proxmox_defaults"] = { zfs_lxc_pool: "tank-lxc", lxc: {} };
  const mounts = { "912": "/certs" };
  hypervisor["shared_volumes"] = { files: { host_path: "/tank/lxc/shared", mounts } };
  const blocks = { pool: "tank", size_gb: 1, mounts: { "912": "/models" } };
  hypervisor["shared_zfs_volumes"] = { files: blocks };
  hypervisor["users"] = { username: "me" };
  return { hypervisor, lxc };
}

/** `zfs.pools[].name` → the path of that leaf in `base()`. */
function pathOf(key: string, pattern: string): string[] {
  const index = /^zfs\.pools/.test(pattern)
    ? "1"
    : /^zfs\.datasets/.test(pattern)
      ? "2"
      : /^os_t/.test(pattern)
        ? "1"
        : "0";
  const parts = pattern.replaceAll("[]", ".0").split(".");
  const path = parts.map((part, i) => {
    if (part === "*" && parts[0] === "base") return "test";
    if (part === "*" && pattern.startsWith("shared_")) return i === 1 ? "files" : "912";
    if (part === "*") return parts[0] === "lxc_configs" ? (places[key] ?? "912") : "my:test";
    return /^\d+$/.test(part) && i <= 2 && index !== "0" ? index : part;
  });
  const entry = entries.find(([form]) => form.test(path.join(".")));
  return entry === undefined
    ? path
    : path
        .join(".")
        .replace(/^\D+\d+\./, entry[1])
        .split(".");
}

export function put(target: Json, path: string[], value: unknown): void {
  for (let i = 1; i < path.length; i++) {
    const parent = path
      .slice(0, i)
      .reduce<unknown>((node, part) => (node as Json | undefined)?.[part], target);
    // A CTID has more digits than any index here.
    const list = /^\d{1,2}$/.test(path[i] ?? "") ? [] : {};
    if (parent === undefined || (typeof parent !== "object" && i < path.length))
      set(target, path.slice(0, i), list);
  }
  set(target, path, value);
}

/** The configuration with one value of a leaf. */
function configurationWith(
  file: "hypervisor" | "lxc",
  key: string,
  path: string[],
  value: unknown,
): Configuration {
  const { hypervisor, lxc } = base();
  for (const [place, more] of company[key] ?? []) set(hypervisor, place.split("."), more);
  for (const [place, members] of Object.entries(companions[key] ?? {})) {
    const section = place === "lxc" ? lxc : (hypervisor["nvidia_driver"] as Json);
    Object.assign(section, structuredClone(members));
  }
  const target = file === "lxc" ? lxc : hypervisor;
  if (path.at(-2) === "pct_options" || path.at(-2) === "allow" || path.at(-2) === "dependencies") {
    set(target, path.slice(0, -1), value === undefined ? [] : [value]);
  } else if (path.includes("features") && path.at(-1) !== "0") {
    const use = path.at(-1) === "name" ? { name: value } : { name: "serve_page", parameters: value };
    set(target, path.slice(0, -1), use);
  } else if (path.at(-2) === "key" && path.at(-1) === "text") set(target, path.slice(0, -1), { text: value });
  else put(target, path, value);
  return { hypervisor, lxc };
}

const all = (["hypervisor", "lxc"] as const).flatMap((file) =>
  leaves(schemas[file])
    .filter(({ schema }) => schema["deprecated"] !== true)
    .map((leaf) => ({ file, leaf, key: `${file} ${leaf.pattern}` })),
);
const isPending = ({ file, leaf }: (typeof all)[number]): boolean => pending[file].includes(leaf.pattern);
/** What has to make a difference: neither still to be built, nor accepted for compatibility, nor only checked. */
export const served = all.filter(
  (item) => !isPending(item) && !(item.key in onlyChecked) && !editorOnly.includes(item.key),
);

/** Two configurations that differ in one leaf only. */
export function pairOf({ file, leaf, key }: (typeof served)[number]): [Configuration, Configuration] {
  const path = pathOf(key, leaf.pattern);
  const [first, second] = valuesOf(key, leaf);
  return [configurationWith(file, key, path, first), configurationWith(file, key, path, second)];
}
