import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { refusedEdits } from "../../model/index.ts";
import type { ZfsInput } from "../../model/index.ts";
import { raidLevels } from "../../model/vdevs.ts";
import { toPool } from "../../model/zfs.ts";
import { brief, build, findingsOf, modelOf, root, set, small } from "./sources.ts";
import type { Json } from "./sources.ts";

const disks = (...letters: string[]): string[] =>
  Array.from(letters.join(""), (letter) => `/dev/disk/by-id/ata-${letter}`);

/** The findings of the small configuration with its pool and its first dataset changed, and one more pool. */
function findings(pool: Json, dataset: Json = {}, more: Json[] = []): string[] {
  const { hypervisor, lxc } = small();
  const zfs = hypervisor["zfs"] as { pools: Json[]; datasets: Json[] };
  Object.assign(zfs.pools[0] ?? {}, pool);
  zfs.datasets.push({ name: "more", pool: "tank", ...dataset }, ...more);
  return findingsOf(build(hypervisor, lxc)).map((finding) =>
    brief(finding).replace(/^host.json:\d+:\d+ /, ""),
  );
}

const pools = (pool: Json): string[] => {
  const { hypervisor, lxc } = small();
  set(hypervisor, ["zfs", "pools", 0], { name: "tank", ...pool });
  return (modelOf(build(hypervisor, lxc)).host.pools[0]?.vdevs ?? []).map(
    ({ class: name, kind, disks: list }) => `${name} ${kind} ${list.map((disk) => disk.slice(-1)).join("")}`,
  );
};

describe("how disks form a pool", () => {
  test.each<[Json, string[]]>([
    [{ raid_level: "single", disks: disks("A") }, ["data disk A"]],
    [{ raid_level: "stripe", disks: disks("A", "B") }, ["data disk A", "data disk B"]],
    [{ raid_level: "mirror", disks: disks("A", "B", "C") }, ["data mirror ABC"]],
    [{ raid_level: "raid10", disks: disks("A", "B", "C", "D") }, ["data mirror AB", "data mirror CD"]],
    [
      { raid_level: "mirror", group_size: 2, disks: disks("A", "B", "C", "D") },
      ["data mirror AB", "data mirror CD"],
    ],
    [{ raid_level: "raidz1", group_size: 3, disks: disks("ABCDEF") }, ["data raidz1 ABC", "data raidz1 DEF"]],
    [{ raid_level: "raidz3", disks: disks("ABCDE") }, ["data raidz3 ABCDE"]],
    [{ raid_level: "draid1", disks: disks("ABCD") }, ["data draid1:3d:4c:0s ABCD"]],
    [
      { raid_level: "draid2", draid: { data_disks: 2, spares: 1 }, disks: disks("ABCDEF") },
      ["data draid2:2d:6c:1s ABCDEF"],
    ],
    [
      {
        raid_level: "mirror",
        disks: disks("A", "B"),
        special_disks: disks("C", "D"),
        log_disks: disks("E"),
        cache_disks: disks("F", "G"),
        spare_disks: disks("H"),
      },
      ["data mirror AB", "special mirror CD", "log disk E", "cache disk F", "cache disk G", "spare disk H"],
    ],
  ])("%j", (pool, expected) => {
    expect(pools(pool)).toEqual(expected);
  });

  test("every level of the schema uses each disk once, in order", () => {
    fc.assert(
      fc.property(fc.constantFrom(...raidLevels), fc.integer({ min: 1, max: 24 }), (level, count) => {
        const all = Array.from({ length: count }, (_, i) => `/dev/disk/by-id/ata-${i}`);
        const { vdevs } = toPool({ name: "p", raid_level: level, disks: all });
        expect(vdevs.flatMap((vdev) => vdev.disks)).toEqual(all);
        expect(vdevs.every((vdev) => vdev.class === "data")).toBe(true);
      }),
      { seed: 1 },
    );
  });
});

describe("F1 setup_zfs: words for no level, and numbers that make no sense, are errors", () => {
  test.each<[Json, string]>([
    [
      { raid_level: "raid5", disks: disks("A", "B", "C") },
      "/zfs/pools/0/raid_level `raid5` is not a level of ZFS → did you mean `raidz1`?",
    ],
    [{ raid_level: "RAID-6", disks: disks("ABCD") }, "did you mean `raidz2`?"],
    [{ raid_level: "jbod" }, '"jbod" is not possible here'],
    [{ raid_level: "rayd10" }, "did you mean `raid10`?"],
    [{ raid_level: "raid10", disks: disks("A", "B") }, "`raid10` needs at least 4 disks, here are 2"],
    [{ raid_level: "raid10", disks: disks("ABCDE") }, "5 disks cannot be cut into groups of 2"],
    [{ raid_level: "raidz2", disks: disks("A", "B", "C") }, "`raidz2` needs at least 4 disks"],
    [
      { raid_level: "raidz1", group_size: 2, disks: disks("ABCD") },
      "a group of `raidz1` needs at least 3 disks",
    ],
    [{ raid_level: "raidz1", group_size: 3, disks: disks("ABCD") }, "4 disks cannot be cut into groups of 3"],
    [{ raid_level: "single", group_size: 2 }, "`single` has no groups"],
    [{ raid_level: "single", draid: { spares: 1 } }, "`draid` is for the levels draid1"],
    [
      { raid_level: "draid1", draid: { data_disks: 4, spares: 1 }, disks: disks("ABCDE") },
      "`draid1` needs at least 6 disks",
    ],
    [{ log_disks: disks("A") }, "/zfs/pools/0/log_disks/0 the disk `/dev/disk/by-id/ata-A` is there twice"],
    [{ cache_disks: ["/dev/sdb"] }, '"/dev/sdb" has not the right form'],
    [{ filesystem_properties: { "phoenix:stack": "mine" } }, "unknown key `phoenix:stack`"],
  ])("%j", (pool, message) => {
    expect(findings(pool).join("\n")).toContain(message);
  });

  test.each([
    ["RAIDZ1", "raidz1"],
    ["raidz", "raidz1"],
    ["RAID10", "raid10"],
    ["raid 1+0", "raid10"],
    ["Mirror", "mirror"],
    ["dRAID2", "draid2"],
  ])("%s counts as %s", (word, level) => {
    const found = findings({ raid_level: word, disks: disks("ABCD") });
    expect(found.filter((text) => text.startsWith("error"))).toEqual([]);
    expect(found.join()).toContain(`is now \`${level}\``);
  });
});

test("F1 setup_zfs: the hidden switch of the old system changes nothing but a warning", () => {
  const { hypervisor, lxc } = small();
  const plain = modelOf(build(hypervisor, lxc));
  set(hypervisor, ["zfs", "settings"], { allow_destructive_operations: true });
  const outcome = build(hypervisor, lxc);
  expect(modelOf(outcome)).toEqual(plain);
  expect(findingsOf(outcome).map(brief).join()).toContain("`allow_destructive_operations` has no effect");
});

test("F1 setup_zfs: no script forces ZFS, and none clears more than the labels of a pool of its own", () => {
  const files = ["bin/hypervisor/feature_setup_zfs.sh", "bin/lib/zfs_wipe.sh", "bin/lib/zfs_properties.sh"];
  const text = files.map((file) => readFileSync(join(root, file), "utf8")).join("\n");
  const commands = text.split("\n").filter((line) => /FAILED (zpool|zfs|wipefs)/.test(line));
  expect(commands.length).toBeGreaterThan(10);
  for (const line of commands) {
    expect(line).not.toMatch(/ -(f|F|fF|R|r|rf)\b|--force/);
    if (line.includes("wipefs")) expect(line).toMatch(/--types (zfs_member|gpt,PMBR) /);
  }
});

describe("datasets", () => {
  test.each<[Json, string]>([
    [{ name: "a/b" }, "/zfs/datasets/2/name `a`, which it lies in, is not in this file"],
    [{ mountpoint: "/etc/x" }, "/etc/x belongs to the system of the node"],
    [{ mountpoint: "/srv" }, "/srv belongs to the system"],
    [{ mountpoint: "relative" }, "has not the right form"],
    [{ mountpoint: "/a/../b" }, "has not the right form"],
    [{ mountpoint: "/tank/lxc" }, "`tank/lxc` is mounted at /tank/lxc already"],
    [{ mountpoint: "none", owner: "root" }, "/zfs/datasets/2/owner it is mounted nowhere"],
    [{ mountpoint: "none", mode: "0700" }, "/zfs/datasets/2/mode it is mounted nowhere"],
    [
      { mountpoint: "none", proxmox_storage_type: "dir", proxmox_content_type: "iso" },
      "needs a dataset that is mounted",
    ],
    [
      { mountpoint: "/srv/x", proxmox_storage_type: "zfspool", proxmox_content_type: "images" },
      "looks for the disks",
    ],
    [{ owner: "www-data", owner_in_containers: true }, "only numbers can be those inside containers"],
    [{ owner: "a b" }, "has not the right form"],
    [{ mode: "rwx" }, "has not the right form"],
    [{ existing: true, mode: "0700" }, "warning cross-check /zfs/datasets/2/mode `mode` has no effect"],
  ])("%j", (dataset, message) => {
    expect(findings({}, dataset).join("\n")).toContain(message);
  });

  test("a pool that may go, with something in it that may not, is warned about", () => {
    expect(findings({ allow: ["destroy"] }).join()).toContain(
      "`tank` may be destroyed, but not `tank/lxc` in it: a destroy will stop there, and both stay",
    );
  });

  test("what a dataset lies in comes first; mount points are inherited; ids of containers are the node's", () => {
    const { hypervisor, lxc } = small();
    const datasets = (hypervisor["zfs"] as { datasets: Json[] }).datasets;
    const storage = { proxmox_storage_type: "dir", proxmox_content_type: "backup" };
    datasets.unshift(
      {
        name: "media/films/old",
        pool: "tank",
        owner: "33:44",
        owner_in_containers: true,
        mode: "0750",
        ...storage,
      },
      { name: "media/films", pool: "tank", owner: "www-data" },
      { name: "media", pool: "tank", mountpoint: "/srv/media" },
    );
    const { host } = modelOf(build(hypervisor, lxc));
    expect(host.datasets.map(({ path, parent, owner, mode }) => [path, parent, owner, mode])).toEqual([
      ["tank/media", "tank", undefined, undefined],
      ["tank/lxc", "tank", undefined, undefined],
      ["tank/iso", "tank", undefined, undefined],
      ["tank/media/films", "tank/media", "www-data:www-data", undefined],
      ["tank/media/films/old", "tank/media/films", "100033:100044", "0750"],
    ]);
    expect(host.datasets[0]?.properties).toEqual({ mountpoint: "/srv/media" });
    expect(host.storages.find(({ id }) => id === "tank-media-films-old")?.path).toBe("/srv/media/films/old");
  });
});

describe("an edit that cannot be, or is not allowed, is known from the two configurations", () => {
  const input = (pool: Json, allow: string[] = []): ZfsInput => {
    const base = { name: "tank", raid_level: "mirror" as const, disks: disks("A", "B") };
    return { parameters: toPool({ ...base, ...pool }), allow };
  };
  const before = input({ properties: { ashift: "12" } });
  test.each<[string, Json, string[], RegExp | undefined]>([
    ["nothing", {}, [], undefined],
    ["another order", { disks: disks("B", "A") }, [], undefined],
    ["a property", { properties: { ashift: "12", autotrim: "on" } }, [], undefined],
    ["ashift left out", { properties: {} }, [], undefined],
    ["another ashift", { properties: { ashift: "13" } }, [], /^ashift is 12 and cannot become 13/],
    [
      "another case",
      { filesystem_properties: { casesensitivity: "mixed" } },
      [],
      /^casesensitivity was left to ZFS/,
    ],
    ["a third side", { disks: disks("A", "B", "C") }, [], undefined],
    ["a second mirror", { raid_level: "raid10", disks: disks("ABCD") }, [], /"allow": \["grow"\]/],
    ["a second mirror, allowed", { raid_level: "raid10", disks: disks("ABCD") }, ["grow"], undefined],
    ["special disks", { special_disks: disks("C", "D") }, [], /"allow": \["grow"\]/],
    ["a log", { log_disks: disks("C") }, [], undefined],
    ["a disk exchanged", { disks: disks("A", "C") }, [], /"allow": \["replace"\]/],
    ["a disk exchanged, allowed", { disks: disks("A", "C") }, ["replace"], undefined],
    ["all disks exchanged", { disks: disks("C", "D") }, ["grow"], /"allow": \["replace"\]/],
    [
      "a side less",
      { raid_level: "single", disks: disks("A") },
      ["grow", "replace", "destroy"],
      /would be taken out/,
    ],
    ["another level", { raid_level: "stripe" }, ["grow", "replace"], /would be taken out/],
    ["raidz from a mirror", { raid_level: "raidz1", disks: disks("A", "B", "C") }, ["grow"], /cannot become/],
    ["declared existing", { existing: true, disks: disks("A") }, [], undefined],
  ])("%s", (_, pool, allow, message) => {
    const refused = refusedEdits(before, input({ properties: { ashift: "12" }, ...pool }, allow)).join("; ");
    if (message === undefined) expect(refused).toBe("");
    else expect(refused).toMatch(message);
  });

  test("a shorter list of groups is never accepted, whatever is allowed", () => {
    const letters = fc.uniqueArray(fc.constantFrom("A", "B", "C", "D", "E", "F", "G", "H"), {
      minLength: 2,
      maxLength: 8,
    });
    fc.assert(
      fc.property(letters, fc.nat(6), fc.boolean(), (all, taken, mirror) => {
        const kept = all.slice(0, Math.max(1, all.length - 1 - taken));
        const level = (count: number) => (count === 1 ? "single" : mirror ? "mirror" : "stripe");
        const now = input({ raid_level: level(all.length), disks: disks(...all) });
        const then = input({ raid_level: level(kept.length), disks: disks(...kept) }, [
          "grow",
          "replace",
          "destroy",
        ]);
        expect(refusedEdits(now, then)).not.toEqual([]);
      }),
      { seed: 2 },
    );
  });
});
