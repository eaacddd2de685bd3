import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, expect, test } from "vitest";
import { type Registered, runProgram } from "./harness.ts";

const room = mkdtempSync(join(tmpdir(), "phoenix-survey-"));
afterAll(() => rmSync(room, { recursive: true }));

const image = join(room, "image.tar.gz");
writeFileSync(image, "an image");
const sha256 = createHash("sha256").update("an image").digest("hex");

const files = (overlay: object) => {
  const path = join(room, "overlay.json");
  writeFileSync(path, JSON.stringify(overlay));
  return {
    hypervisor: ["etc/phoenix_hypervisor_config.json", "etc/dev/hypervisor.json", path],
    lxc: ["etc/phoenix_lxc_configs.json", "etc/dev/lxc.json"],
  };
};
const storages = [
  { storage: "local", type: "dir", content: "iso,vztmpl,backup" },
  { storage: "fast", type: "lvmthin", content: "images,rootdir" },
];
const existing = (id: string, type: string, content: string[]) => ({ id, type, content, existing: true });
const upload = (value: string, file = image) => ({
  name: "own",
  storage: "quickOS-shared-iso",
  file,
  checksum: { algorithm: "sha256", value },
});

const debian = { name: "debian-12", storage: "quickOS-shared-iso", url: "http://127.0.0.1/d.tar.zst" };

async function refusal(overlay: object, more: (path: string) => unknown = () => undefined): Promise<string> {
  const registered: Registered[] = [];
  const node = (path: string) => more(path) ?? (path === "/storage" ? storages : undefined);
  const error = await runProgram({ ...files(overlay), node }, registered).catch((reason: unknown) => reason);
  expect(pulumi.RunError.isInstance(error), String(error)).toBe(true);
  expect(registered.filter(({ type }) => !type.startsWith("pulumi:"))).toEqual([]);
  return (error as pulumi.RunError).message;
}

test.each([
  [
    "a storage that is not there",
    existing("slow", "dir", ["iso"]),
    /'slow' is declared existing.*it shows: local, fast/,
  ],
  [
    "another type",
    existing("fast", "zfspool", ["rootdir"]),
    /'fast' is of type lvmthin, declared as zfspool/,
  ],
  [
    "another content",
    existing("local", "dir", ["iso", "rootdir"]),
    /'local' cannot hold rootdir: .*pvesm set local --content iso,vztmpl,backup,rootdir/,
  ],
])("%s is said before anything is registered", async (_, storage, message) => {
  expect(await refusal({ storages: [storage] })).toMatch(message);
});

test("F1: an existing storage that is as declared is used, and not one of its keys is registered", async () => {
  const node = (path: string) => (path === "/storage" ? storages : undefined);
  const overlay = files({ storages: [existing("local", "dir", ["iso"])] });
  const registered = await runProgram({ ...overlay, node });
  expect(registered.filter(({ name }) => name === "local").map(({ type }) => type)).toEqual([
    "phoenix:hypervisor:Storage",
  ]);
});

test("a host name that is not the node's, and files that are gone or others, are all said at once", async () => {
  const message = await refusal({
    network: { hostname: "phoenix" },
    os_templates: [
      debian,
      upload("0".repeat(64)),
      { ...upload(sha256, join(room, "gone.tar.gz")), name: "gone" },
    ],
  });
  expect(message).toMatch(/pulumi config set phoenix:node phoenix/);
  expect(message).toMatch(new RegExp(`has the SHA-256 ${sha256}, not 0{64}`));
  expect(message).toMatch(/'gone' cannot be read/);
});

test.each(["7.4-3", "10.0.1", "89.1"])(
  "Proxmox VE %s is refused before anything is registered",
  async (version) => {
    const message = await refusal({}, (path) => (path === "/version" ? { version } : undefined));
    expect(message).toContain(`the node is Proxmox VE ${version}; Phoenix knows 8 and 9`);
  },
);

test.each(["8.4.1", "9.1.1"])("Proxmox VE %s is known", async (version) => {
  await runProgram({ ...files({}), node: (path) => (path === "/version" ? { version } : undefined) });
});

test("an image that is declared existing is looked for", async () => {
  const there = { ...debian, storage: "local", existing: true };
  const overlay = { storages: [existing("local", "dir", ["iso", "vztmpl"])], os_templates: [there] };
  const shows = (volid: string) => (path: string) =>
    path === "/nodes/pve/storage/local/content?content=vztmpl" ? [{ volid }] : undefined;
  expect(await refusal(overlay, shows("local:vztmpl/other.tar.zst"))).toMatch(
    /'debian-12' is declared existing, and the node shows no local:vztmpl\/d\.tar\.zst \(it shows: local:vztmpl\/other\.tar\.zst\)/,
  );
  const node = (path: string) => (path === "/storage" ? storages : shows("local:vztmpl/d.tar.zst")(path));
  const registered = await runProgram({ ...files(overlay), node });
  expect(registered.filter(({ type }) => /File/.test(type))).toEqual([]);
});

test("a node that does not answer ends the run in one plain word, with nothing registered", async () => {
  const node = (path: string) =>
    path === "/version"
      ? Promise.reject(new Error("https://192.0.2.1:8006: connect ECONNREFUSED"))
      : undefined;
  const registered: Registered[] = [];
  const error = await runProgram({ ...files({}), node }, registered).catch((reason: unknown) => reason);
  expect(pulumi.RunError.isInstance(error), String(error)).toBe(true);
  expect((error as pulumi.RunError).message).toMatch(/cannot be asked for its version.*\n.*ECONNREFUSED/);
  expect(registered.filter(({ type }) => !type.startsWith("pulumi:"))).toEqual([]);
});
