import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { downloadRoutes } from "../src/api/routes/downloads.ts";
import { storageContentRoutes } from "../src/api/routes/storage-content.ts";
import { storageDefinitionRoutes } from "../src/api/routes/storage-definitions.ts";
import { storageStatusRoutes } from "../src/api/routes/storage-status.ts";
import { taskRoutes } from "../src/api/routes/tasks.ts";
import { ticketRoutes } from "../src/api/routes/tickets.ts";
import { versionRoutes } from "../src/api/routes/version.ts";
import { parseTold, resolveHardware } from "../src/hardware/description.ts";
import { anyNumber, asToken, makeNode, matching, PASSWORD, SECRET, type TestNode } from "./api-node.ts";

let node: TestNode;
let files: Server;
let base: string;

beforeAll(async () => {
  node = await makeNode([
    ...versionRoutes,
    ...ticketRoutes,
    ...taskRoutes,
    ...storageDefinitionRoutes,
    ...storageStatusRoutes,
    ...storageContentRoutes,
    ...downloadRoutes,
  ]);
  files = createServer((request, response) => {
    if (request.url?.startsWith("/moved")) return response.writeHead(302, { location: "/os.tar.zst" }).end();
    if (!request.url?.startsWith("/os.tar.zst")) return response.writeHead(404, "Not Found").end();
    response.writeHead(200, { "content-type": "application/zstd", "content-length": "5" });
    return response.end(request.method === "HEAD" ? undefined : "12345");
  });
  await new Promise<void>((resolve) => files.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
});

afterAll(async () => {
  files.close();
  await node.close();
});

async function finished(upid: unknown): Promise<{ exitstatus: string; log: string[] }> {
  const path = `/nodes/pve/tasks/${encodeURIComponent(String(upid))}`;
  for (;;) {
    const { body } = await node.ask("GET", `${path}/status`);
    const data = body.data as { status: string; exitstatus: string };
    if (data.status === "stopped") {
      const log = await node.ask("GET", `${path}/log`);
      return { exitstatus: data.exitstatus, log: (log.body.data as { t: string }[]).map(({ t }) => t) };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("who asks", () => {
  it("takes a token and refuses everything else with PVE's texts", async () => {
    const version = await node.ask("GET", "/version");
    expect(version.body.data).toMatchObject({ version: matching(/^8\.4\./), release: "8.4" });
    const told = join(node.root, "etc/pve-lab/hardware.json");
    writeFileSync(told, JSON.stringify(resolveHardware(parseTold('{"pve": 9}', told))));
    const nine = await node.ask("GET", "/version");
    expect(nine.body.data).toMatchObject({ version: matching(/^9\.1\./), release: "9.1" });
    rmSync(told);
    expect(() => parseTold('{"pve": 7}', told)).toThrow(/\/pve must be equal to one of the allowed values/);
    const none = await node.ask("GET", "/version", undefined, {});
    expect([none.status, none.reason]).toEqual([401, "No ticket"]);
    const wrong = await node.ask("GET", "/version", undefined, {
      authorization: "PVEAPIToken=phoenix@pve!lab=no",
    });
    expect([wrong.status, wrong.reason]).toEqual([401, "invalid token value!"]);
    const unknown = await node.ask("GET", "/version", undefined, {
      authorization: `PVEAPIToken=phoenix@pve!no=${SECRET}`,
    });
    expect(unknown.reason).toBe("no such token 'no' for user 'phoenix@pve'");
  });

  it("gives root a ticket, wants the CSRF token on writes", async () => {
    const bad = await node.ask("POST", "/access/ticket", { username: "root@pam", password: "no" }, {});
    expect([bad.status, bad.reason]).toEqual([401, "authentication failure"]);
    const login = await node.ask("POST", "/access/ticket", { username: "root@pam", password: PASSWORD }, {});
    const data = login.body.data as { username: string; ticket: string; CSRFPreventionToken: string };
    expect(data.username).toBe("root@pam");
    const cookie = `PVEAuthCookie=${encodeURIComponent(data.ticket)}`;
    expect((await node.ask("GET", "/storage/local", undefined, { cookie })).status).toBe(200);
    const write = await node.ask("PUT", "/storage/local", { content: "iso,vztmpl" }, { cookie });
    expect([write.status, write.reason]).toEqual([401, "Permission denied - invalid csrf token"]);
    const headers = { cookie, csrfpreventiontoken: data.CSRFPreventionToken };
    expect((await node.ask("PUT", "/storage/local", { content: "iso,vztmpl" }, headers)).status).toBe(200);
  });
});

describe("what PVE describes", () => {
  it("answers 501 for the unknown and for what the lab lacks", async () => {
    const unknown = await node.ask("GET", "/no/such");
    expect([unknown.status, unknown.reason]).toEqual([501, "Method 'GET /no/such' not implemented"]);
    const lacking = await node.ask("GET", "/nodes/pve/ceph/status");
    expect(lacking.status).toBe(501);
    expect(lacking.reason).toContain("/nodes/{node}/ceph/status");
  });

  it("verifies parameters and says what is wrong with each", async () => {
    const answer = await node.ask("POST", "/storage", {
      storage: "1x",
      type: "blah",
      pools: "x",
      sparse: "maybe",
    });
    expect([answer.status, answer.reason]).toEqual([400, "Parameter verification failed."]);
    expect(answer.body.data).toBeNull();
    expect(answer.body.message).toBe("Parameter verification failed.\n");
    expect(answer.body.errors).toMatchObject({
      storage: "invalid format - storage ID '1x' contains illegal characters\n",
      pools: "property is not defined in schema and the schema does not allow additional properties",
      sparse: "type check ('boolean') failed - got 'maybe'",
      type: matching(/^value 'blah' does not have a value in the enumeration '.*zfspool.*'$/),
    });
    const missing = await node.ask("POST", "/storage", {});
    expect(missing.body.errors).toEqual({
      storage: "property is missing and it is not optional",
      type: "property is missing and it is not optional",
    });
  });
});

describe("storages", () => {
  it("keeps a directory storage in PVE's file, with its digest, and lets it go", async () => {
    const path = join(node.root, "tank/iso");
    const create = await node.ask("POST", "/storage", {
      storage: "tank-iso",
      type: "dir",
      path,
      content: "iso,vztmpl",
      shared: "0",
    });
    expect([create.status, create.body.data]).toEqual([200, { storage: "tank-iso", type: "dir" }]);
    expect(readFileSync(join(node.root, "etc/pve/storage.cfg"), "utf8")).toContain(
      `dir: tank-iso\n\tpath ${path}\n\tcontent iso,vztmpl\n\tshared 0\n`,
    );
    expect(existsSync(join(path, "template/cache"))).toBe(true);
    const again = await node.ask("POST", "/storage", { storage: "tank-iso", type: "dir", path });
    expect([again.status, again.reason]).toEqual([
      500,
      "create storage failed: storage ID 'tank-iso' already defined",
    ]);
    const read = await node.ask("GET", "/storage/tank-iso");
    expect(read.body.data).toEqual({
      storage: "tank-iso",
      type: "dir",
      path,
      content: "iso,vztmpl",
      shared: 0,
      digest: matching(/^[0-9a-f]{40}$/),
    });
    expect((await node.ask("DELETE", "/storage/tank-iso")).body).toEqual({ data: null });
    const gone = await node.ask("GET", "/storage/tank-iso");
    expect([gone.status, gone.reason]).toEqual([500, "storage 'tank-iso' does not exist"]);
  });

  it("reports space in numbers", async () => {
    const { body } = await node.ask("GET", "/nodes/pve/storage/local/status");
    expect(body.data).toMatchObject({
      type: "dir",
      active: 1,
      enabled: 1,
      shared: 0,
      total: anyNumber,
    });
  });
});

describe("downloads", () => {
  const content = "/nodes/pve/storage/local/content";

  it("tells name, size and kind of a file at a URL, through redirects", async () => {
    const { body } = await node.ask("GET", "/nodes/pve/query-url-metadata", {
      url: `${base}/moved`,
      "verify-certificates": "1",
    });
    expect(body.data).toEqual({ filename: "os.tar.zst", size: 5, mimetype: "application/zstd" });
    const missing = await node.ask("GET", "/nodes/pve/query-url-metadata", { url: `${base}/missing` });
    expect([missing.status, missing.reason]).toEqual([500, "invalid server response: '404 Not Found'"]);
  });

  it("downloads as a task, lists the file, deletes it", async () => {
    const parameters = { content: "vztmpl", filename: "os.tar.zst", url: `${base}/os.tar.zst` };
    const start = await node.ask("POST", "/nodes/pve/storage/local/download-url", parameters);
    expect(start.body.data).toMatch(
      /^UPID:pve:[0-9A-F]{8}:[0-9A-F]{8}:[0-9A-F]{8}:download:os\.tar\.zst:phoenix@pve!lab:$/,
    );
    const { exitstatus, log } = await finished(start.body.data);
    expect([exitstatus, log.at(-1)]).toEqual(["OK", "TASK OK"]);
    const list = await node.ask("GET", content, { content: "vztmpl" });
    const file = {
      volid: "local:vztmpl/os.tar.zst",
      content: "vztmpl",
      format: "tzst",
      size: 5,
      ctime: anyNumber,
    };
    expect(list.body.data).toEqual([file]);
    const again = await node.ask("POST", "/nodes/pve/storage/local/download-url", parameters);
    expect(again.reason).toContain("refusing to override existing file");
    const remove = await node.ask("DELETE", `${content}/${encodeURIComponent("local:vztmpl/os.tar.zst")}`);
    expect((await finished(remove.body.data)).exitstatus).toBe("OK");
    expect((await node.ask("GET", content)).body.data).toEqual([]);
  });

  it("fails the task, and leaves nothing, when the checksum differs", async () => {
    const start = await node.ask("POST", "/nodes/pve/storage/local/download-url", {
      content: "vztmpl",
      filename: "os.tar.zst",
      url: `${base}/os.tar.zst`,
      checksum: "00",
      "checksum-algorithm": "sha256",
    });
    expect((await finished(start.body.data)).exitstatus).toMatch(/^checksum mismatch: got '5994471a/);
    expect((await node.ask("GET", content)).body.data).toEqual([]);
  });

  it("takes an upload", async () => {
    const form = new FormData();
    form.set("content", "iso");
    form.set("filename", new Blob(["an image"]), "a b.iso");
    const encoded = new Response(form);
    const response = await node.app.inject({
      method: "POST",
      url: "/api2/json/nodes/pve/storage/local/upload",
      headers: { ...asToken, "content-type": encoded.headers.get("content-type") ?? "" },
      payload: Buffer.from(await encoded.arrayBuffer()),
    });
    const { data } = response.json<{ data: string }>();
    expect((await finished(data)).exitstatus).toBe("OK");
    expect(readFileSync(join(node.root, "var/lib/vz/template/iso/a_b.iso"), "utf8")).toBe("an image");
  });
});

describe("the request log", () => {
  it("holds every request with its answer and no secret", () => {
    const text = readFileSync(join(node.root, "var/log/pve-lab/requests.jsonl"), "utf8");
    const lines = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { path: string; status: number; identity?: string });
    expect(lines.some(({ path, status }) => path === "/access/ticket" && status === 401)).toBe(true);
    expect(lines.some(({ path, identity }) => path === "/version" && identity === "phoenix@pve!lab")).toBe(
      true,
    );
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toContain("PVE:root@pam:");
  });
});

it("keeps nothing outside its root", () => {
  mkdirSync(join(node.root, "probe"));
  writeFileSync(join(node.root, "probe/x"), "");
  expect(existsSync("/etc/pve/storage.cfg")).toBe(false);
});
