/** The daemon as systemd starts and stops it: a worker goes on when the daemon is told to end. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { taskLogPath } from "../src/core/tasks.ts";
import { parseUpid } from "../src/core/upid.ts";

const MAIN = fileURLToPath(new URL("../src/api/main.ts", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "pve-lab-restart-"));
const socketPath = join(root, "run/pve-lab.sock");
const patience = { timeout: 60_000, interval: 50 };
let daemon: ChildProcess;
let slow: Server;
/** The download's answer, which the test ends when it likes. */
let pending: ServerResponse | undefined;

beforeAll(async () => {
  mkdirSync(join(root, "etc/pve-lab"), { recursive: true });
  mkdirSync(join(root, "etc/pve"), { recursive: true });
  writeFileSync(
    join(root, "etc/pve-lab/bootstrap.json"),
    JSON.stringify({ rootPassword: "a password", token: { id: "", secret: "" } }),
  );
  writeFileSync(join(root, "etc/pve/storage.cfg"), `dir: local\n\tpath ${root}/local\n\tcontent iso\n`);
  slow = createServer((_request, response) => {
    response.writeHead(200, { "content-length": "8" }).write("half");
    pending = response;
  });
  await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
  const env = { ...process.env, PVE_LAB_ROOT: root, PVE_LAB_NODE: "pve", PVE_LAB_PORT: "0" };
  daemon = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "ignore", "inherit"] });
  await vi.waitUntil(() => existsSync(socketPath), patience);
}, 90_000);

afterAll(() => {
  daemon.kill("SIGKILL");
  slow.closeAllConnections();
  slow.close();
  rmSync(root, { recursive: true, force: true });
});

/** One call as root over the local socket. */
function ask(method: string, path: string, body = ""): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = body === "" ? {} : { "content-length": Buffer.byteLength(body) };
    const call = request({ socketPath, method, path: `/api2/json${path}`, headers }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
      answer.on("end", () => resolve((JSON.parse(text) as { data: unknown }).data));
    });
    call.on("error", reject);
    call.end(body);
  });
}

it("ends when its last worker has", async () => {
  const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}/a.iso`;
  const form = new URLSearchParams({ content: "iso", filename: "a.iso", url });
  const upid = await ask("POST", "/nodes/pve/storage/local/download-url", form.toString());
  await vi.waitUntil(() => pending !== undefined, patience);
  const ended = new Promise<number | null>((resolve) => daemon.once("exit", resolve));
  daemon.kill("SIGTERM");
  // It lets nobody in any more.
  await vi.waitUntil(
    () =>
      ask("GET", "/version").then(
        () => false,
        () => true,
      ),
    patience,
  );
  expect(daemon.exitCode).toBeNull();
  pending?.end("half");
  expect(await ended).toBe(0);
  expect(readFileSync(join(root, "local/template/iso/a.iso"), "utf8")).toBe("halfhalf");
  const task = parseUpid(String(upid));
  if (!task) throw new Error(`no UPID: ${String(upid)}`);
  process.env["PVE_LAB_ROOT"] = root;
  expect(readFileSync(taskLogPath(task), "utf8")).toMatch(/\nTASK OK\n$/);
}, 120_000);
