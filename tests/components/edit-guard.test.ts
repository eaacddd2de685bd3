import { expect, test } from "vitest";
import { refusedBetween } from "../../components/edit-guard.ts";
import { refusedEdits, refusedSettings } from "../../model/index.ts";
import { runProgram } from "./harness.ts";

test("each step on a pool, a dataset or a guest's settings is looked at before it is given something else, in previews too", async () => {
  const resources = await runProgram({
    hypervisor: ["etc/phoenix_hypervisor_config.json", "etc/dev/hypervisor.json"],
    lxc: ["etc/phoenix_lxc_configs.json", "etc/dev/lxc.json"],
  });
  const steps = resources.filter(
    ({ type, name }) => type === "command:remote:Command" && /^(pool|dataset)-|-settings$/.test(name),
  );
  expect(steps.map(({ name }) => name).sort()).toEqual([
    "900-settings",
    "902-settings",
    "910-settings",
    "dataset-quickOS/lxc-disks",
    "dataset-quickOS/shared-iso",
    "pool-quickOS",
  ]);
  for (const { options } of steps) expect(options.hooks?.beforeUpdate).toHaveLength(1);
});

test("the two documents decide; what an older version wrote, or is secret, is left to the script", () => {
  const document = (disks: string[]): string =>
    JSON.stringify({ parameters: { vdevs: [{ class: "data", kind: "mirror", disks }] } });
  expect(refusedBetween(document(["/a", "/b"]), document(["/a"]), refusedEdits).join()).toContain(
    "would be taken out",
  );
  expect(refusedBetween(document(["/a", "/b"]), document(["/b", "/a"]), refusedEdits)).toEqual([]);
  const old = JSON.stringify({ parameters: { raidLevel: "mirror", disks: ["/a", "/b"] } });
  expect(refusedBetween(old, document(["/a"]), refusedEdits)).toEqual([]);
  expect(refusedBetween({ secret: true }, document(["/a"]), refusedEdits)).toEqual([]);
});

test("a root disk that shrinks and another id map are refused; growth and everything else is not", () => {
  const document = (rootfsGb: number, raw: string[][] = [], more: object = {}): string =>
    JSON.stringify({ parameters: { rootfsGb, raw, ...more } });
  const refused = (before: string, after: string) =>
    refusedBetween(before, after, refusedSettings).join("; ");
  const map = ["lxc.idmap", "u 0 100000 1000"];
  expect(refused(document(8), document(4))).toContain("Proxmox VE cannot shrink it");
  expect(refused(document(4), document(4, [map]))).toContain("its files would belong to nobody");
  expect(refused(document(4, [map]), document(4))).toContain("its files would belong to nobody");
  const other = ["lxc.mount.auto", "cgroup:rw"];
  expect(refused(document(4, [map]), document(8, [other, map], { features: {} }))).toBe("");
});
