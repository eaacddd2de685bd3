/** What is refused before there is a task, and what only the task finds out: as PVE::API2::LXC parts the two. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { allRoutes } from "../src/api/all-routes.ts";
import { waitForTask } from "../src/core/tasks.ts";
import { asRoot, makeNode, PASSWORD, type TestNode } from "./api-node.ts";

const GUEST = "arch: amd64\nhostname: web\nrootfs: store:subvol-910-disk-0,size=4G\nunprivileged: 1\n";
const LXC = "/nodes/pve/lxc";
let node: TestNode;
let root: Record<string, string>;

beforeAll(async () => {
  node = await makeNode(allRoutes);
  for (const folder of ["etc/pve/lxc", "files"]) mkdirSync(join(node.root, folder), { recursive: true });
  const storages = `zfspool: store\n\tpool tank/lxc\n\tcontent rootdir\n\ndir: files\n\tpath ${node.root}/files\n\tcontent vztmpl,iso,rootdir\n`;
  writeFileSync(join(node.root, "etc/pve/storage.cfg"), storages);
  root = await asRoot(node, PASSWORD);
});
afterAll(() => node.close());

function guest(extra = ""): void {
  writeFileSync(join(node.root, "etc/pve/lxc/910.conf"), `${GUEST}${extra}`);
}
beforeEach(() => guest());

/** How the task ended that a call must have started. */
async function taskOf(method: string, path: string, body?: Record<string, string>): Promise<string> {
  const { status, reason, body: answer } = await node.ask(method, path, body, root);
  expect([status, reason]).toEqual([200, "OK"]);
  const upid = String(answer.data);
  await waitForTask(upid);
  const task = await node.ask("GET", `/nodes/pve/tasks/${encodeURIComponent(upid)}/status`, undefined, root);
  return String((task.body.data as { exitstatus: unknown }).exitstatus);
}

async function refused(
  method: string,
  path: string,
  body?: Record<string, string>,
): Promise<[number, string]> {
  const { status, reason } = await node.ask(method, path, body, root);
  return [status, reason];
}

describe("snapshots", () => {
  const path = `${LXC}/910/snapshot`;

  test.each(["current", "vzdump"])("the reserved name %s at once", async (snapname) => {
    const text = `unable to use snapshot name '${snapname}' (reserved name)`;
    expect(await refused("POST", path, { snapname })).toEqual([500, text]);
  });

  test("a name that is taken, a template, a locked guest, none at all: by the task", async () => {
    guest("\n[one]\narch: amd64\n");
    expect(await taskOf("POST", path, { snapname: "one" })).toBe("snapshot name 'one' already used");
    expect(await taskOf("DELETE", `${path}/two`)).toBe("snapshot 'two' does not exist");
    expect(await taskOf("POST", `${path}/two/rollback`)).toBe("snapshot 'two' does not exist");
    guest("template: 1\n");
    expect(await taskOf("POST", path, { snapname: "one" })).toBe(
      "you can't take a snapshot if it's a template",
    );
    guest("lock: backup\n");
    expect(await taskOf("POST", path, { snapname: "one" })).toBe("CT is locked (backup)");
    expect(await taskOf("POST", `${LXC}/911/snapshot`, { snapname: "one" })).toBe(
      "Configuration file 'nodes/pve/lxc/911.conf' does not exist",
    );
  });
});

describe("power", () => {
  test("a guest that does not run, one that is not there too: at once", async () => {
    for (const vmid of [910, 911])
      for (const action of ["stop", "shutdown", "reboot"])
        expect(await refused("POST", `${LXC}/${vmid}/status/${action}`)).toEqual([
          500,
          `CT ${vmid} not running`,
        ]);
  });

  test("what keeps a guest from starting: by the task", async () => {
    guest("template: 1\n");
    expect(await taskOf("POST", `${LXC}/910/status/start`)).toBe("you can't start a CT if it's a template");
    guest("lock: disk\n");
    expect(await taskOf("POST", `${LXC}/910/status/start`)).toBe("CT is locked (disk)");
    expect(await taskOf("POST", `${LXC}/911/status/start`)).toBe(
      "Configuration file 'nodes/pve/lxc/911.conf' does not exist",
    );
  });

  test("skiplock of others than root: at once", async () => {
    await node.ask("PUT", "/access/acl", { path: "/", roles: "PVEAdmin", users: "phoenix@pve" }, root);
    await node.ask("PUT", "/access/acl", { path: "/", roles: "PVEAdmin", tokens: "phoenix@pve!lab" }, root);
    const { status, body } = await node.ask("POST", `${LXC}/910/status/start`, { skiplock: "1" });
    expect([status, body.errors]).toEqual([400, { skiplock: "Only root may use this option." }]);
  });
});

describe("making", () => {
  const create = (body: Record<string, string>): Record<string, string> => ({
    vmid: "920",
    ostemplate: "files:vztmpl/none.tar.zst",
    storage: "files",
    ...body,
  });

  test("a pool or a storage that is not there, a file of another kind: at once", async () => {
    const nowhere = "Permission check failed (pool 'none' does not exist)";
    expect(await refused("POST", LXC, create({ pool: "none" }))).toEqual([403, nowhere]);
    const clone = { newid: "920", pool: "none" };
    expect(await refused("POST", `${LXC}/910/clone`, clone)).toEqual([403, nowhere]);
    expect(await refused("POST", LXC, create({ ostemplate: "none:vztmpl/a.tar.zst" }))).toEqual([
      500,
      "storage 'none' does not exist",
    ]);
    expect(await refused("POST", LXC, create({ ostemplate: "files:iso/a.iso" }))).toEqual([
      500,
      "unable to use volume files:iso/a.iso - content type needs to be 'vztmpl'",
    ]);
  });

  test("an OS template that is not there: by the task, and the id is free again", async () => {
    const text = "unable to create CT 920 - volume 'files:vztmpl/none.tar.zst' does not exist";
    expect(await taskOf("POST", LXC, create({}))).toBe(text);
    expect(await taskOf("POST", LXC, create({}))).toBe(text);
  });
});
