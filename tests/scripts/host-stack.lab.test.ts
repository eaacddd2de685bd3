import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodeDump, urns } from "../end-to-end/facts.ts";
import { disk, StackLab, type Json } from "./stack-lab.ts";

/** The base system, storages and images of a host, on the real engine. */
let lab: StackLab;
/** Where the node's own packages come from; a repository of the test is another suite of it. */
let mirror = "";
/** SHA-512 of the image that the lab serves. */
let sha512 = "";
/** The node before the first run. */
let blank = "";
/** The node as configured. */
let made = "";

const uploaded = gzipSync("an image of one's own");
const imageUrl = "http://127.0.0.1:8099/template/debian-12-standard_12_amd64.tar.zst";
const downloaded = "/tank/iso/template/cache/debian-12-standard_12_amd64.tar.zst";

const plain: Json = {
  id: "plain",
  type: "dir",
  path: "/srv/plain",
  content: ["iso", "backup"],
  nodes: ["pve"],
  prune: { keep_last: 3 },
};
const iso: Json = {
  name: "iso",
  pool: "tank",
  proxmox_storage_type: "dir",
  proxmox_content_type: "iso,vztmpl",
  allow: ["destroy"],
};
const lxc: Json = {
  name: "lxc",
  pool: "tank",
  proxmox_storage_type: "zfspool",
  proxmox_content_type: "rootdir",
  allow: ["destroy"],
};

interface Configuration extends Json {
  timezone?: string;
  base: {
    repositories: Record<string, Json>;
    packages?: string[];
    upgrade?: string;
    time_servers?: string[];
    log_rotation: Record<string, Json>;
  };
  zfs: { arc_max_gb: number; pools: Json[]; datasets: Json[] };
  storages: Json[];
  os_templates: Json[];
}

/** The whole of it, made anew for each edit. */
function configuration(): Configuration {
  const key = { path: "/usr/share/keyrings/debian-archive-keyring.gpg" };
  const backports: Json = { uris: [mirror], suites: ["bookworm-backports"], components: ["non-free"], key };
  const files = ["/var/log/phoenix-test/*.log"];
  const value = createHash("sha256").update(uploaded).digest("hex");
  return {
    network: { hostname: "pve", interfaces: { name: "vmbr0", address: "10.0.0.13/24" } },
    timezone: "Europe/Berlin",
    base: {
      repositories: { backports },
      packages: ["tree"],
      upgrade: "2026-11",
      time_servers: ["127.0.0.1"],
      log_rotation: { test: { files, keep: 2 } },
    },
    zfs: {
      arc_max_gb: 1,
      pools: [{ name: "tank", raid_level: "single", disks: [disk(1)], scrub: "monthly", allow: ["destroy"] }],
      datasets: [iso, lxc],
    },
    storages: [{ id: "local", type: "dir", content: ["iso"], existing: true }, plain],
    os_templates: [
      {
        name: "debian-12",
        storage: "tank-iso",
        url: imageUrl,
        checksum: { algorithm: "sha512", value: sha512 },
      },
      { name: "own", storage: "tank-iso", file: "own.tar.gz", checksum: { algorithm: "sha256", value } },
    ],
  };
}

function configure(edit: (config: Configuration) => void = () => undefined): void {
  const config = configuration();
  edit(config);
  lab.configure(config);
}

/** What the settings above made of the node. */
const facts = (): Promise<string> =>
  lab.checkout.node(
    "cat /etc/timezone /etc/hosts /etc/pve/storage.cfg /etc/apt/sources.list.d/*.sources /etc/logrotate.d/phoenix-* /etc/modprobe.d/*; " +
      "dpkg-query -W tree; cat /etc/chrony/sources.d/* 2>/dev/null; systemctl is-enabled phoenix-scrub-tank.timer; sha512sum /tank/iso/template/cache/*",
  );
/** What comes back when the stack is gone; packages stay. */
const etc = (): Promise<string> =>
  lab.checkout.node(
    "cat /etc/timezone /etc/hosts /etc/hostname; ls /etc/apt/sources.list.d /etc/logrotate.d /etc/modprobe.d /etc/systemd/system | grep -i phoenix; ls /etc/apt/sources.list.d; true",
  );

beforeAll(async () => {
  lab = await StackLab.start("host");
  const targets = "apt-get indextargets --no-release-info --format '$(RELEASE) $(REPO_URI)'";
  mirror = (await lab.checkout.node(`${targets} | sed -n 's|^bookworm \\(.*\\)/$|\\1|p' | head -n 1`)).trim();
  sha512 = (await lab.checkout.node(`curl -fsS ${imageUrl} | sha512sum | cut -d ' ' -f 1`)).trim();
  expect(sha512).toMatch(/^[0-9a-f]{128}$/);
  writeFileSync(lab.checkout.path("own.tar.gz"), uploaded);
  blank = (await etc()) + (await nodeDump(lab.checkout));
}, 1_800_000);
afterAll(() => lab.stop(), 300_000);

test("F1: a storage that somebody else registered is refused in the preview with its place, and stays", async () => {
  await lab.checkout.node("pvesm add dir plain --path /srv/other --content iso");
  const before = await lab.checkout.node("cat /etc/pve/storage.cfg");
  configure();
  expect(await lab.refusal()).toMatch(
    /host\.json:\d+:\d+: a storage 'plain' \(dir\) is on the node already, and stack 'host' did not make it.*"existing": true/,
  );
  expect(await lab.checkout.node("cat /etc/pve/storage.cfg")).toBe(before);
  await lab.checkout.node("pvesm remove plain");
});

test("F1: an image of that name that somebody else brought is refused in the preview, and stays", async () => {
  await lab.checkout.node("echo precious >/var/lib/vz/template/cache/own.tar.gz");
  configure((config) => {
    config.storages[0] = { id: "local", type: "dir", content: ["vztmpl"], existing: true };
    Object.assign(config.os_templates[1] ?? {}, { storage: "local" });
  });
  expect(await lab.refusal()).toMatch(
    /the image local:vztmpl\/own\.tar\.gz of the OS template 'own' is on the node already/,
  );
  expect(await lab.checkout.node("cat /var/lib/vz/template/cache/own.tar.gz")).toBe("precious\n");
  await lab.checkout.node("rm /var/lib/vz/template/cache/own.tar.gz");
});

test("F4: a fresh node becomes as configured, and a second run finds nothing to do", async () => {
  configure();
  await lab.up();
  made = await facts();
  expect(made).toContain("Europe/Berlin");
  expect(made).toMatch(/dir: plain\n(\t.*\n)*\tprune-backups keep-last=3/);
  expect(made).toContain(`${sha512}  ${downloaded}`);
  expect(await lab.preview()).toEqual([]);
  const drift = await lab.checkout.phoenix("drift");
  expect(`${drift.code} ${drift.stdout}`).toMatch(/^0 /);
});

test("each setting edited or removed is exactly its own step in the preview", async () => {
  const edits: [string, (config: Configuration) => void, string[]][] = [
    ["another time zone", (config) => (config.timezone = "Etc/UTC"), ["update base-timezone"]],
    ["no time zone", (config) => delete config.timezone, ["delete base-timezone"]],
    [
      "another component",
      (config) => Object.assign(config.base.repositories["backports"] ?? {}, { components: ["contrib"] }),
      ["update base-repository-backports"],
    ],
    ["no repository", (config) => (config.base.repositories = {}), ["delete base-repository-backports"]],
    ["one more package", (config) => config.base.packages?.push("jq"), ["update base-packages"]],
    ["no packages", (config) => delete config.base.packages, ["delete base-packages"]],
    ["another upgrade", (config) => (config.base.upgrade = "2026-12"), ["update base-upgrade"]],
    [
      "another time server",
      (config) => (config.base.time_servers = ["127.0.0.2"]),
      ["update base-time-servers"],
    ],
    ["no time servers", (config) => delete config.base.time_servers, ["delete base-time-servers"]],
    [
      "logs kept longer",
      (config) => Object.assign(config.base.log_rotation["test"] ?? {}, { keep: 9 }),
      ["update base-logs-test"],
    ],
    ["more memory for the ARC", (config) => (config.zfs.arc_max_gb = 2), ["update zfs-arc"]],
    [
      "another scrub",
      (config) => Object.assign(config.zfs.pools[0] ?? {}, { scrub: "weekly" }),
      ["update scrub-tank"],
    ],
    ["other content", (config) => (config.storages[1] = { ...plain, content: ["backup"] }), ["update plain"]],
    ["nothing pruned", (config) => (config.storages[1] = { ...plain, prune: undefined }), ["replace plain"]],
    ["all nodes", (config) => (config.storages[1] = { ...plain, nodes: undefined }), ["replace plain"]],
    ["no storage", (config) => config.storages.pop(), ["delete claim-plain", "delete plain"]],
    ["no own image", (config) => config.os_templates.pop(), ["delete claim-image-own", "delete own-upload"]],
    ["another order", (config) => config.storages.reverse(), []],
  ];
  const seen: [string, string[]][] = [];
  for (const [what, edit] of edits) {
    configure(edit);
    seen.push([what, await lab.preview()]);
  }
  expect(seen).toEqual(edits.map(([what, , steps]) => [what, steps]));
});

test("what is cleared is cleared on the node, and comes back", async () => {
  configure((config) => {
    config.storages[1] = { ...plain, prune: undefined, nodes: undefined };
    delete config.timezone;
    config.base.log_rotation = {};
  });
  await lab.up();
  const cleared = await facts();
  expect(cleared).toContain("dir: plain");
  expect(cleared).not.toMatch(/prune-backups|nodes pve|Europe\/Berlin|phoenix-test/);
  expect(await lab.preview()).toEqual([]);
  configure();
  await lab.up();
  expect((await facts()).split("\n").sort()).toEqual(made.split("\n").sort());
});

test("an export that does not answer is refused by the node, and nothing else is touched", async () => {
  configure((config) => {
    config.storages.push({
      id: "share",
      type: "nfs",
      server: "127.0.0.1",
      export: "/none",
      content: ["backup"],
    });
  });
  expect(await lab.preview()).toEqual(["create claim-share", "create share"]);
  const { code, stdout, stderr } = await lab.checkout.phoenix("up", "--yes", "--skip-preview");
  expect(code).not.toBe(0);
  expect(stdout + stderr).toMatch(/share' is not online/);
  configure();
  await lab.up();
  expect((await facts()).split("\n").sort()).toEqual(made.split("\n").sort());
});

test("a node that was started again is as configured", async () => {
  await lab.restart();
  expect((await facts()).split("\n").sort()).toEqual(made.split("\n").sort());
  expect(await lab.preview()).toEqual([]);
});

test("destroy says what stays, and takes only what this stack made", async () => {
  await lab.checkout.node(
    "echo foreign >/tank/iso/template/iso-by-hand; pvesm add dir foreign --path /srv/foreign --content iso; mv /tank/iso/template/iso-by-hand /srv/by-hand",
  );
  const look = await lab.checkout.phoenix("destroy", "--preview-only");
  expect(`${look.code} ${look.stdout}`).toMatch(/packages: chrony, logrotate, tree/);
  const { code, stdout, stderr } = await lab.checkout.phoenix("destroy", "--yes");
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  expect(stdout).toMatch(/This stays on the host:\n.*packages: chrony, logrotate, tree/);
  expect(await urns(lab.checkout)).toEqual([]);
  expect(await lab.checkout.node("cat /etc/pve/storage.cfg; cat /srv/by-hand")).toMatch(
    /dir: foreign[^]*foreign\n$/,
  );
  await lab.checkout.node("pvesm remove foreign; rm /srv/by-hand");
  expect((await etc()) + (await nodeDump(lab.checkout))).toBe(blank);
});

test("a run cut between an image or a storage and the state goes on", async () => {
  configure((config) => delete config.base.upgrade);
  await lab.cutBeforeState("plain", "storage/directory", "grep -q '^dir: plain' /etc/pve/storage.cfg");
  await lab.cutBeforeState("debian-12", "download/file", `test -e ${downloaded}`);
  lab.breakSideFile();
  await lab.up();
  expect((await facts()).split("\n").sort()).toEqual(made.split("\n").sort());
  expect(await lab.preview()).toEqual([]);
  expect((await lab.checkout.phoenix("destroy", "--yes")).code).toBe(0);
  expect((await etc()) + (await nodeDump(lab.checkout))).toBe(blank);
});
