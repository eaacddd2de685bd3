import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { rules } from "../../model/inherit.ts";
import { compare, differences, table } from "./compare.ts";
import type { Effective } from "./compare.ts";
import type { Facts } from "./facts.ts";
import { readers, unseen } from "./readers.ts";

/** A container as `pct config` and its guest would show it, and what the configuration says of it. */
const facts: Facts = {
  config: new Map([
    ["hostname", "hello"],
    ["memory", "512"],
    ["swap", "0"],
    ["cores", "2"],
    ["rootfs", "store:subvol-910-disk-0,size=4G"],
    [
      "net0",
      "name=eth0,bridge=vmbr0,firewall=1,gw=10.0.0.13,hwaddr=02:00:00:00:00:01,ip=10.0.0.110/24,type=veth",
    ],
    ["net1", "name=eth1,bridge=vmbr0,ip=192.168.7.2/24,tag=7,type=veth"],
    ["mp0", "/tank/volume-910-data,mp=/data"],
    ["features", "nesting=1"],
    ["unprivileged", "1"],
    ["onboot", "1"],
    ["startup", "order=2,up=5"],
    ["tags", "a;b"],
    ["description", "phoenix stack=dev%0Amine%0A"],
  ]),
  raw: ["lxc.idmap: u 1000 1000 1"],
  origin: "-",
  snapshots: "`-> final-form      2026-11-24 10:00:00     Phoenix\n",
  firewall: {
    options: '{"enable":1}',
    rules: '[{"type":"in","action":"ACCEPT","proto":"tcp","dport":"22"}]',
  },
  guest: new Map([
    ["hostname", "hello\n"],
    ["addresses", "2: eth0    inet 10.0.0.110/24 brd x\n3: eth1    inet 192.168.7.2/24 brd x\n"],
    ["route", "default via 10.0.0.13 dev eth0 \n"],
    ["uids", "         0     100000       1000\n      1000       1000          1\n"],
    ["owners", "/data 33:33\n"],
    ["packages", "curl installed\n"],
    ["locale", "LANG=en_US.UTF-8\n"],
    ["listening", "LISTEN 0 128 0.0.0.0:80 0.0.0.0:*\n"],
  ]),
};

const right: Effective[] = Object.entries({
  name: "hello",
  is_template: false,
  clone_from_ctid: "902",
  memory_mb: 512,
  swap_mb: 0,
  cores: 2,
  storage_pool: "store",
  storage_size_gb: 4,
  "network_config.ip": "10.0.0.110/24",
  "network_config.gw": "10.0.0.13",
  "network_config.bridge": "vmbr0",
  mac_address: "02:00:00:00:00:01",
  networks: [{ name: "eth1", vlan: 7, ip: "192.168.7.2/24" }],
  unprivileged: true,
  gpu_assignment: "none",
  "pct_options.nesting": true,
  "pct_options.keyctl": false,
  id_maps: [{ type: "uid", container_id: 1000, host_id: 1000 }],
  volumes: [{ name: "data", mount_point: "/data", owner_uid: 33, owner_gid: 33 }],
  snapshots: ["final-form"],
  firewall: { enabled: true, rules: [{ type: "in", action: "ACCEPT", proto: "tcp", port: "22" }] },
  description: "mine",
  tags: ["b", "a"],
  start_at_boot: true,
  boot_order: 2,
  boot_delay: 5,
  roll: false,
  "features[]": { name: "serve_page", parameters: { port: 80 } },
}).map(([key, value]) => ({ key, value }));

const wrong: Readonly<Record<string, unknown>> = {
  name: "other",
  is_template: true,
  memory_mb: 1024,
  swap_mb: 512,
  cores: 1,
  storage_pool: "stor",
  storage_size_gb: 8,
  "network_config.ip": "10.0.0.111/24",
  "network_config.gw": "10.0.0.1",
  "network_config.bridge": "vmbr1",
  mac_address: "02:00:00:00:00:02",
  networks: [{ name: "eth1", vlan: 8 }],
  unprivileged: false,
  gpu_assignment: "0",
  "pct_options.nesting": false,
  "pct_options.keyctl": true,
  id_maps: [{ type: "uid", container_id: 1001, host_id: 1001 }],
  volumes: [{ name: "data", mount_point: "/data", owner_uid: 34 }],
  snapshots: ["pre-configured"],
  firewall: { enabled: true, rules: [] },
  description: "another",
  tags: ["a"],
  start_at_boot: false,
  boot_order: 1,
  boot_delay: 6,
  "features[]": { name: "serve_page", parameters: { port: 81 } },
};

test("what is as wanted is no difference", () => {
  expect(differences(compare(right, facts))).toEqual([]);
});

test.each(Object.entries(wrong))("%s: another value is a difference, and only that", (key, value) => {
  const rows = compare(
    right.map((row) => (row.key === key ? { key, value } : row)),
    facts,
  );
  const found = differences(rows).map((row) => row.key);
  // A template would be a linked clone of what it is cloned from.
  expect(found).toEqual(key === "is_template" ? [key, "clone_from_ctid"] : [key]);
  expect(table(910, rows)).toMatch(new RegExp(`^≠ 910  ${key.replace("[]", "\\[\\]")}`, "m"));
});

test("every key that inherits has a reader, or a reason why no node shows it", () => {
  const keys = Object.keys(rules).map((key) => (key === "features" ? "features[]" : key));
  const without = keys.filter((key) => key !== "pct_options" && !(key in readers) && !(key in unseen));
  expect(without).toEqual([]);
  expect(differences(compare([{ key: "new_key", value: 1 }], facts))).toHaveLength(1);
});

test("the readers share no code with the program", () => {
  for (const file of ["facts", "compare", "words", "readers", "network-readers", "feature-readers"]) {
    const text = readFileSync(new URL(`${file}.ts`, import.meta.url), "utf8");
    expect(text).not.toMatch(/from "\.\.\/\.\.\/(model|components|packages|bin)/);
  }
});
