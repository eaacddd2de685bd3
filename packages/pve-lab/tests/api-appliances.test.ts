/** The index of OS templates: what the lab itself offers, and its download by name. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { applianceRoutes } from "../src/api/routes/appliances.ts";
import { taskRoutes } from "../src/api/routes/tasks.ts";
import { waitForTask } from "../src/core/tasks.ts";
import { makeNode, type TestNode } from "./api-node.ts";

const NAME = "debian-12-standard_12_amd64.tar.zst";
const BYTES = "a template";
const INDEX = "/nodes/pve/aplinfo";
let node: TestNode;
let files: Server;

beforeAll(async () => {
  node = await makeNode([...applianceRoutes, ...taskRoutes]);
  const folder = join(node.root, "usr/share/pve-lab/template");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, NAME), BYTES);
  writeFileSync(join(folder, "notes.txt"), "");
  const storages = `dir: local\n\tpath ${node.root}/local\n\tcontent vztmpl\n\ndir: pictures\n\tpath ${node.root}/p\n\tcontent iso\n`;
  writeFileSync(join(node.root, "etc/pve/storage.cfg"), storages);
  files = createServer((request, response) => {
    const found = request.url === `/template/${NAME}`;
    response.writeHead(found ? 200 : 404).end(found ? BYTES : "");
  });
  await new Promise<void>((resolve) => files.listen(0, "127.0.0.1", resolve));
  process.env["PVE_LAB_TEMPLATE_URL"] = `http://127.0.0.1:${(files.address() as AddressInfo).port}/template`;
});

afterAll(async () => {
  delete process.env["PVE_LAB_TEMPLATE_URL"];
  files.close();
  await node.close();
});

it("lists what the lab was built with, with address and checksum", async () => {
  const { body } = await node.ask("GET", INDEX);
  expect(body.data).toEqual([
    expect.objectContaining({
      template: NAME,
      package: "debian-12-standard",
      os: "debian-12",
      version: "12",
      architecture: "amd64",
      type: "lxc",
      section: "system",
      location: `${process.env["PVE_LAB_TEMPLATE_URL"] ?? ""}/${NAME}`,
      sha512sum: createHash("sha512").update(BYTES).digest("hex"),
    }),
  ]);
});

it("brings one to a storage, by a task", async () => {
  const { status, body } = await node.ask("POST", INDEX, { storage: "local", template: NAME });
  expect([status, body.data]).toEqual([200, expect.stringMatching(`:download:${NAME}:`)]);
  await waitForTask(String(body.data));
  const task = await node.ask("GET", `/nodes/pve/tasks/${String(body.data)}/status`);
  expect(task.body.data).toMatchObject({ exitstatus: "OK" });
  expect(readFileSync(join(node.root, "local/template/cache", NAME), "utf8")).toBe(BYTES);
});

it("refuses before any task what cannot be", async () => {
  const unknown = await node.ask("POST", INDEX, { storage: "local", template: "none.tar.zst" });
  expect([unknown.status, unknown.body.errors]).toEqual([400, { template: "no such template" }]);
  const pictures = await node.ask("POST", INDEX, { storage: "pictures", template: NAME });
  expect([pictures.status, pictures.reason]).toEqual([500, "storage 'pictures' does not support templates"]);
});
