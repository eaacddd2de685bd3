import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildModel } from "../../../model/index.ts";
import type { Model } from "../../../model/index.ts";
import { readSources } from "../../../model/read-files.ts";
import { morePrivileges, neededRights, privileges } from "../src/access/privileges.ts";
import { compare, compareRights } from "../src/doctor/compare.ts";
import type { Wanted } from "../src/doctor/wanted.ts";
import type { DiskFacts, NodeFacts } from "../src/doctor/facts.ts";
import { problemPage } from "../src/doctor/page.ts";
import { agentProblem, apiProblem, sshProblem } from "../src/doctor/reach.ts";
import { bestIdentity, readSurvey } from "../src/doctor/read-survey.ts";
import { root } from "../src/lib/checkout.ts";

const disk = (n: number, found: string[] = []): DiskFacts => {
  const identity = `/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_${n}`;
  const about = { model: "Lab", serial: `S${n}`, sizeBytes: 8 * 1024 ** 3 };
  return { device: `/dev/sd${n}`, identity, identities: [identity], ...about, found };
};

/** A fresh node on which all that stack `dev` wants works. */
const fresh: NodeFacts = {
  userId: 0,
  hostname: "pve",
  version: "pve-manager/8.4.1/2a5fa54a8503f96d (running kernel: 6.8.12-9-pve)",
  kernel: "6.8.12-9-pve",
  kernels: ["6.8.12-9-pve"],
  headers: ["6.8.12-9-pve"],
  headersOffered: [],
  nouveau: false,
  processors: 8,
  memoryBytes: 16 * 1024 ** 3,
  space: [{ mount: "/", freeBytes: 50 * 1024 ** 3 }],
  bridges: ["vmbr0"],
  addresses: [{ device: "vmbr0", address: "10.0.0.13/24" }],
  gpus: [],
  pools: [],
  importable: [],
  datasets: [],
  storages: [
    {
      id: "local",
      type: "dir",
      content: ["iso", "vztmpl"],
      place: "/var/lib/vz",
      active: true,
      freeBytes: 1e10,
    },
  ],
  guests: [],
  disks: [disk(1), disk(2), disk(3)],
};

function model(): Model {
  const outcome = buildModel(
    readSources(root, {
      hypervisor: ["etc/phoenix_hypervisor_config.json", "etc/dev/hypervisor.json"],
      lxc: ["etc/phoenix_lxc_configs.json", "etc/dev/lxc.json"],
    }),
  );
  if (!outcome.ok) throw new Error("the reference configuration is not valid");
  return outcome.model;
}
const wanted: Wanted = { stack: "dev", node: "pve", model: model(), ownStorages: new Set() };
const said = (facts: Partial<NodeFacts>, more: Partial<Wanted> = {}): string =>
  problemPage(compare({ ...wanted, ...more }, { ...fresh, ...facts })).join("\n");
const withHost = (change: Partial<Model["host"]>): Partial<Wanted> => ({
  model: { ...wanted.model, host: { ...wanted.model.host, ...change } },
});

test("a fresh node has nothing in the way", () => {
  expect(said({})).toBe("");
});

test.each<[string, Partial<NodeFacts>, RegExp]>([
  ["no Proxmox VE", { version: "" }, /✗ this is no Proxmox VE/],
  ["an old one", { version: "pve-manager/7.4-3/x" }, /✗ Proxmox VE 7 is not served/],
  ["not root", { userId: 1000 }, /✗ the SSH user is not root.*\n.*phoenix:sshUser root/],
  ["another name", { hostname: "prox" }, /✗ the node's name is 'prox'.*\n.*phoenix:node prox/],
  ["no bridge", { bridges: ["vmbr1"], addresses: [] }, /✗ there is no bridge vmbr0; there is vmbr1/],
  [
    "another address",
    { addresses: [{ device: "vmbr0", address: "192.168.1.5/24" }] },
    /! vmbr0 has 192\.168\.1\.5\/24/,
  ],
  ["a full disk", { space: [{ mount: "/", freeBytes: 5e8 }] }, /! \/ has only 477 MiB free/],
  ["a disk gone", { disks: [disk(1)] }, /✗ pool quickOS: there is no disk \S+DISK_2\n.*bin\/phoenix disks/],
  [
    "a disk in use",
    { disks: [disk(1), disk(2, ["signature ext4 (photos)"])] },
    /DISK_2 \(Lab, serial S2, 8 GiB, now \/dev\/sd2\) is not empty: signature ext4/,
  ],
  ["little memory", { memoryBytes: 1e8 }, /! the containers may use 512 MiB of memory together/],
  ["few cores", { processors: 0 }, /! CT 910 wants 1 cores, the node has 0/],
])("%s", (_name, facts, expected) => {
  expect(said(facts)).toMatch(expected);
});

test("a pool that is there is recognised by its members, however they are named", () => {
  const pool = {
    name: "quickOS",
    sizeBytes: 1,
    freeBytes: 1,
    health: "ONLINE",
    members: ["/dev/sd2", "/dev/sd1"],
  };
  const full = [disk(1, ["in use: …"]), disk(2, ["in use: …"]), disk(3)];
  expect(said({ pools: [pool], disks: full })).toBe("");
  expect(said({ pools: [{ ...pool, health: "DEGRADED" }], disks: full })).toMatch(
    /! the pool quickOS is DEGRADED/,
  );
  expect(said({ pools: [{ ...pool, members: ["/dev/sd1", "/dev/sd3"] }], disks: full })).toMatch(
    /✗ the pool quickOS consists of \S+DISK_1, \S+DISK_3, configured are \S+DISK_1, \S+DISK_2/,
  );
});

test("a pool grows only where that is allowed, and only by disks that are empty", () => {
  const members = ["/dev/sd1", "/dev/sd2"];
  const pool = { name: "quickOS", sizeBytes: 1, freeBytes: 1, health: "ONLINE", members };
  const more = (allow: ("grow" | "destroy")[]) => {
    const vdev = {
      class: "data" as const,
      kind: "mirror",
      disks: [1, 2, 3].map((n) => disk(n).identities[0] ?? ""),
    };
    return withHost({ pools: wanted.model.host.pools.map((one) => ({ ...one, vdevs: [vdev], allow })) });
  };
  expect(said({ pools: [pool] }, more([]))).toMatch(/✗ the pool quickOS would grow by \S+DISK_3, and/);
  expect(said({ pools: [pool] }, more(["grow"]))).toBe("");
  const used = [disk(1), disk(2), disk(3, ["signature swap"])];
  expect(said({ pools: [pool], disks: used }, more(["grow"]))).toMatch(/DISK_3 .* is not empty/);
});

test("an exported pool of the wanted name is imported by the run: its own signature is not in the way", () => {
  const member = ["signature zfs_member (quickOS)"];
  expect(said({ importable: ["quickOS"], disks: [disk(1, member), disk(2, member)] })).toBe("");
  expect(said({ disks: [disk(1, member), disk(2, member)] })).toMatch(/not empty: signature zfs_member/);
});

test("what is declared existing has to be there", () => {
  const pools = wanted.model.host.pools.map((pool) => ({ ...pool, existing: true }));
  expect(said({}, withHost({ pools }))).toMatch(/✗ the pool quickOS is declared existing and is not there/);
  expect(said({ importable: ["quickOS"] }, withHost({ pools }))).toMatch(/zpool import quickOS/);
  const storage = { id: "local", type: "dir", content: ["iso", "vztmpl"], existing: true, allow: [] };
  const storages = [...wanted.model.host.storages, storage];
  expect(said({}, withHost({ storages }))).toBe("");
  const found = (more: object) => ({ storages: fresh.storages.map((one) => ({ ...one, ...more })) });
  expect(said({ storages: [] }, withHost({ storages }))).toMatch(
    /the storage local is declared existing and is not there; there is none/,
  );
  expect(said(found({ type: "nfs" }), withHost({ storages }))).toMatch(/is of type nfs, declared is dir/);
  expect(said(found({ active: false }), withHost({ storages }))).toMatch(/is not active/);
  expect(said(found({ content: ["iso"] }), withHost({ storages }))).toMatch(
    /cannot hold vztmpl\n.*pvesm set local --content iso,vztmpl/,
  );
});

test("what is another's is told from what this stack made", () => {
  const dataset = { name: "quickOS/lxc-disks", availableBytes: 1 };
  expect(said({ datasets: [dataset] })).toMatch(
    /dataset quickOS\/lxc-disks is there already and was not made by Phoenix/,
  );
  expect(said({ datasets: [{ ...dataset, stack: "other" }] })).toMatch(/belongs to stack 'other'/);
  expect(said({ datasets: [{ ...dataset, stack: "dev" }] })).toBe("");

  const storage = {
    id: "quickOS-lxc-disks",
    type: "zfspool",
    content: ["rootdir"],
    place: "quickOS/lxc-disks",
    active: true,
    freeBytes: 1,
  };
  expect(said({ storages: [storage] })).toMatch(
    /is there already \(zfspool quickOS\/lxc-disks\)\n.*pvesm remove quickOS-lxc-disks/,
  );
  expect(said({ storages: [{ ...storage, place: "tank" }] })).toMatch(/give it another name/);
  expect(said({ storages: [storage] }, { ownStorages: new Set(["quickOS-lxc-disks"]) })).toBe("");

  const guest = { vmid: 910, kind: "container" as const, name: "theirs" };
  expect(
    said({
      guests: [
        { ...guest, stack: "dev" },
        { ...guest, vmid: 100 },
      ],
    }),
  ).toBe("");
  expect(said({ guests: [{ ...guest, stack: "other" }] })).toMatch(/✗ CT 910 \(hello\): .* of stack 'other'/);
  expect(said({ guests: [{ ...guest, kind: "virtual machine" }] })).toMatch(
    /taken by the virtual machine 'theirs', not made by Phoenix/,
  );
});

test("rights: nothing is missing where the role is given, and each right that lacks is named with its paths", () => {
  const needed = neededRights(wanted.model, "pve");
  expect(new Set(needed.map(({ privilege }) => privilege))).toEqual(new Set(Object.keys(privileges)));
  const all = new Map(needed.map(({ path }) => [path, new Set(Object.keys(privileges))]));
  expect(compareRights(wanted, all)).toEqual([]);
  for (const { path, privilege } of needed) {
    const less = new Map(all).set(path, new Set(Object.keys(privileges).filter((one) => one !== privilege)));
    expect(compareRights(wanted, less)).toEqual([
      {
        severity: "error",
        what: `the API token lacks ${privilege} on ${path}`,
        remedy: "bin/phoenix access --stack dev",
      },
    ]);
  }
});

test("a privileged container from an OS template needs one right more, and access then gives it", () => {
  const templates = wanted.model.templates.map((one) => ({ ...one, unprivileged: false }));
  const privileged = { ...wanted.model, templates };
  expect(morePrivileges(wanted.model)).toEqual([]);
  expect(morePrivileges(privileged)).toEqual(["Sys.Modify"]);
  expect(neededRights(privileged, "pve")).toContainEqual({ path: "/", privilege: "Sys.Modify" });
});

test("whatever a configuration needs stands in the role, or is added to it: an image that is there already, too", () => {
  const osTemplates = wanted.model.host.osTemplates.map((one) => ({ ...one, existing: true }));
  const model = { ...wanted.model, host: { ...wanted.model.host, osTemplates } };
  const given = [...Object.keys(privileges), ...morePrivileges(model)];
  const needed = [wanted.model, model].flatMap((one) => neededRights(one, "pve"));
  expect(needed.filter(({ privilege }) => !given.includes(privilege))).toEqual([]);
});

const nvidia = {
  version: "535.261.03",
  source: "distribution",
  kernelModule: "proprietary",
  persistence: true,
} as const;

test("GPUs: the driver needs a card, a container one that is there; another driver is told", () => {
  const card = (more: object = {}) => ({ pci: "0000:01:00.0", name: "NVIDIA Corporation GA102", ...more });
  const containers = wanted.model.containers.map((one) => ({ ...one, gpus: [0, 1] }));
  const model = { ...wanted.model, containers, host: { ...wanted.model.host, nvidia } };
  expect(said({}, { model })).toMatch(/✗ a driver for NVIDIA GPUs is configured, and the node has none/);
  expect(said({ gpus: [{ pci: "0", name: "Cirrus Logic GD 5446" }] }, { model })).toMatch(
    /the node has none/,
  );
  expect(said({ gpus: [card()] }, { model })).toMatch(/✗ CT 910 wants GPU 1, the node has GPU 0/);
  expect(said({ gpus: [card({ driver: "535.261.03" }), card()] }, { model })).toBe("");
  expect(said({ gpus: [card({ driver: "550.1" }), card()] }, { model })).toMatch(
    /! the NVIDIA driver 550\.1 is loaded/,
  );
  expect(said({ gpus: [card()] })).toBe("");
});

test("the driver needs headers of the running kernel and of the newest, and nouveau out of the way", () => {
  const model = { ...wanted.model, host: { ...wanted.model.host, nvidia } };
  const gpus = [{ pci: "0000:01:00.0", name: "NVIDIA Corporation GA102" }];
  const told = (facts: Partial<NodeFacts>): string => said({ gpus, ...facts }, { model });
  expect(told({})).toBe("");
  expect(told({ headers: [], headersOffered: ["6.8.12-9-pve"] })).toBe("");
  expect(told({ headers: [] })).toMatch(
    /✗ the headers of kernel 6\.8\.12-9-pve cannot be had.*\n.*apt-cache policy proxmox-default-headers/,
  );
  const kernels = ["6.8.12-15-pve", "6.8.12-9-pve"];
  expect(told({ kernels, headers: ["6.8.12-15-pve"] })).toMatch(
    /✗ the headers of kernel 6\.8\.12-9-pve cannot be had.*\n.*reboot the node into its newest kernel 6\.8\.12-15-pve/,
  );
  expect(told({ kernels })).toMatch(/✗ the headers of kernel 6\.8\.12-15-pve cannot be had/);
  expect(told({ nouveau: true })).toMatch(/^! the module nouveau holds the NVIDIA cards/);
  expect(said({ nouveau: true, headers: [] })).toBe("");
});

test("the guide's table names exactly the privileges of the role", () => {
  const guide = readFileSync(join(root, "docs/guides/your-own-host.md"), "utf8");
  const rows = guide.split("\n").filter((line) => /^\| `/.test(line));
  const named = rows.flatMap((line) =>
    [...(line.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
  );
  const config = Object.keys(privileges).filter((name) => name.startsWith("VM.Config."));
  const row = rows.find((line) => line.includes("`VM.Config.*`")) ?? "";
  for (const name of config) expect(row).toContain(name.slice("VM.Config.".length));
  const plain = Object.keys(privileges).filter((name) => !config.includes(name));
  expect(named.filter((name) => name !== "VM.Config.*").sort()).toEqual(plain.sort());
});

const place = { host: "h", port: 22, user: "root", stack: "home" };
test.each([
  ["ssh: Could not resolve hostname h: Name or service not known", "nobody knows the name h"],
  ["ssh: connect to host h port 22: Connection refused", "nothing listens on h:22"],
  ["ssh: connect to host h port 22: Connection timed out", "h does not answer"],
  ["ssh: connect to host h port 22: No route to host", "h does not answer"],
  ["Host key verification failed.", "another host key than phoenix:sshHostKey"],
  ["root@h: Permission denied (publickey,password).", "h refuses root with the keys of the ssh-agent"],
  ["kex_exchange_identification: read: reset", "failed: kex_exchange_identification"],
])("ssh says: %s", (words, expected) => {
  expect(sshProblem(words, place).what).toContain(expected);
});

test.each<[string | number, string, string]>([
  [401, "invalid token value!", "bin/phoenix access --stack home --renew"],
  [595, "no such node", "is https://h:8006 Proxmox VE's?"],
  ["ENOTFOUND", "", "phoenix:endpoint https://ADDRESS:8006/ --stack home"],
  ["ECONNREFUSED", "", "systemctl status pveproxy"],
  ["ETIMEDOUT", "", "is the node on"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "", "phoenix:insecure true"],
  ["EPROTO", "wrong version number", "in a browser"],
])("the API fails with %s", (code, words, remedy) => {
  expect(apiProblem(code, words, "https://h:8006", "home").remedy).toContain(remedy);
});

test("an ssh-agent that is missing, dead or empty", () => {
  expect(agentProblem(undefined, 2)?.what).toContain("SSH_AUTH_SOCK is not set");
  expect(agentProblem("/tmp/gone", 2)?.what).toContain("(/tmp/gone); a dead one breaks every login");
  expect(agentProblem("/tmp/agent", 1)?.remedy).toBe("ssh-add");
  expect(agentProblem("/tmp/agent", 127)?.remedy).toContain("openssh-client");
  expect(agentProblem("/tmp/agent", 0)).toBeUndefined();
});

const survey = (parts: Record<string, string>): string =>
  Object.entries({ ...parts, end: "" })
    .map(([name, text]) => `\u001e${name}\n${text}\n`)
    .join("");

test("a survey that was cut off is none", () => {
  expect(readSurvey("")).toBeUndefined();
  expect(readSurvey("\u001euser\n0\n")).toBeUndefined();
});

test("a survey of a node with everything on it", () => {
  const facts = readSurvey(
    survey({
      user: "0",
      hostname: "pve.example.com",
      space:
        "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/x 10 5 1048576 50% /\n/dev/x 10 5 1048576 50% /",
      addresses:
        "1: lo    inet 127.0.0.1/8 scope host lo\n3: vmbr0    inet 10.0.0.13/24 brd 10.0.0.255 scope global vmbr0",
      pci: '0000:01:00.0 "VGA compatible controller [0300]" "NVIDIA Corporation [10de]" "GA102 [2204]"\n0000:02:00.0 "Ethernet controller [0200]" "Intel [8086]" "X [1]"',
      nvidia: "0, GPU-x, NVIDIA GeForce RTX 3090, 535.261.03",
      pools: "tank\t1000\t400\tONLINE",
      "members tank": "/dev/sda\n/dev/sdb",
      datasets: "tank\t400\t-\ntank/a\t300\tdev",
      storages:
        '[{"storage":"local","type":"dir","path":"/var/lib/vz","content":"iso,vztmpl"},{"storage":"t","type":"zfspool","pool":"tank/a"}]',
      usage:
        "Name Type Status Total Used Available %\nlocal dir active 10 5 2048 50.0%\nt zfspool inactive 0 0 0 0.00%",
      "guest /etc/pve/nodes/pve/lxc/910.conf":
        "#phoenix stack=dev vmid=910 incarnation=0123456789abcdef recipe=-\nhostname: hello",
      "guest /etc/pve/nodes/pve/lxc/911.conf":
        "#phoenix stack=dev vmid=910 incarnation=0123456789abcdef recipe=-\nhostname: copy",
      "guest /etc/pve/nodes/other/qemu-server/100.conf": "name: win",
      "disk /dev/sdc": 'SIZE="8589934592" MODEL="Samsung\\x20SSD" SERIAL="S1"',
      "identities /dev/sdc": "/dev/disk/by-id/wwn-0x5002538\n/dev/disk/by-id/ata-Samsung_SSD_S1",
      "found /dev/sdc": "signature gpt",
    }),
  );
  expect(facts).toMatchObject({
    hostname: "pve",
    space: [{ mount: "/", freeBytes: 1024 ** 3 }],
    addresses: [{ device: "vmbr0", address: "10.0.0.13/24" }],
    gpus: [{ pci: "0000:01:00.0", name: "NVIDIA Corporation GA102", driver: "535.261.03" }],
    pools: [{ name: "tank", sizeBytes: 1000, freeBytes: 400, members: ["/dev/sda", "/dev/sdb"] }],
    datasets: [{ name: "tank" }, { name: "tank/a", stack: "dev" }],
    storages: [
      {
        id: "local",
        content: ["iso", "vztmpl"],
        place: "/var/lib/vz",
        active: true,
        freeBytes: 2 * 1024 ** 2,
      },
      { id: "t", content: [], place: "tank/a", active: false },
    ],
    guests: [
      { vmid: 100, kind: "virtual machine", name: "win" },
      { vmid: 910, kind: "container", name: "hello", stack: "dev" },
      { vmid: 911, name: "copy" },
    ],
    disks: [
      {
        identity: "/dev/disk/by-id/ata-Samsung_SSD_S1",
        model: "Samsung SSD",
        sizeBytes: 8 * 1024 ** 3,
        found: ["signature gpt"],
      },
    ],
  });
  // PVE copies descriptions on clone: another guest's mark is none.
  expect(facts?.guests[2]).not.toHaveProperty("stack");
});

test("a disk is named by what stands on its label, by a number only where nothing else is there", () => {
  const by = (...names: string[]) => bestIdentity(names.map((name) => `/dev/disk/by-id/${name}`))?.slice(16);
  expect(by("nvme-eui.0025", "nvme-Samsung_980_S1_1", "nvme-Samsung_980_S1")).toBe("nvme-Samsung_980_S1");
  expect(by("wwn-0x5", "scsi-35000c500a1b2c3d4e")).toBe("wwn-0x5");
  expect(by("dm-uuid-LVM-x", "lvm-pv-uuid-y")).toBeUndefined();
});
