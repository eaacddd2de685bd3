import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Bench, root } from "./run-script.ts";

const settings = "bin/lxc/configure_container.sh";
const mark = "phoenix stack=dev vmid=101 incarnation=0123456789abcdef recipe=ab12";

/** What the pure function says: every kind with its values in order. */
function plan(
  wanted: object,
  config: Record<string, string> = {},
  given: string[] = [],
): Record<string, string[]> {
  const text = Object.entries(config).map(([key, value]) => `${key.replace(/#.*/, "")}: ${value}`);
  const input = [JSON.stringify(wanted), text.join("\n"), given.join("\n")].join("\0");
  const { stdout, stderr, status } = spawnSync("perl", [join(root, "bin/lib/guest_settings.pl")], {
    input,
    encoding: "utf8",
  });
  expect(`${status} ${stderr}`).toBe("0 ");
  const words = stdout.split("\0");
  const said: Record<string, string[]> = {};
  for (let i = 0; i + 1 < words.length; i += 2) (said[words[i] ?? ""] ??= []).push(words[i + 1] ?? "");
  return said;
}

const data = { source: "/tank/volumes/101-data", path: "/data" };
const logs = { source: "/tank/volumes/101-logs", path: "/logs" };
const mp = ({ source, path }: typeof data) => `${source},mp=${path}`;

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

describe("mounts and devices keep the index that they have", () => {
  test("nothing wanted, nothing given: what a person added is not even looked at", () => {
    const config = {
      mp0: "/srv/x,mp=/x",
      dev0: "/dev/ttyUSB0",
      "lxc.mount.auto": "sys:rw",
      timezone: "host",
    };
    expect(plan({}, config)).toEqual({ raw: ["lxc.mount.auto: sys:rw"] });
  });

  test("another order is no change; a new one takes the first free index", () => {
    const config = { mp1: mp(data), mp3: mp(logs), mp0: "/srv/x,mp=/x" };
    expect(plan({ mounts: [logs, data] }, config)["set"]).toBeUndefined();
    const more = { source: "/tank/volumes/101-more", path: "/more" };
    expect(plan({ mounts: [more, logs, data] }, config)["set"]).toEqual(["--mp2", mp(more)]);
  });

  test("B.5.1, B.5.2: volumes added on each run, lists that overwrite each other", () => {
    const first = plan({ mounts: [data, logs] });
    expect(first["set"]).toEqual(["--mp0", mp(data), "--mp1", mp(logs)]);
    const config = { mp0: mp(data), mp1: mp(logs) };
    expect(plan({ mounts: [data, logs] }, config, first["owned"])).toEqual({ owned: first["owned"] });
  });

  test("B.5.10: what is no longer asked for goes, and only that", () => {
    const config = {
      dev0: "/dev/nvidia0,mode=0666",
      dev1: "path=/dev/nvidia1,mode=0666",
      dev2: "/dev/ttyUSB0",
    };
    const wanted = { devices: [{ path: "/dev/nvidia1", mode: "0666" }] };
    const said = plan(wanted, config, ["dev /dev/nvidia0", "dev /dev/nvidia1"]);
    expect(said["set"]).toEqual(["--delete", "dev0"]);
    expect(said["reason"]).toEqual(["dev0 is '/dev/nvidia0,mode=0666', and no longer wanted"]);
  });

  test("owner and mode of a device, in whatever spelling", () => {
    const wanted = { devices: [{ path: "/dev/dri/renderD128", gid: 104 }] };
    expect(plan(wanted, { dev4: "gid=104,path=/dev/dri/renderD128,mode=0660" })["set"]).toBeUndefined();
    expect(plan(wanted, { dev4: "/dev/dri/renderD128" })["set"]).toEqual([
      "--dev4",
      "/dev/dri/renderD128,gid=104",
    ]);
  });

  test("ours moves within its index; somebody else's at the same place is a conflict", () => {
    const moved = { ...data, path: "/elsewhere" };
    expect(plan({ mounts: [moved] }, { mp5: mp(data) }, [`mp ${data.source} /data`])["set"]).toEqual([
      "--mp5",
      mp(moved),
    ]);
    const said = plan({ mounts: [data] }, { mp0: "store:vol-1,mp=/data,size=1G" });
    expect(said["conflict"]).toEqual(["mp0: store:vol-1,mp=/data,size=1G"]);
    expect(said["set"]).toBeUndefined();
  });
});

describe("flags, options, description and raw lines", () => {
  test("mount types are set when wanted, and go when they were ours", () => {
    const features = { nesting: true, keyctl: false, fuse: false, mknod: true };
    const said = plan({ features: { ...features, mount: ["nfs", "cifs"] } }, { features: "nesting=1" });
    expect(said["set"]).toEqual(["--features", "mknod=1,mount=cifs;nfs,nesting=1"]);
    const config = { features: "mknod=1,mount=cifs;nfs,nesting=1" };
    expect(plan({ features }, config, said["owned"])["set"]).toEqual(["--features", "mknod=1,nesting=1"]);
    expect(plan({ features }, config)["set"]).toBeUndefined();
  });

  test("an option is set, and goes when it was ours", () => {
    expect(plan({ options: { timezone: "host" } })["set"]).toEqual(["--timezone", "host"]);
    expect(plan({}, { timezone: "host" }, ["option timezone"])["set"]).toEqual(["--delete", "timezone"]);
    expect(plan({}, { timezone: "host" })["set"]).toBeUndefined();
  });

  test("a person's own text stands below the mark, which stays", () => {
    const said = plan({ description: "Grüße: 100 %" }, { description: `${mark}%0A` });
    expect(said["set"]).toEqual(["--description", `${mark}\nGrüße: 100 %\n`]);
    const there = { description: `${mark}%0AGr%C3%BC%C3%9Fe%3A 100 %25%0A` };
    expect(plan({ description: "Grüße: 100 %" }, there)["set"]).toBeUndefined();
    expect(plan({}, there)["set"]).toBeUndefined();
    expect(plan({}, there, said["owned"])["set"]).toEqual(["--description", `${mark}\n`]);
  });

  test("raw lines: ours in order, those of others stay", () => {
    const wanted = {
      raw: [
        ["lxc.idmap", "u 0 100000 33"],
        ["lxc.idmap", "g 0 100000 33"],
      ],
    };
    const config = { "lxc.mount.auto": "sys:rw" };
    expect(plan(wanted, config)["raw"]).toEqual([
      "lxc.mount.auto: sys:rw",
      "lxc.idmap: u 0 100000 33",
      "lxc.idmap: g 0 100000 33",
    ]);
    const both = { ...config, "lxc.idmap#1": "u 0 100000 33", "lxc.idmap#2": "g 0 100000 33" };
    const again = plan(wanted, both);
    expect(again["raw-changed"]).toBeUndefined();
    expect(plan({}, both, again["owned"])["raw"]).toEqual(["lxc.mount.auto: sys:rw"]);
  });
});

describe("F7, B.5.9: edits into snapshot sections", () => {
  const edit = (text: string, lines: string) => {
    mkdirSync(join(bench.folder, "lxc"));
    const file = join(bench.folder, "lxc/101.conf");
    writeFileSync(file, text);
    const outcome = bench.shell("perl", [join(root, "bin/lib/edit_raw_lines.pl"), "101"], lines);
    return { ...outcome, text: readFileSync(file, "utf8") };
  };
  const snapshot = "\n[pve:pending]\nswap: 1\n\n[final-form]\ncores: 1\nlxc.idmap: u 0 9 9\nsnaptime: 1\n";

  test("only the live section changes, the rest stays byte for byte", () => {
    const { code, text } = edit(`#mark\ncores: 2\nlxc.idmap: u 0 1 1\n${snapshot}`, "lxc.idmap: u 0 2 2\n");
    expect(code).toBe(0);
    expect(text).toBe(`#mark\ncores: 2\nlxc.idmap: u 0 2 2\n${snapshot}`);
  });

  test.each([
    ["cores: 2\nlock: snapshot\n", "lxc.idmap: u 0 2 2\n", "guest 101 is locked (snapshot)"],
    ["cores: 2\n", "cores: 9\n", "not a raw line: cores: 9"],
  ])("%j is refused", (before, lines, message) => {
    const { code, stderr, text } = edit(before, lines);
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
    expect(text).toBe(before);
  });

  test("what was given is remembered for this very guest only", () => {
    const stopped = "status) echo 'status: stopped' ;;";
    const document = (parameters: object) => ({
      stack: "dev",
      ctid: 101,
      parameters: { ...parameters, started: false },
    });
    const before = { description: `${mark}%0A`, rootfs: "store:x,size=4G" };
    const apply = (config: object, parameters: object) => {
      const { code, stderr } = bench
        .guest({ ...before, ...config }, stopped)
        .run(settings, ["apply"], document(parameters));
      expect(code, stderr).toBe(0);
      return bench
        .calls()
        .findLast(([, verb]) => verb === "set")
        ?.slice(3);
    };
    expect(apply({}, { devices: [{ path: "/dev/null" }] })).toEqual(["--dev0", "/dev/null"]);
    expect(apply({ dev0: "/dev/null" }, {})).toEqual(["--delete", "dev0"]);
    const other = `${mark.replace("0123", "4567")}%0A`;
    bench.guest({ ...before, description: other, dev0: "/dev/null" }, stopped);
    expect(bench.run(settings, ["check"], document({})).code).toBe(0);
  });

  test("a conflict is drift in a check, and refused before anything is changed", () => {
    const config = { description: `${mark}%0A`, rootfs: "store:x,size=4G", mp0: "store:y,mp=/data,size=1G" };
    const input = {
      stack: "dev",
      ctid: 101,
      parameters: { mounts: [{ source: "/tmp", path: "/data" }], started: false },
    };
    bench.guest(config, "status) echo 'status: stopped' ;;");
    expect(bench.run(settings, ["check"], input).code).toBe(10);
    expect(bench.run(settings, ["apply"], input)).toMatchObject({ code: 27 });
    expect(bench.calls().map(([, verb]) => verb)).not.toContain("set");
  });
});

describe("what a guest is to see of the node", () => {
  const dataset = "tank/volumes/101-data";
  const inDataset = { dataset };
  test.each([
    [
      "the dataset is not mounted",
      inDataset,
      "echo no",
      "",
      `dataset ${dataset}, in which FOLDER lies, is not mounted`,
    ],
    [
      "the dataset is not there",
      inDataset,
      "exit 1",
      "",
      `dataset ${dataset}, in which FOLDER lies, is not mounted`,
    ],
    ["the folder is not there", {}, "exit 1", "/gone", "FOLDER is not there"],
    ["the dataset is mounted", inDataset, "echo yes", "", undefined],
    ["a plain folder asks for no dataset", {}, "exit 1", "", undefined],
  ])("%s", (_, more, zfs, below, problem) => {
    const source = `${bench.folder}${below}`;
    bench
      .tool("zfs", zfs)
      .guest({ description: `${mark}%0A`, rootfs: "store:x,size=4G" }, "status) echo 'status: stopped' ;;");
    const mounts = [{ source, path: "/data", ...more }];
    const input = { stack: "dev", ctid: 101, parameters: { mounts, started: false } };
    const said = problem?.replace("FOLDER", source);
    const lines = bench.run(settings, ["check"], input).stdout.split("\n");
    expect(lines.filter((line) => line.includes(source) && !line.includes("mp="))).toEqual(
      said ? [said] : [],
    );
    const { code, stderr } = bench.run(settings, ["apply"], input);
    expect(code, stderr).toBe(said ? 21 : 0);
    if (said) expect(stderr).toContain(said);
    expect(bench.calls().some(([, verb]) => verb === "set")).toBe(!said);
  });
});
