import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cutUp } from "../end-to-end/cut.ts";
import { nameOf, nodeDump, urns } from "../end-to-end/facts.ts";
import { disk, StackLab, type Json } from "./stack-lab.ts";

/** Pools and datasets, on the real engine. */
let lab: StackLab;

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

const configure = (pools: Json[] = [pool], datasets: Json[] = [films, lxc, media]): void =>
  lab.configure({ zfs: { pools, datasets } });

const facts = (): Promise<string> =>
  lab.checkout.node(
    "zfs get -rHp -o name,property,value type,mountpoint,mounted,quota,recordsize,compression,phoenix:stack,phoenix:properties tank | sort; " +
      "zpool status -P tank | grep -o '/dev/disk/.*DISK_[0-9]*' | sort; stat -c '%u:%g %a' /srv/media/films; pvesm status | cut -d ' ' -f 1",
  );
let made: string;
let blank: string;

beforeAll(async () => {
  lab = await StackLab.start("zfs");
  configure();
  blank = await nodeDump(lab.checkout);
}, 1_800_000);
afterAll(() => lab.stop(), 300_000);

test("F4: a fresh node becomes as configured, and a second run finds nothing to do", async () => {
  await lab.up();
  made = await facts();
  expect(made).toContain("33:33 2750");
  expect(made).toContain("tank/media/films\tmountpoint\t/srv/media/films");
  expect(await lab.preview()).toEqual([]);
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
    expect(await lab.preview(), what).toEqual(steps);
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
    expect(await lab.refusal()).toMatch(message);
  }
  configure();
  expect(await facts()).toBe(made);
});

test("a node that was started again is as configured", async () => {
  await lab.restart();
  expect(await facts()).toBe(made);
  expect(await lab.preview()).toEqual([]);
  expect((await lab.checkout.phoenix("drift")).code).toBe(0);
});

test("a dataset taken out is forgotten, and its data stays", async () => {
  await lab.checkout.node("echo precious >/srv/media/films/file");
  const staying = { ...films, allow: [] };
  configure([{ ...pool, allow: [] }], [staying, lxc, media]);
  await lab.up();
  configure([{ ...pool, allow: [] }], [lxc, media]);
  await lab.up();
  expect(await lab.checkout.node("cat /srv/media/films/file")).toBe("precious\n");
  await lab.checkout.node("rm /srv/media/films/file");
  configure();
  await lab.up();
  expect(await lab.preview()).toEqual([]);
});

test("destroy leaves the node as it was", async () => {
  const { code, stderr } = await lab.checkout.phoenix("destroy", "--yes");
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  expect(await urns(lab.checkout)).toEqual([]);
  expect(await nodeDump(lab.checkout)).toBe(blank);
});

test("cut at every step, the pool made and the storage registered but not in the state among them, the next run goes on", async () => {
  await lab.cutBeforeState("pool-tank", "Command", "zpool list tank");
  const cuts: string[] = [];
  for (const name of [
    "pool-tank",
    "dataset-tank/lxc",
    "dataset-tank/media",
    "dataset-tank/media/films",
    "tank-lxc",
  ]) {
    await lab.checkout.pulumi("cancel", "--yes");
    const cut = await cutUp(lab.checkout, join(lab.room, `cut-${cuts.length}.jsonl`), (begun) =>
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
  await lab.cutBeforeState("tank-lxc", "storage/zfspool", "grep -q 'zfspool: tank-lxc' /etc/pve/storage.cfg");
  lab.breakSideFile();
  await lab.up();
  expect(await facts()).toBe(made);
  expect(await lab.preview()).toEqual([]);
  expect((await lab.checkout.phoenix("destroy", "--yes")).code).toBe(0);
  expect(await nodeDump(lab.checkout)).toBe(blank);
});
