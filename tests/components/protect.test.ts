import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runProgram } from "./harness.ts";

const room = mkdtempSync(join(tmpdir(), "phoenix-protect-"));
afterAll(() => rmSync(room, { recursive: true }));

function overlay(name: string, content: object): string {
  writeFileSync(join(room, name), JSON.stringify(content));
  return join(room, name);
}

const hypervisor = ["etc/phoenix_hypervisor_config.json", "etc/dev/hypervisor.json"];
const lxc = ["etc/phoenix_lxc_configs.json", "etc/dev/lxc.json"];

/** What the engine is told to keep; the SDK hands it on from a component to what is in it. */
async function kept(more: { hypervisor: string[]; lxc: string[] }): Promise<string[]> {
  const registered = await runProgram({
    hypervisor: [...hypervisor, ...more.hypervisor],
    lxc: [...lxc, ...more.lxc],
  });
  return registered
    .filter(({ options }) => options.protect)
    .map(({ type, name }) => `${type} ${name}`)
    .sort();
}

test("nothing is protected that does not say so", async () => {
  expect(await kept({ hypervisor: [], lxc: [] })).toEqual([]);
});

test("`protect` keeps the guest, the volume, the pool and the dataset that say so, and nothing else", async () => {
  const { zfs } = JSON.parse(readFileSync("etc/dev/hypervisor.json", "utf8")) as {
    zfs: { pools: object[]; datasets: object[] };
  };
  const pool = { name: "tank", raid_level: "single", disks: ["/dev/disk/by-id/ata-A"], protect: true };
  const datasets = [
    { name: "kept", pool: "tank", mountpoint: "/kept", protect: true },
    { name: "other", pool: "tank", mountpoint: "/other" },
  ];
  const host = { zfs: { pools: [...zfs.pools, pool], datasets: [...zfs.datasets, ...datasets] } };
  const volumes = ["data", "rest"].map((name) => ({
    ...{ name, pool: "quickOS-lxc-disks", size_gb: 1, mount_point: `/${name}` },
    protect: name === "data",
  }));
  const found = await kept({
    hypervisor: [overlay("hypervisor.json", host)],
    lxc: [overlay("lxc.json", { lxc_configs: { "910": { protect: true, volumes } } })],
  });
  expect(found).toEqual([
    "phoenix:Feature dataset-tank/kept",
    "phoenix:Feature pool-tank",
    "phoenix:Feature volume-910/data",
    "proxmoxve:index/containerLegacy:ContainerLegacy 910",
  ]);
});
