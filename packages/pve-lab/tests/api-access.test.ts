import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aclRoutes } from "../src/api/routes/acl.ts";
import { groupAndRoleRoutes } from "../src/api/routes/groups-and-roles.ts";
import { nodeSettingsRoutes } from "../src/api/routes/node-settings.ts";
import { poolRoutes } from "../src/api/routes/pools.ts";
import { storageDefinitionRoutes } from "../src/api/routes/storage-definitions.ts";
import { ticketRoutes } from "../src/api/routes/tickets.ts";
import { tokenRoutes } from "../src/api/routes/tokens.ts";
import { userRoutes } from "../src/api/routes/users.ts";
import { versionRoutes } from "../src/api/routes/version.ts";
import { makeNode, matching, PASSWORD, type Answer, type TestNode } from "./api-node.ts";

let node: TestNode;
let root: Record<string, string>;

beforeAll(async () => {
  node = await makeNode([
    ...versionRoutes,
    ...ticketRoutes,
    ...userRoutes,
    ...tokenRoutes,
    ...groupAndRoleRoutes,
    ...aclRoutes,
    ...poolRoutes,
    ...storageDefinitionRoutes,
    ...nodeSettingsRoutes,
  ]);
  root = await login("root@pam", PASSWORD);
});
afterAll(() => node.close());

async function login(username: string, password: string): Promise<Record<string, string>> {
  const { body } = await node.ask("POST", "/access/ticket", { username, password }, {});
  const data = body.data as { ticket: string; CSRFPreventionToken: string };
  return { cookie: `PVEAuthCookie=${data.ticket}`, csrfpreventiontoken: data.CSRFPreventionToken };
}

const asRoot = (method: string, path: string, body?: Record<string, string | string[]>): Promise<Answer> =>
  node.ask(method, path, body, root);

const byToken = (id: string, secret: unknown): Record<string, string> => ({
  authorization: `PVEAPIToken=${id}=${String(secret)}`,
});

describe("users, groups, roles", () => {
  it("lets root make a user who can log in, in groups, and take both away", async () => {
    expect((await asRoot("POST", "/access/groups", { groupid: "ops", comment: "a: b" })).body).toEqual({
      data: null,
    });
    const user = { userid: "ada@pve", password: "long enough", groups: "ops", comment: "Ada" };
    expect((await asRoot("POST", "/access/users", user)).status).toBe(200);
    const again = await asRoot("POST", "/access/users", user);
    expect([again.status, again.reason]).toEqual([500, "create user failed: user 'ada@pve' already exists"]);
    const read = await asRoot("GET", "/access/users/ada@pve");
    expect(read.body.data).toEqual({ enable: 1, expire: 0, comment: "Ada", groups: ["ops"] });
    expect((await asRoot("GET", "/access/groups/ops")).body.data).toEqual({
      comment: "a: b",
      members: ["ada@pve"],
    });
    const mine = await login("ada@pve", "long enough");
    expect((await node.ask("GET", "/version", undefined, mine)).status).toBe(200);
    await asRoot("PUT", "/access/users/ada@pve", { enable: "0" });
    const disabled = await node.ask("GET", "/version", undefined, mine);
    expect([disabled.status, disabled.reason]).toEqual([401, "user 'ada@pve' is disabled"]);
    expect((await asRoot("DELETE", "/access/users/ada@pve")).status).toBe(200);
    expect((await asRoot("GET", "/access/users/ada@pve")).reason).toBe("no such user ('ada@pve')");
    expect((await asRoot("GET", "/access/groups/ops")).body.data).toMatchObject({ members: [] });
    expect((await asRoot("DELETE", "/access/groups/ops")).status).toBe(200);
  });

  it("knows PVE's roles and keeps them from change", async () => {
    const template = await asRoot("GET", "/access/roles/PVETemplateUser");
    expect(template.body.data).toEqual({ "VM.Audit": 1, "VM.Clone": 1 });
    const none = await asRoot("GET", "/access/roles/NoAccess");
    expect(none.body.data).toEqual({});
    const change = await asRoot("PUT", "/access/roles/PVEAdmin", { privs: "VM.Audit" });
    expect(change.reason).toBe("update role failed: auto-generated role 'PVEAdmin' cannot be modified");
    const wrong = await asRoot("POST", "/access/roles", { roleid: "r", privs: "VM.Audit,VM.Fly" });
    expect(wrong.body.errors).toEqual({ privs: "invalid format - invalid privilege 'VM.Fly'\n" });
  });
});

describe("rights", () => {
  const pathOf = (user: string, token: string): string => `/access/users/${user}/token/${token}`;
  let plain: Record<string, string>;
  let separated: Record<string, string>;

  beforeAll(async () => {
    // The user's time limit is not copied to the token: that would be a difference at a provisioning tool's next plan.
    await asRoot("POST", "/access/users", { userid: "bob@pve", expire: "2019765600" });
    await asRoot("POST", "/access/roles", { roleid: "Keeper", privs: "Datastore.Allocate,Datastore.Audit" });
    const first = await asRoot("POST", pathOf("bob@pve", "all"), { privsep: "0" });
    plain = byToken("bob@pve!all", (first.body.data as { value: string }).value);
    const second = await asRoot("POST", pathOf("bob@pve", "some"));
    expect(second.body.data).toEqual({
      "full-tokenid": "bob@pve!some",
      value: matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      info: { privsep: 1, expire: 0 },
    });
    separated = byToken("bob@pve!some", (second.body.data as { value: string }).value);
  });

  it("names the path and the privilege that are missing", async () => {
    const answer = await node.ask("GET", "/storage/local", undefined, plain);
    expect([answer.status, answer.reason]).toEqual([
      403,
      "Permission check failed (/storage/local, Datastore.Allocate)",
    ]);
    const write = await node.ask("POST", "/storage", { storage: "x1", type: "dir", path: "/x" }, plain);
    expect(write.reason).toBe("Permission check failed (/storage, Datastore.Allocate)");
    const user = await node.ask("POST", "/access/users", { userid: "eve@pve" }, plain);
    expect(user.reason).toBe("Permission check failed (/access/realm/pve, Realm.AllocateUser)");
    const dns = await node.ask("PUT", "/nodes/pve/dns", { search: "lab" }, plain);
    expect(dns.reason).toBe("Permission check failed (/nodes/pve, Sys.Modify)");
  });

  it("checks rights before parameters", async () => {
    const answer = await node.ask("POST", "/storage", { nonsense: "1" }, plain);
    expect(answer.status).toBe(403);
    expect((await asRoot("POST", "/storage", { nonsense: "1" })).status).toBe(400);
  });

  it("gives a separated token what both it and its user have", async () => {
    await asRoot("PUT", "/access/acl", { path: "/storage", roles: "Keeper", tokens: "bob@pve!some" });
    expect((await node.ask("GET", "/storage/local", undefined, separated)).status).toBe(403);
    await asRoot("PUT", "/access/acl", { path: "/storage", roles: "Keeper", users: "bob@pve" });
    expect((await node.ask("GET", "/storage/local", undefined, separated)).status).toBe(200);
    expect((await node.ask("GET", "/storage/local", undefined, plain)).status).toBe(200);
    await asRoot("PUT", "/access/acl", {
      path: "/storage",
      roles: "Keeper",
      tokens: "bob@pve!some",
      delete: "1",
    });
    expect((await node.ask("GET", "/storage/local", undefined, separated)).status).toBe(403);
  });

  it("does not hand rights down that do not propagate, and lets the deeper entry decide", async () => {
    await asRoot("PUT", "/access/acl", {
      path: "/storage",
      roles: "Keeper",
      users: "bob@pve",
      propagate: "0",
    });
    expect((await node.ask("GET", "/storage/local", undefined, plain)).status).toBe(403);
    await asRoot("PUT", "/access/acl", {
      path: "/storage",
      roles: "Keeper",
      users: "bob@pve",
      propagate: "1",
    });
    expect((await node.ask("GET", "/storage/local", undefined, plain)).status).toBe(200);
    await asRoot("PUT", "/access/acl", { path: "/storage/local", roles: "NoAccess", users: "bob@pve" });
    expect((await node.ask("GET", "/storage/local", undefined, plain)).status).toBe(403);
    await asRoot("PUT", "/access/acl", {
      path: "/storage/local",
      roles: "NoAccess",
      users: "bob@pve",
      delete: "1",
    });
  });

  it("lists permissions with their propagation", async () => {
    const { body } = await node.ask("GET", "/access/permissions", { path: "/storage/local" }, plain);
    expect(body.data).toEqual({ "/storage/local": { "Datastore.Allocate": 1, "Datastore.Audit": 1 } });
  });

  it("lets nobody hand out what he has not", async () => {
    const wide = await node.ask(
      "PUT",
      "/access/acl",
      { path: "/storage/local", roles: "PVEAdmin", users: "bob@pve" },
      plain,
    );
    expect(wide.status).toBe(400);
    expect(wide.body.errors?.["role"]).toContain("requires 'Permissions.Modify' or superset of privileges");
    const own = await node.ask(
      "PUT",
      "/access/acl",
      { path: "/storage/local", roles: "Keeper", users: "root@pam" },
      plain,
    );
    expect(own.status).toBe(200);
    const elsewhere = await node.ask(
      "PUT",
      "/access/acl",
      { path: "/vms/100", roles: "Keeper", users: "bob@pve" },
      plain,
    );
    expect(elsewhere.reason).toBe("Permission check failed (/vms/100, VM.Allocate|Permissions.Modify)");
  });

  it("refuses ACLs of nothing and on nothing", async () => {
    const path = await asRoot("PUT", "/access/acl", {
      path: "/nowhere/x",
      roles: "Keeper",
      users: "bob@pve",
    });
    expect(path.body.errors).toEqual({ path: "invalid ACL path '/nowhere/x'" });
    const role = await asRoot("PUT", "/access/acl", { path: "/", roles: "Nix", users: "bob@pve" });
    expect(role.reason).toBe("ACL update failed: role 'Nix' does not exist");
    const nobody = await asRoot("PUT", "/access/acl", { path: "/", roles: "Keeper" });
    expect(Object.keys(nobody.body.errors ?? {}).sort()).toEqual(["groups", "tokens", "users"]);
  });

  it("takes a user's secrets with the user", async () => {
    await asRoot("DELETE", "/access/users/bob@pve");
    expect(readFileSync(join(node.root, "etc/pve/priv/token.cfg"), "utf8")).not.toContain("bob@pve");
    expect(readFileSync(join(node.root, "etc/pve/user.cfg"), "utf8")).not.toContain("bob@pve");
    expect((await node.ask("GET", "/version", undefined, plain)).reason).toBe("no such user ('bob@pve')");
  });
});

describe("pools", () => {
  it("hold storages and are deleted only when empty", async () => {
    expect((await asRoot("POST", "/pools", { poolid: "dev", comment: "c" })).status).toBe(200);
    expect((await asRoot("PUT", "/pools/dev", { storage: "local" })).status).toBe(200);
    const { body } = await asRoot("GET", "/pools/dev");
    expect(body.data).toEqual({
      comment: "c",
      members: [{ id: "storage/pve/local", type: "storage", node: "pve", storage: "local" }],
    });
    const full = await asRoot("DELETE", "/pools/dev");
    expect(full.reason).toBe("delete pool failed: pool 'dev' is not empty (contains storage 'local')");
    await asRoot("PUT", "/pools/dev", { storage: "local", delete: "1" });
    expect((await asRoot("DELETE", "/pools/dev")).status).toBe(200);
  });

  it("lend their rights to their storages", async () => {
    await asRoot("POST", "/access/users", { userid: "poe@pve" });
    const token = await asRoot("POST", "/access/users/poe@pve/token/tt", { privsep: "0" });
    const headers = byToken("poe@pve!tt", (token.body.data as { value: string }).value);
    await asRoot("POST", "/pools", { poolid: "lent" });
    await asRoot("PUT", "/access/acl", { path: "/pool/lent", roles: "PVEDatastoreAdmin", users: "poe@pve" });
    expect((await node.ask("GET", "/storage/local", undefined, headers)).status).toBe(403);
    await asRoot("PUT", "/pools/lent", { storage: "local" });
    expect((await node.ask("GET", "/storage/local", undefined, headers)).status).toBe(200);
  });
});
