import { afterAll, beforeAll, expect, test } from "vitest";
import { LabNode } from "./lab-node.ts";

const script = "hypervisor/feature_setup_zfs.sh";
const disk = (n: number) => `/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_${n}`;
/** A group of disks as the model gives it; a leading word says what for, if not for data. */
const group = (kind: string, ...disks: number[]) => {
  const [last = kind, name = "data"] = kind.split(" ").reverse();
  return { class: name, kind: last, disks: disks.map(disk) };
};
const pool = (more: object = {}, allow: string[] = []) => ({
  stack: "scripts",
  parameters: {
    kind: "pool",
    name: "tank",
    vdevs: [group("mirror", 1, 2)],
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
/** wipefs leaves enough of a label for an import. */
const blank = (n: number): string =>
  `for at in 0 $(($(blockdev --getsize64 ${disk(n)}) / 1048576 - 4)); do dd if=/dev/zero of=${disk(n)} bs=1M count=4 seek=$at conv=notrunc status=none; done`;
const remove = async (document: object) => expect((await node.run(script, "remove", document)).code).toBe(0);

test("F1 setup_zfs: disks that are not empty are refused by name and stay byte for byte", async () => {
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
  const gone = { class: "data", kind: "mirror", disks: [disk(1), "/dev/disk/by-id/gone"] };
  expect(await node.fails(script, "apply", pool({ vdevs: [gone] }))).toContain("gone: not there");
});

test("setup_zfs: an unknown RAID word is an error, never a stripe", async () => {
  expect(await node.fails(script, "apply", pool({ vdevs: [group("raidz9", 1, 2)] }))).toMatch(
    /^20 .*unknown raid level 'raidz9'/s,
  );
  expect(await node.good("zpool list -H -o name")).toBe("");
});

test("setup_zfs: on blank disks a pool and a dataset are made unattended, once, with their properties and their owner", async () => {
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

test("F1 setup_zfs: a disk of a pool that is in use is recognised by any of its names", async () => {
  const second = { ...pool({ name: "second", vdevs: [group("mirror", 2, 3)] }) };
  const before = await node.good(`zpool status tank; { head -c 16M ${disk(3)}; } | sha256sum`);
  expect(await node.fails(script, "apply", second)).toMatch(/^25 .*DISK_2 .*zfs_member \(tank\)/s);
  expect(await node.good(`zpool status tank; { head -c 16M ${disk(3)}; } | sha256sum`)).toBe(before);
});

test("setup_zfs: wrong members or another layout are an error with both lists", async () => {
  const wrong = pool({ vdevs: [group("mirror", 1, 3)] });
  expect(await node.fails(script, "apply", wrong)).toMatch(
    /^28 .*consists of \[.*configured are \[.*DISK_3/s,
  );
  const stripe = pool({ vdevs: [group("disk", 1), group("disk", 2)] });
  expect(await node.fails(script, "apply", stripe)).toMatch(/^28 .*would be taken out|^28 .*another way/s);
  await node.good("zpool export tank");
  const elsewhere = pool({ vdevs: [group("mirror", 3, 4)] });
  expect(await node.fails(script, "apply", elsewhere)).toMatch(
    /^28 .*none of its disks is a configured one/s,
  );
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

test("an exported pool of the same name elsewhere does not hide the right one", async () => {
  const right = pool({ vdevs: [group("disk", 1)] }, destroy);
  expect((await node.run(script, "apply", right)).code).toBe(0);
  await node.good(`zpool export tank && zpool create tank ${disk(3)} && zpool export tank`);
  expect(await node.reasons(script, right)).toEqual(["pool tank is not imported"]);
  const neither = pool({ vdevs: [group("disk", 2)] });
  expect(await node.fails(script, "apply", neither)).toMatch(
    /^28 2 exported pools|^28 .*2 exported pools are called tank/s,
  );
  expect((await node.run(script, "apply", right)).code).toBe(0);
  expect(await node.good("zpool status -P tank | grep -c DISK_1")).toBe("1");
  await remove(right);
  await node.good(blank(3));
});

test("a pool grows: a mirror attached, one added by the word, a log, a disk replaced; it never shrinks", async () => {
  const start = pool({ vdevs: [group("disk", 1)] }, destroy);
  expect((await node.run(script, "apply", start)).code).toBe(0);
  const mirror = pool();
  expect((await node.converge(script, mirror))[0]).toMatch(/attach .*DISK_2 to .* as a mirror/);
  expect(await node.fails(script, "apply", start)).toMatch(
    /^28 .*would be taken out, and pools are never shrunk/s,
  );

  const two = { vdevs: [group("mirror", 1, 2), group("mirror", 3, 4)] };
  await node.good(`mkfs.ext4 -q -L theirs ${disk(4)}`);
  const before = await contents(3, 4);
  expect(await node.fails(script, "apply", pool(two))).toMatch(/^28 .*"allow": \["grow"\]/s);
  expect(await node.fails(script, "apply", pool(two, ["grow"]))).toMatch(/^25 .*DISK_4.*ext4 \(theirs\)/s);
  expect(await contents(3, 4)).toBe(before);
  await node.good(`wipefs -qa ${disk(4)}`);

  const exchanged = { vdevs: [group("mirror", 1, 3)] };
  expect(await node.fails(script, "apply", pool(exchanged))).toMatch(/^28 .*"allow": \["replace"\]/s);
  await node.converge(script, pool(exchanged, ["replace"]));
  await node.good(
    `for i in $(seq 50); do zpool status tank | grep -q 'replacing' || break; sleep 0.2; done; ${blank(2)}`,
  );
  const withLog = { vdevs: [group("mirror", 1, 3), group("log disk", 4)] };
  await node.converge(script, pool(withLog));
  await node.converge(script, pool(exchanged));
  await node.good(blank(4));

  const grown = pool({ vdevs: [group("mirror", 1, 3), group("mirror", 2, 4)] }, ["grow", ...destroy]);
  expect((await node.converge(script, grown))[0]).toMatch(/add data mirror .*DISK_2 .*DISK_4/);
  expect(await node.fails(script, "apply", pool(exchanged))).toMatch(/^28 .*never shrunk/s);
  await remove(grown);
});

/** What was asked of ZFS since, as the pool itself remembers; without the lab's own bookkeeping. */
async function asked(work: () => Promise<unknown>): Promise<string[]> {
  const history = "zpool history tank | grep -v 'lab:asked' | sed -E 's/^[0-9.:-]+ //'";
  const before = await node.good(history);
  await work();
  return (await node.good(history)).slice(before.length).trim().split("\n");
}

test("each property edited or removed is exactly its own command; what ZFS sets at creation only is refused", async () => {
  const apply = (document: object) => async () =>
    expect((await node.run(script, "apply", document)).code).toBe(0);
  const one = { vdevs: [group("disk", 1)] };
  await apply(pool({ ...one, properties: { ashift: "12", failmode: "continue" } }, destroy))();
  await apply(dataset({ properties: { recordsize: "16K", quota: "1G" } }))();

  expect(await asked(apply(dataset({ properties: { recordsize: "32K", quota: "1G" } })))).toEqual([
    "zfs set recordsize=32768 tank/disks",
  ]);
  expect(await asked(apply(dataset({ properties: { recordsize: "32K", quota: "2G" } })))).toEqual([
    "zfs set quota=2G tank/disks",
  ]);
  expect(await asked(apply(dataset({ properties: { recordsize: "32K" } })))).toEqual([
    "zfs set quota=none tank/disks",
    "zfs set phoenix:properties=recordsize tank/disks",
  ]);
  // Set by hand, never by the configuration: not ours to take back.
  await node.good("zfs set atime=off tank/disks");
  expect(await asked(apply(dataset({ properties: {} })))).toEqual([
    "zfs inherit recordsize tank/disks",
    "zfs set phoenix:properties=- tank/disks",
  ]);
  expect(await node.good("zfs get -H -o value,source atime tank/disks")).toBe("off\tlocal");

  const pooled = (properties: object) => pool({ ...one, properties }, destroy);
  expect(await asked(apply(pooled({ ashift: "12", failmode: "wait" })))).toEqual([
    "zpool set failmode=wait tank",
  ]);
  await apply(pooled({ ashift: "12", failmode: "continue" }))();
  expect(await asked(apply(pooled({ ashift: "12" })))).toEqual([
    "zpool set failmode=wait tank",
    "zfs set phoenix:pool-properties=ashift tank",
  ]);
  expect(await node.fails(script, "apply", pooled({ ashift: "13" }))).toMatch(
    /^28 .*ashift is 12, wanted 13/s,
  );
  const insensitive = dataset({ properties: { casesensitivity: "insensitive", compression: "zstd" } });
  const history = await node.good("zpool history tank");
  expect(await node.fails(script, "apply", insensitive)).toMatch(/^28 .*casesensitivity is sensitive/s);
  expect(await node.good("zpool history tank")).toBe(history);
  expect(await node.fails(script, "apply", dataset({ properties: { quota: "9Z" } }))).toMatch(/^29 /);
});

test("mount point, owner and mode: made, edited, taken back; nothing is ever hidden, and nobody else's owner changed", async () => {
  const media = (more: object) =>
    dataset({ name: "media", path: "tank/media", properties: {}, ...more }, destroy);
  const at = { properties: { mountpoint: "/srv/media" }, owner: "www-data:www-data", mode: "2770" };
  await node.good("mkdir -p /srv/media && echo precious >/srv/media/file");
  expect(await node.fails(script, "apply", media(at))).toMatch(/^25 .*\/srv\/media\/file/s);
  await node.good("rm /srv/media/file");
  expect(await node.fails(script, "apply", media({ ...at, owner: "nobody-here:root" }))).toMatch(
    /^21 .*nobody-here/s,
  );
  await node.converge(script, media(at));
  const seen = async (path: string) => node.good(`stat -c '%u:%g %a' ${path} && findmnt -no SOURCE ${path}`);
  expect(await seen("/srv/media")).toBe("33:33 2770\ntank/media");
  await node.good(
    "touch /srv/media/theirs && chown 7:7 /srv/media/theirs && chown 5:5 /srv/media && chmod 0700 /srv/media",
  );
  expect(await node.converge(script, media(at))).toEqual([
    "tank/media: owner is '5:5', wanted '33:33'",
    "tank/media: mode is '700', wanted '2770'",
  ]);
  // The root user of an unprivileged container.
  await node.converge(script, media({ ...at, owner: "100000:100000" }));
  await node.good("mkdir -p /tank/media && echo precious >/tank/media/file");
  expect(await node.fails(script, "apply", media({}))).toMatch(/^25 .*\/tank\/media\/file/s);
  expect(await seen("/srv/media")).toBe("100000:100000 2770\ntank/media");
  await node.good("rm -r /tank/media");
  expect(await node.converge(script, media({}))).toEqual([
    "tank/media: mountpoint is '/srv/media', wanted 'the default'",
    "tank/media: owner is '100000:100000', wanted '0:0'",
    "tank/media: mode is '2770', wanted '755'",
  ]);
  expect(await seen("/tank/media")).toBe("0:0 755\ntank/media");
  expect(await node.good("stat -c %u:%g /tank/media/theirs")).toBe("7:7");
  const nested = dataset(
    { name: "media/deep", path: "tank/media/deep", properties: {}, mode: "0711" },
    destroy,
  );
  await node.converge(script, nested);
  expect(await node.fails(script, "remove", media({}))).toMatch(/^25 .*tank\/media\/deep/s);
  for (const document of [
    nested,
    media({}),
    dataset({}, destroy),
    pool({ vdevs: [group("disk", 1)] }, destroy),
  ])
    await remove(document);
  expect(await node.good("zpool list -H -o name; ls /srv/media")).toBe("");
});

test.each([
  ["a single disk", [group("disk", 1)]],
  ["a stripe", [group("disk", 1), group("disk", 2)]],
  ["two mirrors", [group("mirror", 1, 2), group("mirror", 3, 4)]],
  ["raidz1", [group("raidz1", 1, 2, 3)]],
  ["raidz2", [group("raidz2", 1, 2, 3, 4)]],
  ["a mirror with log and cache", [group("mirror", 1, 2), group("log disk", 3), group("cache disk", 4)]],
  ["a mirror with a spare", [group("mirror", 1, 2), group("spare disk", 3)]],
])("%s is made and recognised", async (_, vdevs) => {
  const document = pool({ vdevs }, destroy);
  await node.converge(script, document);
  await remove(document);
});
