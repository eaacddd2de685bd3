import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Bench } from "./run-script.ts";

const script = "bin/hypervisor/feature_claim_storage.sh";
const registered =
  "dir: local\n\tpath /var/lib/vz\n\nzfspool: tank-lxc\n\tpool tank/lxc\n\tcontent rootdir\n\ndir: tank-iso\n\tpath /tank/iso\n";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
  bench.tool("pvesm", "exit 2").tool("zfs", "exit 1");
});
afterEach(() => bench.close());

const claims = (): string => join(bench.folder, "state/dev/claims");

function run(verb: string, parameters: object, storages = ""): string {
  const file = join(bench.folder, "storage.cfg");
  writeFileSync(file, storages);
  process.env["PHOENIX_STORAGES"] = file;
  const { code, stdout, stderr } = bench.run(script, [verb], { stack: "dev", parameters });
  delete process.env["PHOENIX_STORAGES"];
  return `${code} ${stdout}${stderr}`;
}
const noteOf = (thing: string): string => readFileSync(join(claims(), thing), "utf8");

test("what is not there is noted as ours once, stays so when it is there, and removal forgets it", () => {
  const parameters = { storage: "tank-lxc" };
  expect(run("check", parameters)).toMatch(/^10 nothing on the node says/);
  expect(run("apply", parameters)).toMatch(/^0 /);
  expect(run("apply", parameters, registered)).toBe("0 ");
  expect(noteOf("tank-lxc")).toBe("ours\n");
  expect(run("check", parameters, registered)).toBe("0 ");
  expect(run("remove", parameters)).toBe("0 ");
  expect(run("remove", parameters)).toBe("0 ");
  expect(existsSync(claims())).toBe(false);
});

test("F1 claim_storage: what is there already is noted as foreign; a name that is only like it is free", () => {
  for (const storage of ["tank-lxc", "local"]) run("apply", { storage }, registered);
  for (const storage of ["tank", "tankXlxc", "tank.lxc", "lxc"]) run("apply", { storage }, registered);
  const notes = Object.fromEntries(readdirSync(claims()).map((name) => [name, noteOf(name).trim()]));
  expect(notes).toEqual({
    "tank-lxc": "foreign",
    local: "foreign",
    tank: "ours",
    tankXlxc: "ours",
    "tank.lxc": "ours",
    lxc: "ours",
  });
});

test("a registration of a dataset that this stack made is its own, though notes and state are lost", () => {
  const stackOf = (stack: string) =>
    `case $1 in list) printf '/tank\\ttank\\n/tank/iso\\ttank/iso\\n' ;; get) [[ "$*" == *"-s local phoenix:stack tank/"* ]] && echo ${stack} ;; esac`;
  bench.tool("zfs", stackOf("prod"));
  run("apply", { storage: "tank-lxc" }, registered);
  bench.tool("zfs", stackOf("dev"));
  run("apply", { storage: "tank-iso" }, registered);
  run("apply", { storage: "local" }, registered);
  expect([noteOf("tank-lxc"), noteOf("tank-iso"), noteOf("local")]).toEqual([
    "foreign\n",
    "ours\n",
    "foreign\n",
  ]);
});

test("an image has a note of its own, by its file", () => {
  const file = join(bench.folder, "d.tar.zst");
  const parameters = { storage: "iso", image: "d.tar.zst" };
  run("apply", parameters);
  expect(noteOf("iso:d.tar.zst")).toBe("ours\n");
  run("remove", parameters);
  mkdirSync(claims(), { recursive: true });
  bench.tool("pvesm", `[[ "$*" == "path iso:vztmpl/d.tar.zst" ]] && echo '${file}'`);
  run("apply", parameters);
  expect(noteOf("iso:d.tar.zst")).toBe("ours\n"); // a path is no file yet
  run("remove", parameters);
  writeFileSync(file, "precious");
  run("apply", parameters);
  expect(noteOf("iso:d.tar.zst")).toBe("foreign\n");
});

test.each([
  { storage: "a/b" },
  { storage: "" },
  { storage: "a", image: "../x" },
  { storage: "a", image: "x y" },
])("%j is refused", (parameters) => {
  expect(run("apply", parameters)).toMatch(/^20 /);
});
