/** Each leaf of the schemas with two values and the configuration that they are tried in. */
import pending from "../../model/pending-keys.json" with { type: "json" };
import { leaves } from "../../model/schema-walk.ts";
import type { Leaf } from "../../model/schema-walk.ts";
import { schemas } from "../../model/schemas.ts";
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

const armored = (text: string): string => `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${text}\n`;

/** Values for leaves whose schema does not list them. */
const values: Record<string, [unknown, unknown]> = {
  "hypervisor base.repositories.*.uris[]": ["http://example.com/a", "http://example.com/b"],
  "hypervisor base.repositories.*.suites[]": ["bookworm", "bookworm-updates"],
  "hypervisor base.repositories.*.components[]": ["main", "contrib"],
  "hypervisor base.repositories.*.key": [{ path: "/etc/a.gpg" }, { path: "/etc/b.gpg" }],
  "hypervisor base.repositories.*.key.text": [armored("a"), armored("b")],
  "hypervisor base.repositories.*.key.path": ["/etc/a.gpg", "/etc/b.gpg"],
  "hypervisor base.repositories.*.key.sha256": ["a".repeat(64), "b".repeat(64)],
  "hypervisor base.disabled_repositories[]": ["pve-enterprise", "ceph"],
  "hypervisor base.packages[]": ["s-tui", "htop"],
  "hypervisor base.upgrade": ["one", "two"],
  "hypervisor base.time_servers[]": ["a.example.org", "b.example.org"],
  "hypervisor base.log_rotation.*.files[]": ["/var/log/a.log", "/var/log/b.log"],
  "hypervisor base.log_rotation.*.keep": [1, 2],
  "hypervisor timezone": ["Etc/UTC", "Europe/Berlin"],
  "hypervisor network.hostname": ["pve", undefined],
  "hypervisor zfs.arc_max_gb": [1, 2],
  "hypervisor zfs.pools[].scrub": ["weekly", "monthly"],
  "hypervisor zfs.datasets[].storage_nodes[]": ["one", "two"],
  "hypervisor storages[].pool": ["rpool/a", "rpool/b"],
  "hypervisor storages[].path": ["/srv/a", "/srv/b"],
  "hypervisor storages[].server": ["192.0.2.1", "192.0.2.2"],
  "hypervisor storages[].export": ["/a", "/b"],
  "hypervisor storages[].options": ["soft", "hard"],
  "hypervisor storages[].nodes[]": ["one", "two"],
  "hypervisor os_templates[].file": ["tests/fixtures/images/a.tar.gz", "tests/fixtures/images/b.tar.gz"],
  "hypervisor storages[].prune.keep_all": [true, undefined],
  "hypervisor zfs.datasets[].storage_prune.keep_all": [true, undefined],
  "hypervisor network.interfaces.name": ["vmbr0", "vmbr1"],
  "hypervisor zfs.pools[].name": ["spare", "reserve"],
  "hypervisor zfs.pools[].raid_level": ["mirror", "stripe"],
  "hypervisor zfs.pools[].disks[]": ["/dev/disk/by-id/ata-X", "/dev/disk/by-id/ata-Y"],
  "hypervisor zfs.pools[].group_size": [2, 4],
  "hypervisor zfs.pools[].draid.data_disks": [1, 2],
  "hypervisor zfs.pools[].draid.spares": [0, 1],
  "hypervisor zfs.pools[].special_disks[]": ["/dev/disk/by-id/ata-X", "/dev/disk/by-id/ata-Y"],
  "hypervisor zfs.pools[].log_disks[]": ["/dev/disk/by-id/ata-X", "/dev/disk/by-id/ata-Y"],
  "hypervisor zfs.pools[].cache_disks[]": ["/dev/disk/by-id/ata-X", "/dev/disk/by-id/ata-Y"],
  "hypervisor zfs.pools[].spare_disks[]": ["/dev/disk/by-id/ata-X", "/dev/disk/by-id/ata-Y"],
  "hypervisor zfs.datasets[].mountpoint": ["/srv/a", "/srv/b"],
  "hypervisor zfs.datasets[].owner": ["1000", "1000:1001"],
  "hypervisor zfs.datasets[].mode": ["0750", "0700"],
  "hypervisor zfs.datasets[].name": ["more", "other"],
  "hypervisor zfs.datasets[].pool": ["tank", "spare"],
  "hypervisor zfs.datasets[].proxmox_content_type": ["images", "rootdir"],
  "hypervisor zfs.datasets[].storage_id": ["alpha", "beta"],
  "hypervisor storages[].id": ["local", "local2"],
  "hypervisor os_templates[].name": ["spare-os", "other-os"],
  "hypervisor os_templates[].storage": ["tank-iso", "local"],
  "hypervisor os_templates[].url": ["http://example.com/a/x.tar.zst", "http://example.com/a/y.tar.zst"],
  "hypervisor os_templates[].checksum.value": ["a".repeat(64), "b".repeat(64)],
  "hypervisor users.username": ["me", "you"],
  "hypervisor users.password_hash.secret": ["one_secret", "other_secret"],
  "hypervisor users.ssh_public_key": ["ssh-ed25519 AAAAone", "ssh-ed25519 AAAAother"],
  "hypervisor proxmox_defaults.zfs_lxc_pool": ["tank-lxc", "local"],
  "hypervisor proxmox_defaults.lxc.cores": [1, 2],
  "hypervisor proxmox_defaults.lxc.memory_mb": [512, 1024],
  "lxc lxc_configs.*.name": ["twelve", "dozen"],
  "lxc lxc_configs.*.template": ["debian-12", "spare-os"],
  "lxc lxc_configs.*.clone_from_ctid": ["900", "902"],
  "lxc lxc_configs.*.memory_mb": [512, 1024],
  "lxc lxc_configs.*.swap_mb": [0, 512],
  "lxc lxc_configs.*.cores": [1, 2],
  "lxc lxc_configs.*.storage_pool": ["tank-lxc", "local"],
  "lxc lxc_configs.*.storage_size_gb": [4, 8],
  "lxc lxc_configs.*.network_config.name": ["eth0", "lan0"],
  "lxc lxc_configs.*.network_config.bridge": ["vmbr0", "vmbr9"],
  "lxc lxc_configs.*.network_config.ip": ["10.0.0.112/24", "dhcp"],
  "lxc lxc_configs.*.network_config.gw": ["10.0.0.1", "10.0.0.2"],
  "lxc lxc_configs.*.mac_address": ["52:54:00:00:00:01", "52:54:00:00:00:02"],
  "lxc lxc_configs.*.nameserver": ["10.0.0.1", "10.0.0.1 8.8.8.8"],
  "lxc lxc_configs.*.pct_options[]": ["fuse=0", "fuse=1"],
  "lxc lxc_configs.*.features[]": ["base_setup", "own_thing"],
  "lxc lxc_configs.*.features[].name": ["base_setup", "own_thing"],
  "lxc lxc_configs.*.features[].parameters": [{ text: "a" }, { text: "b" }],
  "hypervisor nvidia_driver.version": ["580.76.05", "580.76.06"],
  "hypervisor nvidia_driver.packages[]": ["nvidia-smi", "nvidia-driver"],
  "hypervisor nvidia_driver.repository.uri": ["http://example.com/a/", "http://example.com/b/"],
  "hypervisor nvidia_driver.repository.key_url": ["http://example.com/a.key", "http://example.com/b.key"],
  "hypervisor nvidia_driver.repository.key_sha256": ["a".repeat(64), "b".repeat(64)],
  "hypervisor nvidia_driver.runfile_url": ["http://example.com/a.run", "http://example.com/b.run"],
  "hypervisor nvidia_driver.runfile_sha256": ["a".repeat(64), "b".repeat(64)],
  "hypervisor nvidia_driver.cuda_version": ["12.8", "12.9"],
  "lxc nvidia_repo_url": ["http://example.com/a/", "http://example.com/b/"],
  "lxc nvidia_repo_key_sha256": ["a".repeat(64), "b".repeat(64)],
  "lxc nvidia_runfile_url": ["http://example.com/a.run", "http://example.com/b.run"],
  "lxc nvidia_runfile_sha256": ["a".repeat(64), "b".repeat(64)],
  "lxc nvidia_container_toolkit.version": ["1.17.8-1", "1.17.9-1"],
  "lxc nvidia_container_toolkit.repo_url": ["http://example.com/a/", "http://example.com/b/"],
  "lxc nvidia_container_toolkit.key_url": ["http://example.com/a.key", "http://example.com/b.key"],
  "lxc nvidia_container_toolkit.key_sha256": ["a".repeat(64), "b".repeat(64)],
  "lxc lxc_configs.*.gpu_assignment": ["none", "1"],
  "hypervisor shared_volumes.*.host_path": ["/tank/lxc/shared", "/tank/lxc/other"],
  "hypervisor shared_volumes.*.mounts.*": ["/certs", "/ssl"],
  "hypervisor shared_volumes.*.owner_uid": [0, 33],
  "hypervisor shared_volumes.*.owner_gid": [0, 33],
  "hypervisor shared_volumes.*.allow[]": ["chown", undefined],
  "hypervisor shared_zfs_volumes.*.pool": ["tank", "tank-lxc"],
  "hypervisor shared_zfs_volumes.*.size_gb": [1, 2],
  "hypervisor shared_zfs_volumes.*.mounts.*": ["/models", "/data2"],
  "hypervisor shared_zfs_volumes.*.owner_uid": [0, 33],
  "hypervisor shared_zfs_volumes.*.owner_gid": [0, 33],
  "hypervisor shared_zfs_volumes.*.allow[]": ["destroy", undefined],
  "lxc lxc_configs.*.description": ["my own words", "other words"],
  "lxc lxc_configs.*.tags[]": ["web", "db"],
  "lxc lxc_configs.*.cpu_limit": [0, 1.5],
  "lxc lxc_configs.*.cpu_units": [100, 200],
  "lxc lxc_configs.*.searchdomain": ["example.com", "example.org"],
  "lxc lxc_configs.*.network_config.ip6": ["auto", "fd00::1/64"],
  "lxc lxc_configs.*.network_config.gw6": ["fd00::2", "fd00::3"],
  "lxc lxc_configs.*.network_config.vlan": [1, 2],
  "lxc lxc_configs.*.network_config.mtu": [1400, 1500],
  "lxc lxc_configs.*.network_config.rate_mbps": [1, 2],
  "lxc lxc_configs.*.networks[].name": ["eth1", "eth2"],
  "lxc lxc_configs.*.networks[].bridge": ["vmbr9", "vmbr0b"],
  "lxc lxc_configs.*.networks[].mac_address": ["52:54:00:00:00:01", "52:54:00:00:00:02"],
  "lxc lxc_configs.*.networks[].ip": ["10.0.9.112/24", "dhcp"],
  "lxc lxc_configs.*.networks[].gw": ["10.0.9.1", "10.0.9.2"],
  "lxc lxc_configs.*.networks[].ip6": ["fd00:9::112/64", "dhcp"],
  "lxc lxc_configs.*.networks[].gw6": ["fd00:9::1", "fd00:9::2"],
  "lxc lxc_configs.*.networks[].vlan": [1, 2],
  "lxc lxc_configs.*.networks[].mtu": [1400, 1500],
  "lxc lxc_configs.*.networks[].rate_mbps": [1, 2],
  "lxc lxc_configs.*.lxc_options[]": ["lxc.mount.auto = sys:rw", "lxc.mount.auto = sys:ro"],
  "lxc lxc_configs.*.id_maps[].container_id": [33, 34],
  "lxc lxc_configs.*.id_maps[].host_id": [33, 34],
  "lxc lxc_configs.*.id_maps[].size": [1, 2],
  "lxc lxc_configs.*.devices[].path": ["/dev/ttyS0", "/dev/ttyS1"],
  "lxc lxc_configs.*.devices[].mode": ["0660", "0666"],
  "lxc lxc_configs.*.devices[].uid": [0, 33],
  "lxc lxc_configs.*.devices[].gid": [0, 33],
  "lxc lxc_configs.*.volumes[].name": ["data", "other"],
  "lxc lxc_configs.*.volumes[].pool": ["tank-lxc", "tank-more"],
  "lxc lxc_configs.*.volumes[].size_gb": [1, 2],
  "lxc lxc_configs.*.volumes[].mount_point": ["/data", "/srv"],
  "lxc lxc_configs.*.volumes[].owner_uid": [0, 33],
  "lxc lxc_configs.*.volumes[].owner_gid": [0, 33],
  "lxc lxc_configs.*.volumes[].allow[]": ["destroy", undefined],
  "lxc lxc_configs.*.firewall.rules[].source": ["10.0.0.1", "10.0.0.2"],
  "lxc lxc_configs.*.firewall.rules[].dest": ["10.0.0.1", "10.0.0.2"],
  "lxc lxc_configs.*.firewall.rules[].proto": ["tcp", "udp"],
  "lxc lxc_configs.*.firewall.rules[].port": ["80", "443"],
  "lxc lxc_configs.*.firewall.rules[].iface": ["eth0", "eth1"],
  "lxc lxc_configs.*.firewall.rules[].comment": ["one", "other"],
  "lxc lxc_configs.*.boot_order": [1, 2],
  "lxc lxc_configs.*.boot_delay": [1, 2],
  "lxc lxc_configs.*.dependencies[]": ["912", "911"],
  "lxc lxc_configs.*.health_check.command": ["true", "false"],
  "lxc lxc_configs.*.health_check.http.port": [80, 81],
  "lxc lxc_configs.*.health_check.http.path": ["/", "/health"],
  "lxc lxc_configs.*.health_check.http.status": [200, 204],
  "lxc lxc_configs.*.health_check.tcp.port": [22, 23],
  "lxc lxc_configs.*.health_check.retries": [1, 2],
  "lxc lxc_configs.*.health_check.interval": [1, 2],
  "lxc lxc_configs.*.health_check.timeout": [1, 2],
  "lxc lxc_configs.*.ready_timeouts.init": [60, 61],
  "lxc lxc_configs.*.ready_timeouts.network": [0, 1],
  "lxc lxc_configs.*.ready_timeouts.dns": [0, 1],
};

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
