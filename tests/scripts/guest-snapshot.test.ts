import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Bench } from "./run-script.ts";

const script = "bin/lxc/take_snapshot.sh";
const mark = "phoenix stack=dev vmid=101 incarnation=0123456789abcdef recipe=ab12";
const input = { stack: "dev", ctid: 101, parameters: { name: "final-form" } };
const mounts = ["mp0: /tank/volumes/101-data,mp=/data", "mp3: /srv/certs,mp=/certs,ro=1"];

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
  put("config", [`description: ${mark}%0A`, "rootfs: store:x,size=4G", ...mounts].join("\n"));
  put("status", "running");
  put("snapshots", "");
});
afterEach(() => bench.close());

const put = (name: string, text: string): void =>
  writeFileSync(join(bench.folder, name), text === "" ? "" : `${text}\n`);
const lines = (name: string): string[] =>
  readFileSync(join(bench.folder, name), "utf8")
    .split("\n")
    .filter((line) => line !== "");

/** A guest that keeps what it is told; `pct snapshot` refuses bind mounts as Proxmox VE does. */
function guest(onSnapshot = ":"): void {
  bench.tool(
    "pct",
    `cd '${bench.folder}'
    verb=$1; shift 2
    case $verb in
      config) cat config ;;
      status) echo "status: $(cat status)" ;;
      shutdown) echo stopped >status ;;
      start) echo running >status ;;
      listsnapshot) sed 's/^/\`-> /' snapshots ;;
      set)
        while (($# > 1)); do
          if [[ $1 == --delete ]]; then for key in \${2//,/ }; do sed -i "/^$key:/d" config; done; else echo "\${1#--}: $2" >>config; fi
          shift 2
        done ;;
      snapshot)
        ${onSnapshot}
        if grep -q '^mp' config; then echo "snapshot feature is not available" >&2; exit 255; fi
        if [[ $(cat status) == running ]]; then echo "the test wants it stopped" >&2; exit 255; fi
        echo "$1" >>snapshots ;;
    esac`,
  );
}

/** Kills the script from within, and its subshell, and nothing else; the snapshot itself is not taken. */
const cut = `for pid in $(ps -o ppid= $PPID) $PPID; do
    if tr '\\0' ' ' </proc/$pid/cmdline | grep -q take_snapshot; then kill -9 $pid; fi
  done
  exit 1`;

/** As it was before. */
function isWhole(): void {
  expect(
    lines("config")
      .filter((line) => line.startsWith("mp"))
      .sort(),
  ).toEqual(mounts);
  expect(lines("status")).toEqual(["running"]);
  expect(bench.run(script, ["check"], input).stdout).not.toContain("taken out");
}

test("B.5.3: it is taken once, and the guest gets back what it saw and runs again", () => {
  guest();
  const { code, stderr } = bench.run(script, ["apply"], input);
  expect(code, stderr).toBe(0);
  expect(bench.run(script, ["apply"], input).code).toBe(0);
  expect(lines("snapshots")).toEqual(["final-form"]);
  isWhole();
});

test("a snapshot that fails is an error, and takes nothing from the guest", () => {
  guest("echo 'no space left' >&2; exit 28");
  const { code, stderr } = bench.run(script, ["apply"], input);
  expect(code).toBe(29);
  expect(stderr).toContain("no space left");
  isWhole();
});

test("cut while the mounts are out: a check says so, and the next run brings all back", () => {
  guest(cut);
  bench.run(script, ["apply"], input);
  expect(lines("status")).toEqual(["stopped"]);
  expect(lines("config").filter((line) => line.startsWith("mp"))).toEqual([]);
  guest();
  expect(bench.run(script, ["check"], input).stdout).toContain("has not come back");
  const { code, stderr } = bench.run(script, ["apply"], input);
  expect(code, stderr).toBe(0);
  expect(lines("snapshots")).toEqual(["final-form"]);
  isWhole();
});

test("cut, and configured otherwise meanwhile: what has a place again stays as it is", () => {
  guest(cut);
  bench.run(script, ["apply"], input);
  const other = "mp0: /tank/volumes/101-other,mp=/data";
  put("config", [...lines("config"), other].join("\n"));
  guest();
  expect(bench.run(script, ["apply"], input).code).toBe(0);
  expect(
    lines("config")
      .filter((line) => line.startsWith("mp"))
      .sort(),
  ).toEqual([other, mounts[1]]);
});

test("a guest that sees nothing of the host is not stopped", () => {
  put("config", `description: ${mark}%0A`);
  put("status", "stopped");
  guest();
  expect(bench.run(script, ["apply"], input).code).toBe(0);
  expect(bench.calls().map(([, verb]) => verb)).not.toContain("shutdown");
  expect(bench.calls().map(([, verb]) => verb)).not.toContain("start");
});
