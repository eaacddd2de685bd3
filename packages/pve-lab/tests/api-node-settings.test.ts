import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allRoutes } from "../src/api/all-routes.ts";
import { describedRoutes } from "../src/api/description.ts";
import { endpointTable, withTable } from "../src/api/evidence.ts";
import { formatInterfaces, parseInterfaces } from "../src/api/interfaces-file.ts";
import { closeUnfinishedTasks, startTask } from "../src/core/tasks.ts";
import { anyNumber, makeNode, matching, PASSWORD, type Answer, type TestNode } from "./api-node.ts";

let node: TestNode;
let root: Record<string, string>;

beforeAll(async () => {
  node = await makeNode(allRoutes);
  const { body } = await node.ask("POST", "/access/ticket", { username: "root@pam", password: PASSWORD }, {});
  const data = body.data as { ticket: string; CSRFPreventionToken: string };
  root = { cookie: `PVEAuthCookie=${data.ticket}`, csrfpreventiontoken: data.CSRFPreventionToken };
});
afterAll(() => node.close());

const asRoot = (method: string, path: string, body?: Record<string, string>): Promise<Answer> =>
  node.ask(method, path, body, root);

it("serves nothing that PVE does not describe", () => {
  const described = new Set(describedRoutes);
  expect(
    allRoutes.map(({ method, path }) => `${method} ${path}`).filter((name) => !described.has(name)),
  ).toEqual([]);
  expect(new Set(allRoutes.map(({ method, path }) => `${method} ${path}`)).size).toBe(allRoutes.length);
});

it("the table in docs/lab.md is the one that the routes give", () => {
  const document = readFileSync(join(import.meta.dirname, "../../../docs/lab.md"), "utf8");
  expect(withTable(document, endpointTable())).toBe(document);
});

describe("the node", () => {
  it("is one, with numbers as numbers", async () => {
    const { body } = await asRoot("GET", "/nodes");
    expect(body.data).toMatchObject([
      { node: "pve", status: "online", maxcpu: anyNumber, maxmem: anyNumber, uptime: anyNumber },
    ]);
    const status = await asRoot("GET", "/nodes/pve/status");
    expect(status.body.data).toMatchObject({
      pveversion: matching(/^pve-manager\/8\.4\./),
      cpuinfo: { cpus: anyNumber, sockets: 1 },
      memory: { total: anyNumber, used: anyNumber, free: anyNumber },
      rootfs: { total: anyNumber, avail: anyNumber },
    });
    expect((await asRoot("GET", "/nodes/pve/qemu")).body.data).toEqual([]);
    expect((await asRoot("GET", "/cluster/nextid")).body.data).toBe("100");
  });

  it("does not know its neighbours", async () => {
    const answer = await asRoot("GET", "/nodes/other/status");
    expect([answer.status, answer.reason]).toEqual([
      500,
      "hostname lookup 'other' failed - failed to get address info for: other: Name or service not known",
    ]);
  });

  it("keeps name servers and the hosts file", async () => {
    mkdirSync(join(node.root, "etc"), { recursive: true });
    writeFileSync(join(node.root, "etc/resolv.conf"), "nameserver 192.0.2.1\noptions edns0\n");
    expect((await asRoot("GET", "/nodes/pve/dns")).body.data).toEqual({ dns1: "192.0.2.1" });
    await asRoot("PUT", "/nodes/pve/dns", { search: "lab.test", dns1: "192.0.2.7", dns2: "192.0.2.8" });
    expect(readFileSync(join(node.root, "etc/resolv.conf"), "utf8")).toBe(
      "search lab.test\nnameserver 192.0.2.7\nnameserver 192.0.2.8\noptions edns0\n",
    );
    const stale = await asRoot("POST", "/nodes/pve/hosts", {
      data: "127.0.0.1 localhost\n",
      digest: "0".repeat(40),
    });
    expect(stale.reason).toBe("detected modified configuration - file changed by other user? Try again.");
    await asRoot("POST", "/nodes/pve/hosts", { data: "127.0.0.1 localhost\n" });
    expect((await asRoot("GET", "/nodes/pve/hosts")).body.data).toEqual({
      data: "127.0.0.1 localhost\n",
      digest: matching(/^[0-9a-f]{40}$/),
    });
    expect((await asRoot("PUT", "/nodes/pve/time", { timezone: "No/Where" })).body.errors).toEqual({
      timezone: "No such timezone.",
    });
  });

  it("stages network changes and takes them back", async () => {
    const file =
      "auto lo\niface lo inet loopback\n\nauto vmbr0\niface vmbr0 inet static\n\taddress 10.0.0.13/24\n\tbridge-ports none\n\tpost-up a b\n\tpost-up c\n";
    mkdirSync(join(node.root, "etc/network"), { recursive: true });
    writeFileSync(join(node.root, "etc/network/interfaces"), file);
    const bridge = { iface: "vmbr9", type: "bridge", cidr: "10.9.0.1/24", autostart: "1", comments: "mine" };
    expect((await asRoot("POST", "/nodes/pve/network", bridge)).status).toBe(200);
    expect((await asRoot("POST", "/nodes/pve/network", bridge)).body.errors).toEqual({
      iface: "interface already exists",
    });
    const { body } = await asRoot("GET", "/nodes/pve/network/vmbr9");
    expect(body.data).toMatchObject({
      type: "bridge",
      method: "static",
      address: "10.9.0.1",
      cidr: "10.9.0.1/24",
      autostart: 1,
      comments: "mine\n",
    });
    expect(readFileSync(join(node.root, "etc/network/interfaces"), "utf8")).toBe(file);
    await asRoot("DELETE", "/nodes/pve/network");
    expect((await asRoot("GET", "/nodes/pve/network/vmbr9")).body.errors).toEqual({
      iface: "interface does not exist",
    });
    const parsed = parseInterfaces(file);
    expect(parseInterfaces(formatInterfaces(parsed))).toEqual(parsed);
    expect(parsed[1]?.stanzas[0]?.options.filter(([key]) => key === "post-up")).toEqual([
      ["post-up", "a b"],
      ["post-up", "c"],
    ]);
  });
});

describe("a guest's firewall", () => {
  const path = "/nodes/pve/lxc/910/firewall";

  it("keeps rules in order, new ones first, and moves them", async () => {
    expect((await asRoot("GET", `${path}/rules`)).body.data).toEqual([]);
    await asRoot("POST", `${path}/rules`, { type: "in", action: "ACCEPT", macro: "SSH", enable: "1" });
    await asRoot("POST", `${path}/rules`, {
      type: "in",
      action: "DROP",
      proto: "tcp",
      dport: "80:90",
      source: "10.0.0.0/8",
      comment: "no web",
    });
    const list = await asRoot("GET", `${path}/rules`);
    expect(list.body.data).toMatchObject([
      { pos: 0, type: "in", action: "DROP", enable: 0, proto: "tcp", dport: "80:90", comment: "no web" },
      { pos: 1, type: "in", action: "ACCEPT", macro: "SSH", enable: 1 },
    ]);
    expect(readFileSync(join(node.root, "etc/pve/firewall/910.fw"), "utf8")).toBe(
      "[RULES]\n\n|IN DROP -source 10.0.0.0/8 -p tcp -dport 80:90 # no web\nIN SSH(ACCEPT)\n\n",
    );
    await asRoot("PUT", `${path}/rules/0`, { moveto: "2" });
    expect((await asRoot("GET", `${path}/rules/0`)).body.data).toMatchObject({ pos: "0", macro: "SSH" });
    await asRoot("PUT", `${path}/rules/0`, { delete: "macro", enable: "0" });
    expect((await asRoot("GET", `${path}/rules/0`)).body.data).not.toHaveProperty("macro");
    await asRoot("DELETE", `${path}/rules/0`);
    expect((await asRoot("GET", `${path}/rules`)).body.data).toMatchObject([{ pos: 0, action: "DROP" }]);
    expect((await asRoot("GET", `${path}/rules/5`)).reason).toBe("no rule at position 5");
  });

  it("keeps options and lets them be deleted", async () => {
    await asRoot("PUT", `${path}/options`, { enable: "1", policy_in: "DROP" });
    expect((await asRoot("GET", `${path}/options`)).body.data).toMatchObject({
      enable: 1,
      policy_in: "DROP",
    });
    await asRoot("PUT", `${path}/options`, { delete: "policy_in" });
    expect((await asRoot("GET", `${path}/options`)).body.data).not.toHaveProperty("policy_in");
  });
});

describe("tasks", () => {
  const statusOf = async (upid: string): Promise<unknown> =>
    (await asRoot("GET", `/nodes/pve/tasks/${upid}/status`)).body.data;

  async function until(upid: string, status: string): Promise<unknown> {
    for (;;) {
      const data = (await statusOf(upid)) as { status: string };
      if (data.status === status) return data;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  it("end with warnings, with the error's text, or interrupted", async () => {
    const warned = startTask("vzcreate", "100", "root@pam", (log) => {
      log("WARN: careful");
      return Promise.resolve();
    });
    expect(await until(warned, "stopped")).toMatchObject({
      exitstatus: "WARNINGS: 1",
      type: "vzcreate",
      id: "100",
      user: "root@pam",
    });
    const failed = startTask("vzstart", "100", "root@pam", () => Promise.reject(new Error("no such thing")));
    expect(await until(failed, "stopped")).toMatchObject({ exitstatus: "no such thing" });
    const long = startTask(
      "vzclone",
      "100",
      "root@pam",
      (_log, signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => {
            reject(new Error("aborted"));
          }),
        ),
    );
    expect(await statusOf(long)).toMatchObject({ status: "running" });
    expect((await asRoot("GET", "/nodes/pve/tasks", { source: "active" })).body.data).toMatchObject([
      { upid: long },
    ]);
    expect((await asRoot("DELETE", `/nodes/pve/tasks/${long}`)).status).toBe(200);
    expect(await statusOf(long)).toMatchObject({ status: "stopped", exitstatus: "received interrupt" });
    const errors = await asRoot("GET", "/nodes/pve/tasks", { errors: "1" });
    expect((errors.body.data as { upid: string }[]).map(({ upid }) => upid)).toEqual([long, failed, warned]);
  });

  it("are their owner's: another's token sees none of them", async () => {
    const upid = startTask("vzstart", "100", "root@pam", () => Promise.resolve());
    await until(upid, "stopped");
    await asRoot("POST", "/access/users", { userid: "eve@pve" });
    const token = await asRoot("POST", "/access/users/eve@pve/token/tt", { privsep: "0" });
    const headers = {
      authorization: `PVEAPIToken=eve@pve!tt=${(token.body.data as { value: string }).value}`,
    };
    const answer = await node.ask("GET", `/nodes/pve/tasks/${upid}/status`, undefined, headers);
    expect([answer.status, answer.reason]).toEqual([403, "Permission check failed (/nodes/pve, Sys.Audit)"]);
    expect((await node.ask("GET", "/nodes/pve/tasks", undefined, headers)).body).toEqual({
      data: [],
      total: 0,
    });
  });

  it("that a restart of the daemon cut off end with an unexpected status", async () => {
    const upid = "UPID:pve:00000002:00000001:0000000A:vzclone:100:root@pam:";
    const folder = join(node.root, "var/log/pve/tasks");
    mkdirSync(join(folder, "A"), { recursive: true });
    writeFileSync(join(folder, "A", upid), "half done\n");
    writeFileSync(join(folder, "active"), `${upid} 0\n`);
    closeUnfinishedTasks();
    expect(await statusOf(upid)).toMatchObject({ status: "stopped", exitstatus: "unexpected status" });
    const { body } = await asRoot("GET", "/nodes/pve/tasks", { statusfilter: "unknown" });
    expect(body.data).toMatchObject([{ upid, status: "unexpected status" }]);
  });

  it("are unknown when made up", async () => {
    const upid = "UPID:pve:00000001:00000001:00000001:vzstart:1:root@pam:";
    expect((await asRoot("GET", `/nodes/pve/tasks/${upid}/status`)).body.errors).toEqual({
      upid: "no such task",
    });
    expect((await asRoot("GET", "/nodes/pve/tasks/x/log")).body.errors).toEqual({
      upid: "unable to parse worker upid",
    });
  });
});
