import { afterAll, beforeAll, expect, test } from "vitest";
import { LabNode } from "./lab-node.ts";

const stack = "scripts";
const settings = "lxc/configure_container.sh";
const base = "lxc/feature_setup_base.sh";
const docker = "lxc/feature_install_docker.sh";
const page = "lxc/feature_serve_page.sh";
const seal = "lxc/seal_template.sh";

const document = (ctid: number, parameters: object = {}, recipe?: string) => ({
  stack,
  ctid,
  ...(recipe === undefined ? {} : { recipe }),
  parameters,
});
const flags = (nesting: boolean) => ({ features: { nesting, keyctl: nesting, fuse: false }, started: true });
const text = `hello ü $(x) from "910"`;
const mark = (vmid: number, recipe: string) =>
  `--description 'phoenix stack=${stack} vmid=${vmid} incarnation=0123456789abcdef recipe=${recipe}'`;
const record = (recipe: string) => ({ record: { recipe, vmid: 900, parent: null, features: [] } });

let node: LabNode;
const inside = (line: string) => node.good(`pct exec 910 -- sh -c '${line}'`);

beforeAll(async () => {
  node = await LabNode.start();
  await node.good(
    [
      "zpool create tank /dev/disk/by-id/scsi-PHOENIX_LAB_DISK_1 && zfs create tank/guests && zfs create tank/files",
      "pvesm add zfspool guests --pool tank/guests --content rootdir",
      "pvesm add dir files --path /tank/files --content vztmpl --shared 0",
      "mkdir -p /tank/files/template/cache",
      "cp /usr/share/pve-lab/template/*.tar.zst /tank/files/template/cache/",
      "pct create 900 files:vztmpl/debian-12-standard_12_amd64.tar.zst --hostname base --cores 1 --memory 512 " +
        `--rootfs guests:4 --net0 name=eth0,bridge=vmbr0,ip=10.0.0.200/24,gw=10.0.0.13 --unprivileged 1 ${mark(900, "aa11")}`,
    ].join(" && "),
  );
}, 900_000);

afterAll(async () => {
  await node.shell(
    "for guest in 910 900; do pct stop $guest; pct destroy $guest; done; pvesm remove guests; pvesm remove files",
  );
  await node.shell("zpool destroy tank && wipefs -qa /dev/disk/by-id/scsi-PHOENIX_LAB_DISK_1");
  node.stop();
});

test("a template is started, set up, and sealed once", async () => {
  expect((await node.run(base, "check", document(900, {}, "aa11"))).code).toBe(11);
  expect(await node.converge(settings, document(900, flags(true), "aa11"))).toEqual([
    "feature flags are '', wanted 'keyctl=1,nesting=1'",
    "the guest is stopped",
  ]);
  const missing = await node.converge(base, document(900, {}, "aa11"));
  expect(missing).toContain("package jq is missing");
  expect(missing).toContain("locale en_US.UTF-8 is not generated");
  expect((await node.converge(docker, document(900, {}, "aa11")))[0]).toBe("package docker.io is missing");

  expect(await node.converge(seal, document(900, record("aa11"), "aa11"))).toHaveLength(2);
  expect(await node.good("pct config 900 | grep ^template")).toBe("template: 1");
  expect(await node.good(`cat /var/lib/phoenix/${stack}/generations/aa11.json`)).toBe(
    JSON.stringify(sorted(record("aa11").record)),
  );
  expect((await node.run(base, "apply", document(900, { packages: ["cowsay"] }, "aa11"))).code).toBe(0);
  expect(await node.fails(base, "apply", document(900, {}, "bb22"))).toMatch(/^31 /);
});

test("a clone is not touched before it carries its own mark", async () => {
  await node.good("pct clone 900 910 --hostname hello --full 1");
  await node.good("pct set 910 --net0 name=eth0,bridge=vmbr0,ip=10.0.0.110/24,gw=10.0.0.13");
  expect(await node.fails(settings, "apply", document(910, flags(true)))).toMatch(/^27 /);
  await node.good(`pct set 910 ${mark(910, "aa11")}`);
  expect(await node.converge(settings, document(910, flags(true)))).toEqual(["the guest is stopped"]);
  await node.clean(base, document(910));
  await node.clean(docker, document(910));
});

test("settings changed by hand come back, with a restart where PVE needs one", async () => {
  await node.good("pct set 910 --features nesting=1,fuse=1");
  const reasons = await node.converge(settings, document(910, flags(true)));
  expect(reasons).toEqual([
    "feature flags are 'fuse=1,nesting=1', wanted 'keyctl=1,nesting=1'",
    "changes wait for a restart: features",
  ]);
  const start = await inside("stat -c %Y /proc/1");
  expect((await node.run(settings, "apply", document(910, flags(true)))).code).toBe(0);
  expect(await inside("stat -c %Y /proc/1")).toBe(start);
  await node.good("pct shutdown 910");
  expect((await node.run(page, "check", document(910, { text }))).code).toBe(11);
  expect(await node.fails(page, "apply", document(910, { text }))).toMatch(/^22 /);
  await node.converge(settings, document(910, flags(true)));
});

test("the page is served, mended and taken away", async () => {
  const wanted = document(910, { text });
  await node.converge(page, wanted);
  const answer = await node.good("curl -si --max-time 5 http://10.0.0.110:80/");
  expect(answer).toContain("HTTP/1.0 200 OK");
  expect(answer.split("\r\n\r\n")[1]).toBe(text);
  await inside("echo other >/var/lib/phoenix-page/page.txt");
  expect(await node.converge(page, wanted)).toEqual(["the page's text is not as configured"]);
  await inside("systemctl disable --now --quiet phoenix-page.socket");
  expect(await node.converge(page, wanted)).toHaveLength(2);
  await node.converge(page, document(910, { text, port: 8081 }));
  expect((await node.run(page, "remove", document(910, { text, port: 8081 }))).code).toBe(0);
  expect((await node.run(page, "remove", document(910, { text, port: 8081 }))).code).toBe(0);
  expect(await inside("ls /etc/systemd/system /var/lib /usr/local/lib | grep -c phoenix || true")).toBe("0");
});

test.each([
  ["disabled", "systemctl disable --now --quiet docker docker.socket", "docker.service is not enabled"],
  ["stopped", "systemctl stop --quiet docker.socket docker", "docker.service is not running"],
  ["masked", "systemctl mask --now --quiet docker", "docker.service is not enabled"],
  ["removed", "apt-get -qq -y remove docker.io >/dev/null 2>&1", "package docker.io is missing"],
])("a Docker engine that was %s by hand is noticed and runs again", async (_, line, reason) => {
  await inside(`${line} 2>/dev/null`);
  expect(await node.converge(docker, document(910))).toContain(reason);
  expect(await inside("docker info --format {{.Driver}}")).not.toBe("vfs");
});

test("the daemon's settings are applied; removal takes the engine and leaves the data", async () => {
  const daemon = { "log-driver": "local" };
  expect(await node.converge(docker, document(910, { daemon }))).toEqual([
    "/etc/docker/daemon.json is not as configured",
  ]);
  expect(await inside("docker info --format {{.LoggingDriver}}")).toBe("local");
  expect((await node.run(docker, "remove", document(910))).code).toBe(0);
  expect((await node.run(docker, "remove", document(910))).code).toBe(0);
  expect(await inside("command -v dockerd; test -d /var/lib/docker && echo data")).toBe("data");
});

test("B.5.8: base packages, locale and time zone come back; an interrupted installation is finished", async () => {
  await inside("apt-get -qq -y remove htop >/dev/null 2>&1; echo LANG=C >/etc/default/locale");
  expect(await node.converge(base, document(910))).toEqual([
    "package htop is missing",
    "the default locale is 'C', wanted 'en_US.UTF-8'",
  ]);
  await node.converge(base, document(910, { timezone: "Europe/Berlin", locale: "de_DE.UTF-8" }));
  expect(await inside("date +%Z")).toMatch(/^CES?T$/);
  // What a cut installation leaves behind: unpacked, not configured.
  await inside("cd /tmp && apt-get -qq download tree >/dev/null 2>&1 && dpkg --unpack tree_*.deb >/dev/null");
  await node.converge(base, document(910, { packages: ["tree"] }));
});

test("a package that is not there fails with the manager's own words", async () => {
  const message = await node.fails(base, "apply", document(910, { packages: ["no-such-package"] }));
  expect(message).toMatch(/^24 .*\| E: Unable to locate package no-such-package\n.*error PACKAGES \(24\)/s);
});

test("a guest whose names cannot be resolved fails in time, by the name of what is missing", async () => {
  await inside(
    "apt-get -qq -y remove htop >/dev/null 2>&1; cp /etc/apt/sources.list /tmp; echo deb http://nowhere.invalid/ x main >/etc/apt/sources.list",
  );
  const proxied = await inside("apt-config dump | grep -ci ^Acquire::https*::Proxy || true");
  const message = await node.fails(base, "apply", document(910));
  expect(message).toMatch(proxied === "0" ? /^23 .*'nowhere.invalid' cannot be resolved/s : /^24 /);
  await inside("cp /tmp/sources.list /etc/apt/sources.list");
}, 200_000);

/** As the node writes JSON: keys in order. */
function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
