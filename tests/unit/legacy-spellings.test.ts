import { expect, test } from "vitest";
import { buildModel, migrate } from "../../model/index.ts";
import { build, findingsOf, modelOf, set, small, sourcesOf } from "./sources.ts";

/** What an older spelling in container 910 becomes, and what is said about it. */
function migrated910(change: Record<string, unknown>): { config: Record<string, unknown>; said: string[] } {
  const { hypervisor, lxc } = small();
  hypervisor["nvidia_driver"] = { install: true, version: "580.76.05" };
  lxc["nvidia_container_toolkit"] = { install: false };
  for (const [key, value] of Object.entries(change))
    set(lxc, ["lxc_configs", "910", ...key.split(".")], value);
  const { hypervisor: host, lxc: containers } = sourcesOf(hypervisor, lxc);
  const { files, findings } = migrate([...host, ...containers]);
  const after = JSON.parse(files[1]?.after ?? "{}") as {
    lxc_configs: Record<string, Record<string, unknown>>;
  };
  const outcome = build(JSON.parse(files[0]?.after ?? "{}"), after);
  expect(findingsOf(outcome).filter(({ severity }) => severity === "error")).toEqual([]);
  return { config: after.lxc_configs["910"] ?? {}, said: findings.map(({ message }) => message) };
}

test.each([
  ["a number as text", { memory_mb: "2048" }, { memory_mb: 2048 }, '"2048" counts as the number 2048'],
  ["swap", { swap: 512 }, { swap_mb: 512 }, "`swap` is now `swap_mb`"],
  ["GPU list with blanks", { gpu_assignment: "0, 1" }, { gpu_assignment: "0,1" }, '"0, 1" is now "0,1"'],
  ["GPU list without comma", { gpu_assignment: "0 1" }, { gpu_assignment: "0,1" }, '"0 1" is now "0,1"'],
  [
    "name servers of the network",
    { "network_config.nameservers": "10.0.0.13, 8.8.8.8" },
    { nameserver: "10.0.0.13 8.8.8.8", network_config: { ip: "10.0.0.110/24" } },
    "`network_config.nameservers` is now `nameserver`",
  ],
  [
    "MAC address of the network",
    { "network_config.hwaddr": "52:54:00:00:00:01" },
    { mac_address: "52:54:00:00:00:01" },
    "`network_config.hwaddr` is now `mac_address`",
  ],
  [
    "network as one text",
    { network_config: "10.0.0.111/24,10.0.0.1,8.8.8.8" },
    { network_config: { ip: "10.0.0.111/24", gw: "10.0.0.1" }, nameserver: "8.8.8.8" },
    'one text counts as {"ip":"10.0.0.111/24","gw":"10.0.0.1"}',
  ],
  [
    "abilities under features",
    { features: "nesting=1" },
    { pct_options: ["nesting=1"] },
    "`features` is now `pct_options`",
  ],
  ["NOT_SET", { mac_address: "NOT_SET" }, {}, '"NOT_SET" counts as absent'],
  ["null", { vllm_model: null }, {}, "null counts as absent"],
  [
    "storage spelling",
    { storage_pool: "TANK_LXC" },
    { storage_pool: "tank-lxc" },
    "`TANK_LXC` counts as the storage `tank-lxc`",
  ],
  [
    "engine configuration in groups",
    {
      vllm_engine_config: { ModelConfig: { model: "m", max_model_len: 4096 }, ServerConfig: { port: 8001 } },
    },
    { vllm_model: "m", vllm_port: 8001, vllm_parameters: { max_model_len: 4096 } },
    "`vllm_engine_config.ServerConfig.port` is now `vllm_port`",
  ],
  [
    "an argument against a parameter",
    { vllm_parameters: { max_model_len: 8192 }, vllm_args: ["--max-model-len", "4096", "--seed", "1"] },
    { vllm_parameters: { max_model_len: 4096 }, vllm_args: ["--seed", "1"] },
    "`vllm_parameters.max_model_len` is 8192, but the argument `--max-model-len` says 4096",
  ],
])("%s", (_, change, wanted, message) => {
  const { config, said } = migrated910(change);
  expect(config).toMatchObject(wanted);
  for (const key of Object.keys(change))
    if (!((key.split(".")[0] as string) in wanted)) expect(config).not.toHaveProperty(key);
  expect(said).toContain(message);
});

test("both lists of volumes become one, the same entry once", () => {
  const volume = { name: "data", pool: "tank-lxc", size_gb: 1, mount_point: "/data" };
  const other = { ...volume, name: "more", mount_point: "/more" };
  const { config, said } = migrated910({ volumes: [volume], zfs_volumes: [volume, other] });
  expect(config["volumes"]).toEqual([volume, other]);
  expect(said).toContain("`zfs_volumes` is now part of `volumes`");
});

test("a firewall among the shared volumes and another one at the top contradict each other", () => {
  const { hypervisor, lxc } = small();
  hypervisor["shared_volumes"] = { firewall: { enabled: true } };
  hypervisor["firewall"] = { enabled: false };
  const errors = findingsOf(build(hypervisor, lxc)).filter(({ severity }) => severity === "error");
  expect(errors.map(({ pointer, message }) => [pointer, message])).toEqual([
    ["/shared_volumes/firewall", "`firewall` stands in `shared_volumes` and at the top of the file"],
  ]);
});

test("levels in capitals, properties as one text, an id in the table of nicknames", () => {
  const { hypervisor, lxc } = small();
  set(hypervisor, ["zfs", "pools", 0, "raid_level"], "SINGLE");
  set(hypervisor, ["zfs", "datasets", 0, "properties"], "recordsize=16K, quota=10G");
  hypervisor["proxmox_storage_ids"] = { tank_lxc: "fast" };
  set(lxc, ["lxc_configs", "900", "storage_pool"], "fast");
  const { host } = modelOf(buildModel(sourcesOf(hypervisor, lxc)));
  expect(host.pools[0]?.vdevs[0]?.kind).toBe("disk");
  expect(host.datasets[0]?.properties).toEqual({ recordsize: "16K", quota: "10G" });
  expect(host.storages.map(({ id }) => id)).toEqual(["fast", "tank-iso"]);
});

test("the shell configuration is read as data, and what is not data is named with its line", () => {
  const text = [
    "#!/bin/bash",
    "load_config() {",
    '  SMB_USER="${SMB_USER:-heads}"  # the user',
    '  QUICKOS_POOL="quickOS"',
    "  QUICKOS_DRIVES=/dev/disk/by-id/a\\ b",
    '  QUICKOS_DATASET_LIST=("lxc-disks" # comment (with brackets)',
    '    "other")',
    "  declare -gA QUICKOS_DATASET_PROPERTIES",
    '  QUICKOS_DATASET_PROPERTIES["lxc-disks"]="compression=lz4,recordsize=16K"',
    '  declare -A DATASET_STORAGE_TYPES=(["quickOS/lxc-disks"]="zfspool:rootdir" ["quickOS/other"]="nfs:images")',
    '  DEFAULT_STORAGE_ID_QUICKOS_LXC="quickOS-lxc"',
    '  PROXMOX_NFS_SERVER="10.0.0.13"',
    '  DEFAULT_SUBNET="10.0.0.0/24"',
    '  LOGDIR=$(dirname "$LOGFILE")',
    "  MYSTERY=1",
    "  rm -rf /",
    "}",
  ].join("\n");
  const { files, findings } = migrate([{ path: "old/phoenix_config.sh", text }]);
  expect(files[0]?.path).toBe("old/phoenix_hypervisor_config.json");
  expect(JSON.parse(files[0]?.after ?? "")).toEqual({
    $schema: "../schemas/phoenix_hypervisor_config.schema.json",
    network: { interfaces: { name: "vmbr0", address: "10.0.0.13/24" } },
    zfs: {
      pools: [{ name: "quickOS", raid_level: "mirror", disks: [] }],
      datasets: [
        {
          name: "lxc-disks",
          pool: "quickOS",
          properties: { compression: "lz4", recordsize: "16K" },
          proxmox_storage_type: "zfspool",
          proxmox_content_type: "rootdir",
          storage_id: "quickOS-lxc",
        },
        { name: "other", pool: "quickOS" },
      ],
    },
    samba: { user: "heads", shares: [] },
  });
  expect(findings.map(({ line, message }) => `${line} ${message}`)).toEqual([
    "2 not an assignment, not read: load_config() {",
    "4 the disks of `quickOS` are not in this file: they were asked for",
    "5 `QUICKOS_DRIVES` would have to be computed, not read: /dev/disk/by-id/a\\ b",
    "10 the storage type `nfs` of quickOS/other is not served",
    "12 the host's address on vmbr0 is taken to be 10.0.0.13/24",
    '14 `LOGDIR` would have to be computed, not read: $(dirname "$LOGFILE")',
    "15 `MYSTERY` is not known",
    "16 not an assignment, not read: rm -rf /",
    "17 not an assignment, not read: }",
  ]);
});

test("a pool's disks may be an array; what belongs to a pool without a name is not dropped silently", () => {
  const text = [
    'QUICKOS_POOL="quickOS"',
    'QUICKOS_DRIVES=("/dev/disk/by-id/a" "/dev/disk/by-id/b")',
    'FASTDATA_DRIVE="/dev/disk/by-id/c"',
    'LOGFILE="/var/log/setup.log"',
  ].join("\n");
  const { files, findings } = migrate([{ path: "phoenix_config.sh", text }]);
  const disks = ["/dev/disk/by-id/a", "/dev/disk/by-id/b"];
  expect(JSON.parse(files[0]?.after ?? "")).toMatchObject({
    zfs: { pools: [{ name: "quickOS", raid_level: "mirror", disks }] },
  });
  expect(findings.map(({ line, message }) => `${line} ${message}`)).toEqual([
    "3 `FASTDATA_DRIVE` belongs to a pool that has no name: FASTDATA_POOL is missing",
    "4 `LOGFILE` has no meaning here",
  ]);
});
