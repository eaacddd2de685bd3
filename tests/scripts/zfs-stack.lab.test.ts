import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Checkout } from "../end-to-end/checkout.ts";
import { cutUp } from "../end-to-end/cut.ts";
import { changes, nameOf, nodeDump, urns } from "../end-to-end/facts.ts";

/** A stack that is only a host with pools and datasets, on the real engine and a lab of its own. */
let room: string;
let checkout: Checkout;

const disk = (n: number): string => `/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_${n}`;
type Json = Record<string, unknown>;

const pool: Json = {
  name: "tank",
  raid_level: "mirror",
  disks: [disk(1), disk(2)],
  properties: { ashift: "12", failmode: "continue" },
  filesystem_properties: { compression: "lz4", atime: "off" },
  allow: ["destroy"],
};
const lxc: Json = {
  name: "lxc",
  pool: "tank",
  properties: { recordsize: "16K", quota: "1G" },
  proxmox_storage_type: "zfspool",
  proxmox_content_type: "rootdir",
  allow: ["destroy"],
};
const media: Json = { name: "media", pool: "tank", mountpoint: "/srv/media", allow: ["destroy"] };
const films: Json = { name: "media/films", pool: "tank", owner: "33:33", mode: "2750", allow: ["destroy"] };

function configure(pools: Json[] = [pool], datasets: Json[] = [films, lxc, media]): void {
  const network = { interfaces: { name: "vmbr0", address: "10.0.0.13/24" } };
  writeFileSync(checkout.path("host.json"), JSON.stringify({ network, zfs: { pools, datasets } }));
}

async function up(): Promise<void> {
  const { code, stdout, stderr } = await checkout.phoenix("up", "--yes", "--skip-preview");
  expect(`${code} ${stderr}${code === 0 ? "" : stdout}`).toMatch(/^0 /);
}

/** What a preview would do, as "update pool-tank"; without components, which only stand for what is in them. */
async function preview(): Promise<string[]> {
  const { code, stdout, stderr } = await checkout.pulumi("preview", "--json");
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  return changes(stdout)
    .filter(({ urn }) => !/::phoenix:[^$]*$|phoenix:[A-Za-z:]+::[^:]*$/.test(urn))
    .map(({ op, urn }) => `${op} ${nameOf(urn)}`)
    .sort();
}

const facts = (): Promise<string> =>
  checkout.node(
    "zfs get -rHp -o name,property,value type,mountpoint,mounted,quota,recordsize,compression,phoenix:stack,phoenix:properties tank | sort; " +
      "zpool status -P tank | grep -o '/dev/disk/.*DISK_[0-9]*' | sort; stat -c '%u:%g %a' /srv/media/films; pvesm status | cut -d ' ' -f 1",
  );
let made: string;
let blank: string;

beforeAll(async () => {
  room = mkdtempSync("/var/tmp/phoenix-zfs-stack-");
  checkout = Checkout.make(room);
  writeFileSync(checkout.path("lxc.json"), JSON.stringify({ lxc_configs: {} }));
  configure();
  mkdirSync(checkout.path(".phoenix/backend"), { recursive: true });
  const script = [
    'node packages/offline-engine/src/main.ts ensure --json >.phoenix/engine.json && node packages/offline-engine/src/main.ts install --home "$PWD/.phoenix/pulumi-home"',
    'bin/phoenix lab up && eval "$(bin/phoenix env)" && pulumi stack init zfs --non-interactive',
    "pulumi config set phoenix:nodeFile .phoenix/lab/node.json",
    "pulumi config set --path 'phoenix:hypervisorFiles[0]' host.json",
    "pulumi config set --path 'phoenix:lxcFiles[0]' lxc.json",
  ].join(" && ");
  const { code, stdout, stderr } = await checkout.shell(
    `set -e; PATH=${join(process.execPath, "..")}:$PATH; ${script}`,
  );
  expect(`${code} ${stdout}${stderr}`).toMatch(/^0 /);
  blank = await nodeDump(checkout);
}, 900_000);

afterAll(async () => {
  await checkout.phoenix("lab", "down");
  rmSync(room, { recursive: true, force: true });
}, 120_000);

test("F4: a fresh node becomes as configured, and a second run finds nothing to do", async () => {
  await up();
  made = await facts();
  expect(made).toContain("33:33 2750");
  expect(made).toContain("tank/media/films\tmountpoint\t/srv/media/films");
  expect(await preview()).toEqual([]);
});

test("each setting edited or removed is exactly its own step in the preview", async () => {
  const edits: [string, () => void, string[]][] = [
    ["a pool property", () => configure([{ ...pool, properties: { ashift: "12" } }]), ["update pool-tank"]],
    [
      "a property of its root",
      () => configure([{ ...pool, filesystem_properties: { atime: "off" } }]),
      ["update pool-tank"],
    ],
    [
      "a third side of the mirror",
      () => configure([{ ...pool, disks: [1, 2, 3].map(disk) }]),
      ["update pool-tank"],
    ],
    [
      "recordsize",
      () => configure([pool], [films, { ...lxc, properties: { recordsize: "32K", quota: "1G" } }, media]),
      ["update dataset-tank/lxc"],
    ],
    [
      "the quota gone",
      () => configure([pool], [films, { ...lxc, properties: { recordsize: "16K" } }, media]),
      ["update dataset-tank/lxc"],
    ],
    [
      "the owner gone",
      () => configure([pool], [{ ...films, owner: undefined }, lxc, media]),
      ["update dataset-tank/media/films"],
    ],
    ["a dataset gone", () => configure([pool], [lxc, media]), ["delete dataset-tank/media/films"]],
    ["another order", () => configure([{ ...pool, disks: [disk(1), disk(2)] }], [media, films, lxc]), []],
  ];
  for (const [what, edit, steps] of edits) {
    edit();
    expect(await preview(), what).toEqual(steps);
  }
  configure();
});

test("what cannot be, or is not allowed, is refused in the preview, and nothing is touched", async () => {
  const refused: [Json, RegExp][] = [
    [{ raid_level: "single", disks: [disk(1)] }, /would be taken out/],
    [{ raid_level: "raid10", disks: [1, 2, 3, 4].map(disk) }, /"allow": \["grow"\]/],
    [{ disks: [disk(1), disk(3)] }, /"allow": \["replace"\]/],
    [{ properties: { ashift: "13" } }, /ashift is 12 and cannot become 13/],
  ];
  for (const [edit, message] of refused) {
    configure([{ ...pool, ...edit }]);
    const { code, stdout, stderr } = await checkout.phoenix("preview");
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(message);
  }
  configure();
  expect(await facts()).toBe(made);
});

test("a node that was started again is as configured", async () => {
  await checkout.phoenix("lab", "ssh", "systemctl poweroff");
  const stopped =
    'for i in $(seq 120); do bin/phoenix lab status --json | grep -q \'"state": *"stopped"\' && exit 0; sleep 0.5; done; exit 1';
  expect((await checkout.shell(stopped)).code).toBe(0);
  const again = await checkout.phoenix("lab", "up");
  expect(`${again.code} ${again.stderr}`).toMatch(/^0 /);
  expect(await facts()).toBe(made);
  expect(await preview()).toEqual([]);
  expect((await checkout.phoenix("drift")).code).toBe(0);
});

test("a dataset taken out is forgotten, and its data stays", async () => {
  await checkout.node("echo precious >/srv/media/films/file");
  const staying = { ...films, allow: [] };
  configure([{ ...pool, allow: [] }], [staying, lxc, media]);
  await up();
  configure([{ ...pool, allow: [] }], [lxc, media]);
  await up();
  expect(await checkout.node("cat /srv/media/films/file")).toBe("precious\n");
  await checkout.node("rm /srv/media/films/file");
  configure();
  await up();
  expect(await preview()).toEqual([]);
});

test("destroy leaves the node as it was", async () => {
  const { code, stderr } = await checkout.phoenix("destroy", "--yes");
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  expect(await urns(checkout)).toEqual([]);
  expect(await nodeDump(checkout)).toBe(blank);
});

/** Cuts a run once `there` holds on the node, and sees to it that the state does not know `name`. */
async function cutBeforeState(name: string, type: string, there: string): Promise<void> {
  await checkout.pulumi("cancel", "--yes");
  const onNode = async (): Promise<boolean> => (await checkout.phoenix("lab", "ssh", there)).code === 0;
  const cut = await cutUp(checkout, join(room, `cut-${name}.jsonl`), onNode);
  expect(cut.ended).toBe(false);
  const known = (await urns(checkout)).find((urn) => nameOf(urn) === name && urn.includes(type));
  if (known === undefined) return;
  // The engine was faster than the look: then the state forgets it here.
  await checkout.pulumi("cancel", "--yes");
  const gone = await checkout.pulumi("state", "delete", "--force", "--target-dependents", "--yes", known);
  expect(`${gone.code} ${gone.stderr}${gone.stdout}`).toMatch(/^0 /);
}

test("cut at every step, the pool made and the storage registered but not in the state among them, the next run goes on", async () => {
  await cutBeforeState("pool-tank", "Command", "zpool list tank");
  const cuts: string[] = [];
  for (const name of [
    "pool-tank",
    "dataset-tank/lxc",
    "dataset-tank/media",
    "dataset-tank/media/films",
    "tank-lxc",
  ]) {
    await checkout.pulumi("cancel", "--yes");
    const cut = await cutUp(checkout, join(room, `cut-${cuts.length}.jsonl`), (begun) =>
      begun.some(
        ({ op, urn }) =>
          op === "create" && nameOf(urn) === name && !/::phoenix:[^:]*:?[^:]*:?[A-Za-z]+::/.test(urn),
      ),
    );
    if (!cut.ended) cuts.push(name);
  }
  // A step may have come to its end together with an earlier one that was cut; the first never can.
  expect(cuts.length).toBeGreaterThanOrEqual(3);
  expect(cuts[0]).toBe("pool-tank");
  await cutBeforeState("tank-lxc", "storage/zfspool", "grep -q 'zfspool: tank-lxc' /etc/pve/storage.cfg");
  // As a kill leaves it that hits Pulumi while it writes its state.
  writeFileSync(checkout.path(".phoenix/backend/.pulumi/stacks/phoenix/zfs.json.attrs"), "");
  await up();
  expect(await facts()).toBe(made);
  expect(await preview()).toEqual([]);
  expect((await checkout.phoenix("destroy", "--yes")).code).toBe(0);
  expect(await nodeDump(checkout)).toBe(blank);
});
