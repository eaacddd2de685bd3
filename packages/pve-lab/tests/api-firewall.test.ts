/**
 * A guest's aliases, IP sets and rules over raw requests. Expected answers: the API description, and what Ansible's
 * community.proxmox, go-proxmox and the bridged provider send and decode.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allRoutes } from "../src/api/all-routes.ts";
import { anyNumber, asToken, makeNode, matching, type Answer, type TestNode } from "./api-node.ts";

let node: TestNode;
const path = "/nodes/pve/lxc/910/firewall";
const digest = matching(/^[0-9a-f]{40}$/);

beforeAll(async () => {
  node = await makeNode(allRoutes);
});
afterAll(() => node.close());

const ask = (method: string, tail: string, body?: Record<string, string>): Promise<Answer> =>
  node.ask(method, `${path}/${tail}`, body, asToken);
const data = async (tail: string): Promise<unknown> => (await ask("GET", tail)).body.data;

describe("aliases", () => {
  it("are made, listed with their digest, renamed and removed", async () => {
    expect(
      (await ask("POST", "aliases", { name: "Office", cidr: "10.9.0.0/24", comment: "desks" })).status,
    ).toBe(200);
    await ask("POST", "aliases", { name: "six", cidr: "fd00::1" });
    expect(await data("aliases")).toEqual([
      { name: "Office", cidr: "10.9.0.0/24", comment: "desks", ipversion: 4, digest },
      { name: "six", cidr: "fd00::1", ipversion: 6, digest },
    ]);
    // Names are one in any case.
    expect(await data("aliases/office")).toEqual({
      name: "Office",
      cidr: "10.9.0.0/24",
      comment: "desks",
      ipversion: 4,
    });
    expect((await ask("PUT", "aliases/office", { cidr: "10.9.1.0/24", rename: "desks" })).status).toBe(200);
    expect(readFileSync(join(node.root, "etc/pve/firewall/910.fw"), "utf8")).toBe(
      "[ALIASES]\n\nsix fd00::1\ndesks 10.9.1.0/24\n\n",
    );
    await ask("DELETE", "aliases/desks");
    await ask("DELETE", "aliases/six");
    expect(await data("aliases")).toEqual([]);
  });

  it("are refused twice, unknown, out of date, and with what is no address", async () => {
    await ask("POST", "aliases", { name: "one", cidr: "10.0.0.1" });
    const twice = await ask("POST", "aliases", { name: "ONE", cidr: "10.0.0.2" });
    expect([twice.status, twice.body.errors]).toEqual([400, { name: "alias 'ONE' already exists" }]);
    expect((await ask("GET", "aliases/none")).body.errors).toEqual({ name: "no such alias" });
    const wrong = await ask("POST", "aliases", { name: "two", cidr: "10.0.0.1-10.0.0.9" });
    expect([wrong.status, wrong.body.errors?.["cidr"]]).toEqual([400, matching(/^invalid format - /)]);
    const old = await ask("PUT", "aliases/one", { cidr: "10.0.0.3", digest: "0".repeat(40) });
    expect([old.status, old.reason]).toEqual([
      500,
      "detected modified configuration - file changed by other user? Try again.",
    ]);
  });
});

describe("IP sets", () => {
  it("hold addresses, networks and aliases; a full one goes by force only", async () => {
    await ask("POST", "ipset", { name: "hosts", comment: "ours" });
    await ask("POST", "ipset/hosts", { cidr: "10.2.0.0/24", nomatch: "1", comment: "not these" });
    await ask("POST", "ipset/hosts", { cidr: "one" });
    expect(await data("ipset")).toEqual([{ name: "hosts", comment: "ours", digest }]);
    expect(await data("ipset/hosts")).toEqual([
      { cidr: "one", digest },
      { cidr: "10.2.0.0/24", nomatch: 1, comment: "not these", digest },
    ]);
    // Clients send the slash as it is, or percent-encoded.
    for (const cidr of ["10.2.0.0/24", "10.2.0.0%2F24"])
      expect(await data(`ipset/hosts/${cidr}`)).toEqual({
        cidr: "10.2.0.0/24",
        nomatch: 1,
        comment: "not these",
      });
    await ask("PUT", "ipset/hosts/10.2.0.0%2F24", { comment: "these" });
    expect(await data("ipset/hosts/10.2.0.0%2F24")).toEqual({ cidr: "10.2.0.0/24", comment: "these" });
    const full = await ask("DELETE", "ipset/hosts");
    expect([full.status, full.reason]).toEqual([500, "ipset 'hosts' is not empty"]);
    await ask("POST", "ipset", { name: "hosts2", rename: "hosts" });
    expect(await data("ipset")).toEqual([{ name: "hosts2", digest }]);
    expect((await ask("DELETE", "ipset/hosts2", { force: "1" })).status).toBe(200);
    expect(await data("ipset")).toEqual([]);
  });

  it("refuse what is there, what is not, and everything", async () => {
    await ask("POST", "ipset", { name: "few" });
    await ask("POST", "ipset/few", { cidr: "10.0.0.1" });
    expect((await ask("POST", "ipset", { name: "few" })).body.errors).toEqual({
      name: "IPSet 'few' already exists",
    });
    expect((await ask("POST", "ipset/few", { cidr: "10.0.0.1" })).body.errors).toEqual({
      cidr: "address '10.0.0.1' already exists",
    });
    expect((await ask("POST", "ipset/few", { cidr: "0.0.0.0/0" })).body.errors).toEqual({
      cidr: "a zero prefix is not allowed in ipset entries",
    });
    expect((await ask("GET", "ipset/few/10.0.0.2")).body.errors).toEqual({ cidr: "no such IP/Network" });
    expect((await ask("GET", "ipset/none")).reason).toBe("no such IPSet 'none'");
    expect(await data("refs")).toMatchObject([
      { type: "alias", name: "one", ref: "guest/one" },
      { type: "ipset", name: "few", ref: "+guest/few" },
    ]);
  });
});

describe("rules", () => {
  it("a new one is the first, whatever `pos` says; clients move it afterwards", async () => {
    for (const dport of ["22", "80"])
      await ask("POST", "rules", { type: "in", action: "ACCEPT", proto: "tcp", dport, pos: "1" });
    expect(await data("rules")).toMatchObject([
      { pos: 0, dport: "80" },
      { pos: 1, dport: "22" },
    ]);
    await ask("PUT", "rules/0", { moveto: "2" });
    expect(await data("rules")).toMatchObject([
      { pos: anyNumber, dport: "22" },
      { pos: anyNumber, dport: "80" },
    ]);
  });

  it("an empty text or a dash is no option, as the bridged provider sends them", async () => {
    const empty = {
      dest: "",
      sport: "",
      proto: "tcp",
      dport: "443",
      macro: "",
      comment: "-",
      source: "10.0.0.1",
    };
    expect((await ask("POST", "rules", { type: "in", action: "DROP", ...empty })).status).toBe(200);
    const { body } = await ask("GET", "rules/0");
    expect(body.data).toEqual({
      ...{ pos: "0", type: "in", action: "DROP", enable: 0, proto: "tcp", dport: "443", source: "10.0.0.1" },
      digest,
    });
    await ask("PUT", "rules/0", { source: "", dport: "444" });
    expect((await ask("GET", "rules/0")).body.data).not.toHaveProperty("source");
  });

  it.each([
    [{ source: "10.0.0.1,fd00::1" }, "source", /mixed ipv4\/ipv6/],
    [{ source: "10.0.0.1,," }, "source", /extraneous commas/],
    [{ dest: "300.1.1.1/8" }, "dest", /invalid IP address/],
    [{ proto: "tcp", dport: "90:80" }, "dport", /backwards range '90:80'/],
    [{ proto: "tcp", dport: "70000" }, "dport", /invalid port '70000'/],
    [{ proto: "nothing" }, "proto", /unknown protocol 'nothing'/],
    [{ dport: "80" }, "proto", /'dport' requires this property/],
  ])("%j is refused", async (options, key, text) => {
    const answer = await ask("POST", "rules", { type: "in", action: "ACCEPT", ...options });
    expect([answer.status, answer.body.errors?.[key]]).toEqual([400, matching(text)]);
  });
});
