/** Clients that no one here wrote, installed from the package registries, against a lab of their own. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ansibleSaw, installAnsible, playAnsible, type Recap } from "./api-clients/ansible.ts";
import { matching } from "./api-node.ts";

const MINUTES = 60_000;
const PROXMOXER = ["proxmoxer==2.3.0", "requests==2.34.2"];
const PROXMOX_API = "proxmox-api@1.1.1";
const run = promisify(execFile);
const entry = join(import.meta.dirname, "../src/main.ts");
const clients = join(import.meta.dirname, "api-clients");
const room = mkdtempSync("/var/tmp/phoenix-lab-clients-");
const state = join(room, "state");
const facts = join(state, "node.json");

type Seen = Record<string, unknown>;

const lab = (...words: string[]): Promise<{ stdout: string }> =>
  run(process.execPath, [entry, "--state", state, ...words]);

/** A Python of its own, on Debian also where the module that makes one is packaged apart. */
async function makePython(): Promise<void> {
  const make = (): Promise<unknown> => run("python3", ["-m", "venv", join(room, "python")]);
  await make().catch(async () => {
    await run("apt-get", ["install", "-y", "--no-install-recommends", "python3-venv"]);
    await make();
  });
  await run(join(room, "python/bin/pip"), ["install", "--quiet", ...PROXMOXER]);
}

beforeAll(async () => {
  await makePython();
  await installAnsible(room, join(room, "python"));
  await run("npm", ["install", "--silent", "--no-save", "--prefix", room, PROXMOX_API]);
  await lab("up");
  const disks = [1, 2].map((number) => `/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_${number}`);
  await lab(
    "ssh",
    `zpool create tank mirror ${disks.join(" ")} && zfs create tank/guests && zfs create tank/files`,
  );
}, 10 * MINUTES);

afterAll(async () => {
  await lab("down");
  rmSync(room, { recursive: true, force: true });
}, 2 * MINUTES);

async function python(who: "root" | "token"): Promise<Seen> {
  const { stdout } = await run(join(room, "python/bin/python"), [
    join(clients, "proxmoxer_life.py"),
    facts,
    who,
  ]);
  return JSON.parse(stdout) as Seen;
}

/** What holds for root and for the least-privilege token alike. */
function expectLife(seen: Seen, vmid: number): void {
  expect(seen).toMatchObject({
    version: "8.4",
    volid: "files:vztmpl/debian-12-standard_12_amd64.tar.zst",
    create: "OK",
    config: {
      hostname: "first",
      memory: 128,
      unprivileged: 1,
      rootfs: `guests:subvol-${vmid}-disk-0,size=4G`,
      net0: matching(
        /^name=eth0,bridge=vmbr0,gw=10\.0\.0\.13,hwaddr=BC:24:11(:[0-9A-F]{2}){3},ip=.*,type=veth$/,
      ),
    },
    occupied: [500, `unable to create CT ${vmid} - CT ${vmid} already exists on node 'pve'`],
    wrong: [400, "Parameter verification failed."],
    changed: { memory: 160, description: "changed\n" },
    start: "OK",
    running: "running",
    interfaces: ["eth0", "lo"],
    shutdown: "OK",
    "not a base": [500, matching(/Linked clone feature .* is not available/)],
    template: { template: 1, rootfs: `guests:basevol-${vmid}-disk-0,size=4G` },
    linked: "OK",
    "linked rootfs": `guests:basevol-${vmid}-disk-0/subvol-${vmid + 1}-disk-0,size=4G`,
    full: "OK",
    "in use": matching(/is still in use by linked clones$/),
    resize: "OK",
    resized: `guests:subvol-${vmid + 2}-disk-0,size=5G`,
    deleted: ["OK", "OK", "OK"],
    gone: [500, matching(/does not exist$/)],
    volumes: [],
  });
}

it(
  "proxmoxer (PyPI) lives a container's life with the least-privilege token",
  { timeout: 5 * MINUTES },
  async () => {
    const seen = await python("token");
    expect(seen["download"]).toBe("OK");
    expectLife(seen, 800);
    expect(seen["snapshot refused"]).toEqual([403, "Permission check failed (/vms/800, VM.Snapshot)"]);
    expect(seen["root only"]).toEqual([
      403,
      "Permission check failed (/access/realm/pve, Realm.AllocateUser)",
    ]);
  },
);

it("proxmoxer (PyPI) lives it as root, with snapshots", { timeout: 5 * MINUTES }, async () => {
  const seen = await python("root");
  expectLife(seen, 700);
  expect(seen).toMatchObject({
    snapshot: "OK",
    snapshots: ["one", "current"],
    "with snapshots": [500, matching(/snapshots/)],
    rollback: "OK",
    unsnapshot: "OK",
    "root only": null,
  });
});

it("proxmox-api (npm) lives it as root", { timeout: 5 * MINUTES }, async () => {
  const module = join(room, "node_modules/proxmox-api/esm/index.js");
  const environment = { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: "0", NODE_NO_WARNINGS: "1" };
  const words = [join(clients, "proxmox-api-life.ts"), facts, module];
  const { stdout } = await run(process.execPath, words, { env: environment });
  expect(JSON.parse(stdout)).toMatchObject({
    nodes: [{ node: "pve", status: "online" }],
    vmid: 100,
    create: "OK",
    status: "running",
    listed: [{ vmid: 100, name: "js" }],
    stop: "OK",
    hostname: "js",
    refused: matching(/Parameter verification failed/),
    removed: "OK",
    left: [],
  });
});

describe("Ansible's community.proxmox (PyPI)", () => {
  let checksum = "";
  const play = (tag: string): Promise<Recap> =>
    playAnsible({ room, python: join(room, "python"), facts, checksum }, tag);

  beforeAll(async () => {
    const url = "http://127.0.0.1:8099/template/debian-12-standard_12_amd64.tar.zst";
    const { stdout } = await lab("ssh", `curl -sf ${url} | sha256sum`);
    checksum = stdout.split(" ")[0] ?? "";
  });

  it("brings about a described state, and finds it the second time", { timeout: 5 * MINUTES }, async () => {
    const first = await play("desired");
    expect(first).toMatchObject({ ok: 14, failed: 0 });
    // Storages and OS template are there already where another client went before.
    expect(first.changed).toBeGreaterThanOrEqual(10);
    expect(await play("desired")).toEqual({ ok: 14, failed: 0, changed: 0 });
  });

  it("stops, rolls back, reboots, seals and clones it", { timeout: 5 * MINUTES }, async () => {
    expect(await play("acts")).toEqual({ ok: 6, failed: 0, changed: 6 });
    expect(await play("clones")).toEqual({ ok: 13, failed: 0, changed: 3 });
    expect(await play("clones")).toEqual({ ok: 13, failed: 0, changed: 0 });
    const base = "guests:basevol-510-disk";
    expect(ansibleSaw(room)).toMatchObject({
      contents: [
        ...[`${base}-0`, `${base}-0/subvol-511-disk-0`, `${base}-1`, `${base}-1/subvol-511-disk-1`],
        ...["guests:subvol-512-disk-0", "guests:subvol-512-disk-1"],
      ],
      guests: [
        {
          vmid: 510,
          name: "ansible",
          template: true,
          pool: "team",
          tags: "api;blue",
          // The rollback undid what only waited for a restart when the snapshot was taken.
          config: {
            memory: 160,
            cpuunits: 200,
            onboot: 0,
            template: 1,
            searchdomain: "lab.test",
            startup: "order=3,up=1",
            features: "nesting=1",
            mp0: `${base}-1,mp=/srv/data,size=1G`,
            description: "by Ansible\n",
          },
        },
        { vmid: 511, name: "linked", template: false },
        { vmid: 512, name: "full", template: false },
      ],
      nodes: [{ node: "pve", status: "online" }],
      realms: [{ realm: "pam" }, { realm: "pve" }],
    });
  });

  it("takes everything away, once", { timeout: 2 * MINUTES }, async () => {
    expect(await play("gone")).toEqual({ ok: 6, failed: 0, changed: 6 });
    expect(await play("gone")).toEqual({ ok: 6, failed: 0, changed: 0 });
  });
});

it("wrote down every request, and no password", async () => {
  const { stdout } = await lab("logs", "--requests");
  const { login, apiToken } = JSON.parse(readFileSync(facts, "utf8")) as {
    login: { password: string };
    apiToken: string;
  };
  expect(existsSync(facts)).toBe(true);
  const paths = stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { path: string }).path);
  expect(paths).toContain("/nodes/pve/lxc/800/clone");
  const secrets = [login.password, apiToken.split("=")[1] ?? ""];
  expect(secrets.filter((secret) => secret === "" || stdout.includes(secret))).toEqual([]);
});
