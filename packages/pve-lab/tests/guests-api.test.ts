import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { allRoutes } from "../src/api/all-routes.ts";
import { saveConfig, withConfigLock } from "../src/guests/config-store.ts";
import { parseConfig } from "../src/guests/config-file.ts";
import { makeNode, type TestNode } from "./api-node.ts";

const GUEST = `#made by hand
arch: amd64
cores: 2
features: nesting=1
hostname: web
memory: 512
net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=10.0.0.110/24,type=veth
ostype: debian
rootfs: store:subvol-910-disk-0,size=4G
swap: 0
unprivileged: 1
`;

let node: TestNode;
const file = (vmid: number) => join(node.root, `etc/pve/lxc/${vmid}.conf`);
const put = (body: Record<string, string | string[]>) => node.ask("PUT", "/nodes/pve/lxc/910/config", body);

beforeEach(async () => {
  node = await makeNode(allRoutes);
  mkdirSync(join(node.root, "etc/pve/lxc"), { recursive: true });
  writeFileSync(file(910), GUEST);
  const storages =
    "zfspool: store\n\tpool tank/lxc\n\tcontent rootdir\n\ndir: files\n\tpath /tmp/none\n\tcontent vztmpl\n";
  writeFileSync(join(node.root, "etc/pve/storage.cfg"), storages);
});
afterEach(() => node.close());

describe("reading", () => {
  test("the configuration has the types that the provider decodes", async () => {
    const { status, body } = await node.ask("GET", "/nodes/pve/lxc/910/config");
    expect(status).toBe(200);
    expect(body.data).toMatchObject({
      cores: 2,
      memory: 512,
      swap: 0,
      unprivileged: 1,
      description: "made by hand\n",
    });
  });

  test("a guest that is not there", async () => {
    for (const path of ["config", "status/current", "interfaces", "pending"]) {
      const { status, reason } = await node.ask("GET", `/nodes/pve/lxc/911/${path}`);
      expect([status, reason]).toEqual([500, "Configuration file 'nodes/pve/lxc/911.conf' does not exist"]);
    }
  });

  test("state of a stopped guest, and the list", async () => {
    const { body } = await node.ask("GET", "/nodes/pve/lxc/910/status/current");
    expect(body.data).toMatchObject({
      vmid: 910,
      status: "stopped",
      name: "web",
      maxmem: 536870912,
      maxdisk: 4294967296,
    });
    const list = await node.ask("GET", "/nodes/pve/lxc");
    expect(list.body.data).toMatchObject([{ vmid: 910, name: "web", type: "lxc" }]);
  });
});

describe("changing a stopped guest", () => {
  test("options are set and deleted; repeated and separated keys mean the same", async () => {
    expect(
      (await put({ memory: "1024", onboot: "1", nameserver: "1.1.1.1 8.8.8.8", tags: "b;a" })).status,
    ).toBe(200);
    let config = parseConfig(readFileSync(file(910), "utf8"));
    expect(config.values).toMatchObject({
      memory: "1024",
      onboot: "1",
      nameserver: "1.1.1.1 8.8.8.8",
      tags: "a;b",
    });
    expect((await put({ delete: ["onboot", "tags"] })).status).toBe(200);
    expect((await put({ delete: "nameserver,net1" })).status).toBe(200);
    config = parseConfig(readFileSync(file(910), "utf8"));
    for (const key of ["onboot", "tags", "nameserver"]) expect(config.values[key]).toBeUndefined();
    expect(config.pending.values).toEqual({});
  });

  test("an interface without hardware address gets a new one", async () => {
    await put({ net0: "name=eth0,bridge=vmbr0,ip=dhcp" });
    const { values } = parseConfig(readFileSync(file(910), "utf8"));
    expect(values["net0"]).toMatch(/^name=eth0,bridge=vmbr0,hwaddr=BC:24:11:[0-9A-F:]{8},ip=dhcp,type=veth$/);
    expect(values["net0"]).not.toContain("BC:24:11:00:00:01");
  });

  test("a description is stored as comment and comes back with a line feed", async () => {
    await put({ description: "first: ü\nsecond" });
    expect(readFileSync(file(910), "utf8")).toMatch(/^#first%3A %C3%BC\n#second\narch/);
    const { body } = await node.ask("GET", "/nodes/pve/lxc/910/config");
    expect(body.data).toMatchObject({ description: "first: ü\nsecond\n" });
  });

  test.each([
    [{ delete: "memory" }, "unable to delete required option 'memory'"],
    [{ delete: "unprivileged" }, "unable to delete read-only option: 'unprivileged'"],
    [
      { digest: "0".repeat(40), cores: "1" },
      "detected modified configuration - file changed by other user? Try again.",
    ],
  ])("%j is refused", async (body, reason) => {
    const answer = await put(body);
    expect([answer.status, answer.reason]).toEqual([500, reason]);
    expect(readFileSync(file(910), "utf8")).toBe(GUEST);
  });

  test("setting and deleting the same option", async () => {
    const answer = await put({ cores: "1", delete: "cores" });
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.["delete"]).toContain("at the same time");
  });

  test.each(["create", "disk", "snapshot"])("a guest locked by %s is left alone", async (lock) => {
    writeFileSync(file(910), `${GUEST}lock: ${lock}\n`);
    for (const [method, path, body] of [
      ["PUT", "config", { cores: "1" }],
      ["POST", "clone", { newid: "911" }],
      ["DELETE", "", undefined],
      ["POST", "template", {}],
      ["PUT", "resize", { disk: "rootfs", size: "+1G" }],
    ] as const) {
      const answer = await node.ask(method, `/nodes/pve/lxc/910${path === "" ? "" : `/${path}`}`, body);
      expect([method, path, answer.status, answer.reason]).toEqual([
        method,
        path,
        500,
        `CT is locked (${lock})`,
      ]);
    }
  });
});

describe("what only root@pam may set is refused to a token", () => {
  test.each([
    [
      { features: "nesting=1,keyctl=1" },
      "changing feature flags (except nesting) is only allowed for root@pam",
    ],
    [{ hookscript: "local:snippets/x.pl" }, "changing the hookscript is only allowed for root@pam"],
    [{ dev0: "/dev/null" }, "configuring device passthrough is only allowed for root@pam"],
    [{ mp0: "/srv,mp=/srv" }, "mount point type bind is only allowed for root@pam"],
    [{ mp0: "/dev/sda1,mp=/srv" }, "mount point type device is only allowed for root@pam"],
  ])("%j", async (body, reason) => {
    const answer = await put(body);
    expect([answer.status, answer.reason]).toEqual([403, `Permission check failed (${reason})`]);
    expect(readFileSync(file(910), "utf8")).toBe(GUEST);
  });

  test("the flag that differs as text counts, also 0 against nothing", async () => {
    const answer = await put({ features: "nesting=1,keyctl=0" });
    expect(answer.status).toBe(403);
    expect((await put({ features: "nesting=0" })).status).toBe(200);
  });
});

test("a privilege that the token's role lacks is named", async () => {
  const answer = await node.ask("POST", "/nodes/pve/lxc/910/snapshot", { snapname: "one" });
  expect([answer.status, answer.reason]).toEqual([403, "Permission check failed (/vms/910, VM.Snapshot)"]);
});

describe("making and cloning", () => {
  const create = (body: Record<string, string>) =>
    node.ask("POST", "/nodes/pve/lxc", { ostemplate: "files:vztmpl/x.tar.zst", storage: "store", ...body });

  test("an occupied id is an error of the server, not of the client", async () => {
    const answer = await create({ vmid: "910" });
    expect([answer.status, answer.reason]).toEqual([
      500,
      "unable to create CT 910 - CT 910 already exists on node 'pve'",
    ]);
    writeFileSync(file(900), GUEST.replaceAll("910", "900"));
    const clone = await node.ask("POST", "/nodes/pve/lxc/900/clone", { newid: "910" });
    expect([clone.status, clone.reason]).toEqual([500, "CT 910 already exists on node 'pve'"]);
    // The source is free again.
    expect(readFileSync(file(900), "utf8")).not.toContain("lock");
  });

  test("a linked clone of what is no template", async () => {
    const answer = await node.ask("POST", "/nodes/pve/lxc/910/clone", { newid: "911", full: "0" });
    expect([answer.status, answer.reason]).toEqual([
      500,
      "Linked clone feature for 'store:subvol-910-disk-0' is not available",
    ]);
    expect(() => readFileSync(file(911))).toThrow();
    expect(readFileSync(file(910), "utf8")).toBe(GUEST);
  });

  test("a linked clone takes no storage, and bind mounts cannot be cloned", async () => {
    const linked = await node.ask("POST", "/nodes/pve/lxc/910/clone", {
      newid: "911",
      full: "0",
      storage: "store",
    });
    expect(linked.reason).toBe("parameter 'storage' not allowed for linked clones");
    writeFileSync(file(910), `${GUEST}mp0: /srv,mp=/srv\n`);
    const bound = await node.ask("POST", "/nodes/pve/lxc/910/clone", { newid: "911" });
    expect(bound.reason).toBe("unable to clone mountpoint 'mp0' (type bind)");
  });

  test("storages: unknown, without directories for containers", async () => {
    const unknown = await create({ vmid: "911", rootfs: "nowhere:4" });
    expect([unknown.status, unknown.reason]).toEqual([500, "storage 'nowhere' does not exist"]);
    const wrong = await create({ vmid: "911", storage: "files" });
    expect(wrong.status).toBe(400);
    expect(wrong.body.errors).toEqual({ storage: "storage 'files' does not support container directories" });
    const rootless = await create({ vmid: "911", mp0: "store:1,mp=/x" });
    expect(rootless.reason).toBe("mount points configured, but 'rootfs' not set - aborting");
  });
});

describe("sealing, destroying, power", () => {
  test("a template with snapshots, and one that is one already", async () => {
    writeFileSync(file(910), `${GUEST}\n[one]\narch: amd64\n`);
    const kept = await node.ask("POST", "/nodes/pve/lxc/910/template");
    expect([kept.status, kept.reason]).toEqual([
      500,
      "unable to create template, because CT contains snapshots",
    ]);
    writeFileSync(file(910), `${GUEST}template: 1\n`);
    const twice = await node.ask("POST", "/nodes/pve/lxc/910/template");
    expect(twice.reason).toBe("you can't convert a template to a template");
  });

  test("a protected guest stays", async () => {
    writeFileSync(file(910), `${GUEST}protection: 1\n`);
    const answer = await node.ask("DELETE", "/nodes/pve/lxc/910");
    expect([answer.status, answer.reason]).toEqual([500, "can't remove CT 910 - protection mode enabled"]);
  });

  test.each(["stop", "shutdown", "reboot"])("%s of a stopped guest", async (action) => {
    const answer = await node.ask("POST", `/nodes/pve/lxc/910/status/${action}`);
    expect([answer.status, answer.reason]).toEqual([500, "CT 910 not running"]);
  });

  test("the lock of a file that is being worked on is waited for, and only so long", async () => {
    let free: () => void = () => undefined;
    const busy = withConfigLock(910, () => new Promise<void>((resolve) => (free = resolve)));
    await expect(withConfigLock(910, () => undefined, 0.05)).rejects.toThrow(
      "can't lock file '/run/lock/lxc/pve-config-910.lock' - got timeout",
    );
    free();
    await busy;
    await expect(withConfigLock(910, () => "mine")).resolves.toBe("mine");
  });
});

test("an unused volume that is in use again is no longer listed as unused", () => {
  const config = parseConfig(`${GUEST}unused0: store:subvol-910-disk-0\nunused1: store:subvol-910-disk-1\n`);
  saveConfig(910, config);
  expect(readFileSync(file(910), "utf8")).not.toContain("unused0");
  expect(readFileSync(file(910), "utf8")).toContain("unused1");
});
