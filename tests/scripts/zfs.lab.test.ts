import { afterAll, beforeAll, expect, test } from "vitest";
import { LabNode } from "./lab-node.ts";

const script = "hypervisor/feature_setup_zfs.sh";
const disk = (n: number) => `/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_${n}`;
const pool = (more: object = {}, allow: string[] = []) => ({
  stack: "scripts",
  parameters: {
    kind: "pool",
    name: "tank",
    raidLevel: "mirror",
    disks: [disk(1), disk(2)],
    properties: { autotrim: "on" },
    filesystemProperties: { compression: "lz4", atime: "off" },
    existing: false,
    ...more,
  },
  allow,
});
const properties = { recordsize: "16K", compression: "lz4", quota: "1.5G" };
const dataset = (more: object = {}, allow: string[] = []) => ({
  stack: "scripts",
  parameters: {
    kind: "dataset",
    name: "disks",
    pool: "tank",
    path: "tank/disks",
    properties,
    existing: false,
    ...more,
  },
  allow,
});
const destroy = ["destroy"];

let node: LabNode;
beforeAll(async () => {
  node = await LabNode.start();
}, 900_000);
afterAll(() => node.stop());

/** Sectors ever written to the disks, and what stands where every signature lives. */
const contents = (...disks: number[]) =>
  node.good(
    `for disk in ${disks.map(disk).join(" ")}; do blockdev --flushbufs $disk; ` +
      `awk '{ print $7 }' /sys/class/block/$(basename $(readlink -f $disk))/stat; ` +
      `{ head -c 16M $disk; tail -c 16M $disk; } | sha256sum; done`,
  );
const remove = async (document: object) => expect((await node.run(script, "remove", document)).code).toBe(0);

test("disks that are not empty are refused by name and stay byte for byte", async () => {
  const provoked: [string, string][] = [
    [`mkfs.ext4 -q -L mydata ${disk(2)}`, "signature ext4 (mydata)"],
    [`echo ',,L' | sfdisk -q --no-reread --no-tell-kernel ${disk(2)} 2>/dev/null`, "signature dos"],
    [`mkswap -q ${disk(2)}`, "signature swap"],
    [`zpool create other ${disk(2)} && zpool export other`, "signature zfs_member (other)"],
  ];
  for (const [provoke, found] of provoked) {
    await node.good(provoke);
    const before = await contents(1, 2);
    expect((await node.reasons(script, pool())).join("\n")).toContain(found);
    const message = await node.fails(script, "apply", pool());
    expect(message).toMatch(/^25 /);
    expect(message).toContain(`${disk(2)} (model `);
    expect(message).toContain(found);
    expect(await contents(1, 2)).toBe(before);
    await node.good(`wipefs -qa ${disk(2)}`);
  }
  await node.good(`mkfs.ext4 -q ${disk(1)} && mount ${disk(1)} /mnt`);
  expect(await node.fails(script, "apply", pool())).toMatch(/^25 .*mounted on \/mnt.*in use/s);
  await node.good(`umount /mnt && wipefs -qa ${disk(1)}`);
  expect(await node.fails(script, "apply", pool({ disks: [disk(1), "/dev/disk/by-id/gone"] }))).toContain(
    "gone: not there",
  );
});

test("a pool and a dataset are made, once, with their properties and their owner", async () => {
  expect(await node.converge(script, pool())).toEqual(["pool tank is not there"]);
  expect(await node.converge(script, dataset())).toEqual(["dataset tank/disks is not there"]);
  const values = "zfs get -Hp -o value recordsize,quota,compression,phoenix:stack tank/disks";
  expect((await node.good(values)).split("\n")).toEqual(
    ["16384", "1610612736", "lz4", "scripts"].sort(() => 0),
  );
  expect(await node.good("zpool status tank | grep -c mirror-0")).toBe("1");
});

test("what was changed by hand is named and mended; what was removed from the configuration is cleared", async () => {
  await node.good("zfs set quota=none tank/disks && zfs unmount tank/disks && zfs set atime=on tank");
  expect(await node.converge(script, dataset())).toEqual([
    "tank/disks: quota is '0', wanted '1.5G'",
    "tank/disks: mounted is 'no', wanted 'yes'",
  ]);
  expect(await node.converge(script, pool())).toEqual(["tank: atime is 'on', wanted 'off'"]);
  expect(await node.converge(script, dataset({ properties: { compression: "lz4" } }))).toHaveLength(2);
  expect(await node.good("zfs get -Hp -o value quota,recordsize tank/disks")).toBe("0\n131072");
});

test("wrong members or another layout are an error with both lists", async () => {
  const wrong = pool({ disks: [disk(1), disk(3)] });
  expect(await node.fails(script, "apply", wrong)).toMatch(
    /^28 .*consists of \[.*configured are \[.*DISK_3/s,
  );
  expect(await node.fails(script, "apply", pool({ raidLevel: "stripe" }))).toMatch(
    /^28 .*is \[mirror\], configured is stripe/s,
  );
  await node.good("zpool export tank");
  expect(await node.fails(script, "apply", wrong)).toMatch(/^28 /);
  expect(await node.good("zpool list -H -o name")).not.toContain("tank");
});

test("an exported pool is imported", async () => {
  expect(await node.converge(script, pool())).toEqual(["pool tank is not imported"]);
});

test("what is another's is neither changed nor destroyed; what is declared existing is used as it is", async () => {
  const other = (document: object) => ({ ...document, stack: "another" });
  for (const document of [pool({}, destroy), dataset({}, destroy)]) {
    expect(await node.fails(script, "apply", other(document))).toMatch(/^27 /);
    expect(await node.fails(script, "remove", other(document))).toMatch(/^27 /);
  }
  await node.good("zfs create tank/byhand");
  const byHand = { name: "byhand", path: "tank/byhand" };
  expect(await node.fails(script, "apply", dataset(byHand))).toMatch(/^27 /);
  expect(await node.fails(script, "remove", dataset(byHand, destroy))).toMatch(/^27 /);
  const existing = dataset({ ...byHand, existing: true }, destroy);
  await node.clean(script, existing);
  expect((await node.run(script, "apply", existing)).code).toBe(0);
  await remove(existing);
  expect(await node.good("zfs get -H -o source quota tank/byhand")).toBe("default");
  await node.good("zfs destroy tank/byhand");
});

test("removal forgets; data goes only where allowed, and never what somebody else made in it", async () => {
  await remove(dataset());
  await remove(pool());
  expect(await node.fails(script, "remove", pool({}, destroy))).toMatch(/^25 .*tank\/disks/s);
  for (const [make, undo] of [
    ["zfs create tank/disks/subvol-101-disk-0", "zfs destroy tank/disks/subvol-101-disk-0"],
    ["zfs snapshot tank/disks@mine", "zfs destroy tank/disks@mine"],
  ] as const) {
    await node.good(make);
    expect(await node.fails(script, "remove", dataset({}, destroy))).toMatch(/^25 /);
    await node.good(undo);
  }
  await remove(dataset({}, destroy));
  await remove(dataset({}, destroy));
  await node.good("zpool export tank");
  expect(await node.fails(script, "remove", pool({}, destroy))).toMatch(/^25 /);
  await node.good("zpool import -d /dev/disk/by-id tank");
  await remove(pool({}, destroy));
  await remove(pool({}, destroy));
  expect(await node.good(`wipefs --no-act --noheadings ${disk(1)} ${disk(2)}`)).toBe("");
});

test("a removal that was cut off between destroying and clearing the disks is finished by the next run", async () => {
  expect((await node.run(script, "apply", pool())).code).toBe(0);
  const guid = await node.good("zpool get -Hp -o value guid tank");
  await node.good(
    `mkdir -p /var/lib/phoenix/scripts && echo ${guid} >/var/lib/phoenix/scripts/wipe-tank && zpool destroy tank`,
  );
  await node.converge(script, pool());
  await remove(pool({}, destroy));
});

test.each([
  ["single", 1],
  ["stripe", 2],
  ["raid10", 4],
  ["raidz1", 3],
  ["raidz2", 4],
])("raid level %s is made and recognised", async (raidLevel, count) => {
  const document = pool({ raidLevel, disks: [1, 2, 3, 4].slice(0, count).map(disk) }, destroy);
  await node.converge(script, document);
  await remove(document);
});
