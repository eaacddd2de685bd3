import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Bench } from "./run-script.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

describe("the document", () => {
  test("values keep every character, lists and objects are reached by pointer", () => {
    const input = JSON.stringify({
      stack: "dev",
      allow: ["destroy"],
      parameters: {
        text: 'a\n"b"\t\\ ü ',
        list: ["x", "y z"],
        deep: { "com.sun:auto": "on", "a/b": 1 },
        no: false,
        none: null,
      },
    });
    const { stdout, stderr } = bench.library(
      `read_document /nonexistent
       printf '[%s]\n' "$(param text)" "$(param deep/com.sun:auto)" "$(param deep/a~1b)" "$(param no)" "$(param none gone)" "$(param list)"
       list=() keys=(); param_list list list; param_keys deep keys; printf '<%s>\n' "\${list[@]}" "\${keys[@]}"
       allowed destroy && echo yes; allowed replace || echo no`,
      input,
    );
    expect(stderr).toBe("");
    expect(stdout).toBe(
      '[a\n"b"\t\\ ü ]\n[on]\n[1]\n[false]\n[gone]\n[["x","y z"]]\n<x>\n<y z>\n<a/b>\n<com.sun:auto>\nyes\nno\n',
    );
  });

  test.each(["", "[]", '"text"', "{", '{"a":"\\u0000"}'])("%j is refused", (input) => {
    expect(bench.library("read_document /nonexistent", input).code).toBe(20);
  });
});

describe("a step", () => {
  test("that fails quotes its own last lines and nothing of the steps before, never its command line", () => {
    const { code, stderr } = bench.library(
      `PHOENIX_LOG='${bench.folder}/log'
       step "The first" FAILED echo quiet
       step "The second" PACKAGES bash -c 'seq 1 30; echo oh no >&2; exit 4' secret-argument`,
    );
    expect(code).toBe(24);
    expect(stderr).toContain("  | 17\n");
    expect(stderr).not.toContain("  | 16\n");
    expect(stderr).toContain("  | oh no\nerror PACKAGES (24): The second failed (exit 4); whole log on");
    expect(stderr).not.toContain("quiet");
    expect(stderr).not.toContain("secret-argument");
  });

  test("that reads standard input finds it empty", () => {
    expect(bench.library("step Reading FAILED cat; echo done", "something").stdout).toBe("done\n");
  });
});

describe("waiting", () => {
  test("ends as soon as it is so, and in time when it never is", () => {
    expect(bench.library("wait_until 5 true && echo yes").stdout).toBe("yes\n");
    const since = Date.now();
    expect(bench.library("wait_until 1 false || echo no").stdout).toBe("no\n");
    expect(Date.now() - since).toBeLessThan(4000);
  });
});

describe("ZFS", () => {
  // As OpenZFS 2.2 prints it with -P.
  const status = (config: string) =>
    `  pool: tank\n state: ONLINE\n  scan: none requested\nconfig:\n\n${config}\nerrors: No known data errors\n`;
  const members = (config: string) =>
    bench.library("parse_members tank", status(config)).stdout.trim().split("\n");

  test.each([
    [
      "a disk",
      "\tNAME STATE\n\ttank ONLINE 0 0 0\n\t  /dev/disk/by-id/a-part1 ONLINE 0 0 0\n",
      ["vdev data disk /dev/disk/by-id/a-part1", "disk /dev/disk/by-id/a-part1 /dev/disk/by-id/a-part1"],
    ],
    [
      "a stripe",
      "\tNAME STATE\n\ttank ONLINE 0 0 0\n\t  /dev/a ONLINE 0 0 0\n\t  /dev/b ONLINE 0 0 0\n",
      ["vdev data disk /dev/a", "disk /dev/a /dev/a", "vdev data disk /dev/b", "disk /dev/b /dev/b"],
    ],
    [
      "mirrors, with special disks, a log, a cache and spares",
      "\tNAME STATE\n\ttank ONLINE 0 0 0\n\t  mirror-0 ONLINE 0 0 0\n\t    /dev/a ONLINE 0 0 0\n\t    /dev/b ONLINE 0 0 0\n" +
        "\tspecial\t\n\t  mirror-1 ONLINE 0 0 0\n\t    /dev/c ONLINE 0 0 0\n\t    /dev/d ONLINE 0 0 0\n" +
        "\tlogs\t\n\t  /dev/e ONLINE 0 0 0\n\tcache\n\t  /dev/f ONLINE 0 0 0\n\tspares\n\t  /dev/g AVAIL\n",
      [
        "vdev data mirror mirror-0",
        "disk /dev/a /dev/a",
        "disk /dev/b /dev/b",
        "vdev special mirror mirror-1",
        "disk /dev/c /dev/c",
        "disk /dev/d /dev/d",
        "vdev log disk /dev/e",
        "disk /dev/e /dev/e",
        "vdev cache disk /dev/f",
        "disk /dev/f /dev/f",
        "vdev spare disk /dev/g",
        "disk /dev/g /dev/g",
      ],
    ],
    [
      "a disk that is gone, one that is being replaced, one for which a spare stands in",
      "\tNAME STATE\n\ttank DEGRADED 0 0 0\n\t  raidz2-0 DEGRADED 0 0 0\n\t    1234567 UNAVAIL 0 0 0  was /dev/disk/by-id/x-part1\n" +
        "\t    replacing-1 DEGRADED 0 0 0\n\t      /dev/a OFFLINE 0 0 0\n\t      /dev/b ONLINE 0 0 0  (resilvering)\n" +
        "\t    spare-2 DEGRADED 0 0 0\n\t      /dev/c FAULTED 0 0 0\n\t      /dev/s ONLINE 0 0 0\n\t    /dev/d ONLINE 0 0 0\n" +
        "\tspares\n\t  /dev/s INUSE currently in use\n",
      [
        "vdev data raidz2 raidz2-0",
        "disk 1234567 /dev/disk/by-id/x-part1",
        "disk /dev/b /dev/b",
        "disk /dev/c /dev/c",
        "disk /dev/d /dev/d",
        "vdev spare disk /dev/s",
        "disk /dev/s /dev/s",
      ],
    ],
    [
      "a single disk that is being replaced",
      "\tNAME STATE\n\ttank ONLINE 0 0 0\n\t  replacing-0 ONLINE 0 0 0\n\t    /dev/a ONLINE 0 0 0\n\t    /dev/b ONLINE 0 0 0\n",
      ["vdev data disk /dev/b", "disk /dev/b /dev/b"],
    ],
    [
      "draid, whose own spares are no disks",
      "\tNAME STATE\n\ttank ONLINE 0 0 0\n\t  draid1:2d:4c:1s-0 ONLINE 0 0 0\n\t    /dev/a ONLINE 0 0 0\n\tspares\n\t  draid1-0-0 AVAIL\n",
      ["vdev data draid1:2d:4c:1s draid1:2d:4c:1s-0", "disk /dev/a /dev/a"],
    ],
  ])("reads %s", (_, config, expected) => {
    expect(members(config)).toEqual(expected);
  });

  test("reads what can be imported", () => {
    const text =
      "   pool: tank\n     id: 99\n  state: ONLINE\n action: The pool can be imported using its name or numeric identifier.\n config:\n\n" +
      "\ttank        ONLINE\n\t  mirror-0  ONLINE\n\t    /dev/a  ONLINE\n\t    /dev/b  ONLINE\n";
    expect(bench.library("parse_members tank", text).stdout).toBe(
      "vdev data mirror mirror-0\ndisk /dev/a /dev/a\ndisk /dev/b /dev/b\n",
    );
  });

  test.each([
    ["16K", "16384"],
    ["1M", "1048576"],
    ["1.4T", "1539316278886"],
    ["600G", "644245094400"],
    ["2TiB", "2199023255552"],
    ["none", "0"],
    ["posixacl", "posix"],
    ["lz4", "lz4"],
    ["/mnt/1K x", "/mnt/1K x"],
  ])("%s is %s", (value, plain) => {
    expect(bench.library('plain_value "$(cat)"', value).stdout).toBe(plain);
  });

  test.each([
    [["data disk a"], "a"],
    [["data disk a", "data disk b"], "a b"],
    [["data mirror a b", "data mirror c d"], "mirror a b mirror c d"],
    [
      ["data raidz2 a b c d", "log mirror e f", "cache disk g", "cache disk h", "spare disk i"],
      "raidz2 a b c d log mirror e f cache g h spare i",
    ],
    [["special mirror c d", "data draid1:1d:2c:0s a b"], "draid1:1d:2c:0s a b special mirror c d"],
  ])("groups %j are made as %s", (groups, words) => {
    const given = groups.map((group) => `'${group}'`).join(" ");
    expect(bench.library(`vdev_words ${given} | paste -sd ' '`).stdout).toBe(`${words}\n`);
  });

  const setup = "bin/hypervisor/feature_setup_zfs.sh";
  const pool = {
    kind: "pool",
    name: "tank",
    vdevs: [{ class: "data", kind: "mirror", disks: ["/dev/null0", "/dev/null1"] }],
  };
  const of = (kind: string, disks = ["/dev/null0", "/dev/null1"], name = "data") => ({
    ...pool,
    vdevs: [{ class: name, kind, disks }],
  });
  test.each([
    [of("raid5"), "unknown raid level 'raid5'"],
    [of(""), "unknown raid level ''"],
    [of("raid10"), "unknown raid level 'raid10'"],
    [of("draid1"), "unknown raid level 'draid1'"],
    [of("disk"), "a single disk is one disk"],
    [of("raidz1"), "at least 3 disks"],
    [of("raidz2"), "at least 4 disks"],
    [of("draid2:2d:2c:1s"), "at least 5 disks"],
    [of("mirror", undefined, "dedup"), "unknown kind of group 'dedup'"],
    [of("mirror", ["/dev/null0", "/dev/null0"]), "same disk"],
    [of("mirror", ["/dev/null0", "-f"]), "not the path of a disk"],
    [of("mirror", ["/dev/null0", "/dev/a b"]), "not the path of a disk"],
    [{ ...pool, vdevs: [] }, "has no disks"],
    [{ ...pool, name: "-f" }, "not a name for ZFS"],
    [{ kind: "dataset", name: "x", pool: "tank", path: "other/x" }, "is not in pool tank"],
    [{ kind: "dataset", name: "x", pool: "tank", path: "tank/x", mode: "rwx" }, "not a mode"],
    [{ kind: "volume", name: "x" }, "unknown kind"],
  ])("%j is refused before ZFS is asked anything", (parameters, message) => {
    bench.tool("zpool", "exit 1").tool("zfs", "exit 1");
    const { code, stderr } = bench.run(setup, ["apply"], { stack: "dev", parameters });
    expect(code).toBe(20);
    expect(stderr).toContain(message);
    expect(bench.calls()).toEqual([]);
  });

  test("a disk that is not there is no empty disk: no pool is made", () => {
    bench.tool("zpool", "exit 1").tool("zfs", "exit 1");
    const { code, stderr } = bench.run(setup, ["apply"], { stack: "dev", parameters: pool });
    expect(code).toBe(25);
    expect(stderr).toContain("/dev/null0: not there");
    expect(bench.calls().filter(([, verb]) => verb === "create")).toEqual([]);
  });
});
