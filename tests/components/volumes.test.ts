import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { known, runProgram } from "./harness.ts";

const room = mkdtempSync(join(tmpdir(), "phoenix-volumes-"));
afterAll(() => rmSync(room, { recursive: true }));

test("a guest depends on its volumes, so that it goes before them, and is given their datasets to look at", async () => {
  const volumes = [{ name: "data", pool: "quickOS-lxc-disks", size_gb: 1, mount_point: "/data" }];
  const overlay = join(room, "lxc.json");
  writeFileSync(overlay, JSON.stringify({ lxc_configs: { "910": { volumes } } }));
  const registered = await runProgram({
    hypervisor: ["etc/phoenix_hypervisor_config.json", "etc/dev/hypervisor.json"],
    lxc: ["etc/phoenix_lxc_configs.json", "etc/dev/lxc.json", overlay],
  });
  const find = (type: string, name: string) =>
    registered.find((one) => one.type.endsWith(type) && one.name === name);
  const before = [find(":ContainerLegacy", "910")?.options.dependsOn].flat();
  expect(before.map((one) => (one as { __name?: string }).__name)).toEqual(["910/data"]);
  const { stdin } = (await known(find(":Command", "910-settings")?.inputs ?? {})) as { stdin?: string };
  expect(JSON.parse(stdin ?? "{}")).toMatchObject({
    parameters: {
      mounts: [
        {
          source: "/quickOS/lxc-disks/volume-910-data",
          dataset: "quickOS/lxc-disks/volume-910-data",
          path: "/data",
        },
      ],
    },
  });
});
