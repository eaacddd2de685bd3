import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Bench } from "./run-script.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

type Group = [name: string, kind: string, ...disks: string[]];

/** `zpool status` of a pool with these groups. */
function status(groups: readonly Group[]): string {
  const lines = groups.flatMap(([name, kind, ...disks], i) => {
    const head = name === "data" ? [] : [`\t${name === "log" || name === "spare" ? `${name}s` : name}`];
    const parts = disks.map((disk) => `\t  ${kind === "disk" ? "" : "  "}/dev/${disk} ONLINE 0 0 0`);
    return [...head, ...(kind === "disk" ? [] : [`\t  ${kind}-${i} ONLINE 0 0 0`]), ...parts];
  });
  return `  pool: tank\nconfig:\n\n\tNAME STATE\n\ttank ONLINE 0 0 0\n${lines.join("\n")}\n\nerrors: none\n`;
}

function compare(now: readonly Group[], wanted: readonly Group[], ours = true): string[] {
  const vdevs = wanted.map(([name, kind, ...disks]) => ({
    class: name,
    kind,
    disks: disks.map((disk) => `/dev/${disk}`),
  }));
  const { code, stdout, stderr } = bench.library(
    `read_document /nonexistent; name=tank; read_wanted_layout
     compare_layout tank "$(param text)" ${ours}
     if [[ -n $WRONG ]]; then printf 'wrong: %s\\n' "$WRONG"; else printf '%s\\n' "\${LAYOUT_STEPS[@]}"; fi`,
    JSON.stringify({ stack: "x", parameters: { vdevs, text: status(now) } }),
  );
  expect(`${code} ${stderr}`).toBe("0 ");
  return stdout.split("\n").filter((line) => line !== "");
}

const mirror: Group = ["data", "mirror", "a", "b"];
const more: Group = ["data", "mirror", "c", "d"];

describe("what is to be done to a pool", () => {
  test.each<[string, Group[], Group[], string[]]>([
    ["nothing", [mirror], [mirror], []],
    ["nothing in another order", [mirror, more], [more, ["data", "mirror", "b", "a"]], []],
    ["a mirror more", [mirror], [mirror, more], ["add data mirror /dev/c /dev/d"]],
    [
      "a disk more in a stripe",
      [["data", "disk", "a"]],
      [
        ["data", "disk", "a"],
        ["data", "disk", "b"],
      ],
      ["add data disk /dev/b"],
    ],
    ["a disk becomes a mirror", [["data", "disk", "a"]], [mirror], ["attach /dev/a /dev/b"]],
    ["a third side", [mirror], [["data", "mirror", "a", "b", "c"]], ["attach /dev/a /dev/c"]],
    ["a disk exchanged", [mirror, more], [mirror, ["data", "mirror", "c", "e"]], ["replace /dev/d /dev/e"]],
    [
      "both sides exchanged",
      [mirror, more],
      [mirror, ["data", "mirror", "e", "f"]],
      ["replace /dev/c /dev/e", "replace /dev/d /dev/f"],
    ],
    [
      "a wider raidz",
      [["data", "raidz1", "a", "b", "c"]],
      [["data", "raidz1", "a", "b", "c", "d"]],
      ["expand raidz1-0 /dev/d"],
    ],
    [
      "a log and a cache more",
      [mirror],
      [mirror, ["log", "disk", "c"], ["cache", "disk", "d"]],
      ["add log disk /dev/c", "add cache disk /dev/d"],
    ],
    [
      "a log and a spare less",
      [mirror, ["log", "disk", "c"], ["spare", "disk", "d"]],
      [mirror],
      ["remove log /dev/c", "remove spare /dev/d"],
    ],
    ["a mirrored log less", [mirror, ["log", "mirror", "c", "d"]], [mirror], ["remove log mirror-1"]],
  ])("%s", (_, now, wanted, steps) => {
    expect(compare(now, wanted)).toEqual(steps);
  });

  test.each<[string, Group[], Group[], RegExp]>([
    ["a group less", [mirror, more], [mirror], /c \/dev\/d would be taken out/],
    ["a side less", [mirror], [["data", "disk", "a"]], /\/dev\/b would be taken out/],
    ["a special mirror less", [mirror, ["special", "mirror", "c", "d"]], [mirror], /would be taken out/],
    [
      "a mirror as a stripe",
      [mirror],
      [
        ["data", "disk", "a"],
        ["data", "disk", "b"],
      ],
      /grouped in another way|would be taken out/,
    ],
    [
      "other pairs",
      [mirror, more],
      [
        ["data", "mirror", "a", "c"],
        ["data", "mirror", "b", "d"],
      ],
      /grouped in another way/,
    ],
    [
      "another parity",
      [["data", "raidz1", "a", "b", "c", "d"]],
      [["data", "raidz2", "a", "b", "c", "d"]],
      /is \[raidz1\], configured is raidz2/,
    ],
    [
      "a data disk as a cache",
      [mirror],
      [
        ["data", "mirror", "a", "c"],
        ["cache", "disk", "b"],
      ],
      /grouped in another way/,
    ],
    ["an exchange and a side more", [mirror], [["data", "mirror", "a", "c", "d"]], /replace disks first/],
    [
      "a wider draid",
      [["data", "draid1:1d:2c:0s", "a", "b"]],
      [["data", "draid1:1d:2c:0s", "a", "b", "c"]],
      /cannot be widened/,
    ],
  ])("%s is an error that names both lists", (_, now, wanted, message) => {
    const [line = ""] = compare(now, wanted);
    expect(line).toMatch(/^wrong: pool tank consists of \[.+\], configured are \[.+\] = \[.+\]: /);
    expect(line).toMatch(message);
  });

  test("a pool that shares no disk is another one, unless it is known as ours", () => {
    expect(compare([mirror], [more], false)[0]).toMatch(/none of its disks is a configured one/);
    expect(compare([mirror], [more], true)).toEqual(["replace /dev/a /dev/c", "replace /dev/b /dev/d"]);
  });
});

describe("a raidz", () => {
  const script = "bin/hypervisor/feature_setup_zfs.sh";
  const document = (allow: string[]) => ({
    stack: "dev",
    allow,
    parameters: {
      kind: "pool",
      name: "tank",
      vdevs: [
        { class: "data", kind: "raidz1", disks: ["a", "b", "c", "null0"].map((disk) => `/dev/${disk}`) },
      ],
    },
  });
  /** A node whose ZFS has raidz expansion or has not. */
  function withExpansion(feature: string): void {
    const text = status([["data", "raidz1", "a", "b", "c"]]);
    bench
      .tool(
        "zpool",
        `case "$1 $*" in list*) echo tank ;; status*) printf '%b' ${JSON.stringify(text.replaceAll("\n", "\\n").replaceAll("\t", "\\t"))} ;; get*feature@*) echo ${feature} ;; esac`,
      )
      .tool("zfs", `printf 'phoenix:stack\\tdev\\tlocal\\n'`);
  }

  test("is widened only by the word, and only where ZFS can", () => {
    withExpansion("disabled");
    expect(bench.run(script, ["apply"], document([])).stderr).toContain('"allow": ["grow"]');
    const { code, stderr } = bench.run(script, ["apply"], document(["grow"]));
    expect(code).toBe(21);
    expect(stderr).toContain("no raidz expansion");
    expect(bench.calls().filter(([, verb]) => verb === "attach")).toEqual([]);
  });

  test("takes no disk that is not verifiably empty", () => {
    withExpansion("enabled");
    const { code, stderr } = bench.run(script, ["apply"], document(["grow"]));
    expect(code).toBe(25);
    expect(stderr).toContain("/dev/null0: not there");
    expect(bench.calls().filter(([, verb]) => verb === "attach")).toEqual([]);
  });
});
