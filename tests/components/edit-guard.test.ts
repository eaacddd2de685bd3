import { expect, test } from "vitest";
import { refusedBetween } from "../../components/hypervisor/edit-guard.ts";
import { runProgram } from "./harness.ts";

test("each pool's and dataset's step is looked at before it is given something else, in previews too", async () => {
  const resources = await runProgram({
    hypervisor: ["etc/phoenix_hypervisor_config.json", "etc/dev/hypervisor.json"],
    lxc: ["etc/phoenix_lxc_configs.json", "etc/dev/lxc.json"],
  });
  const steps = resources.filter(
    ({ type, name }) => type === "command:remote:Command" && /^(pool|dataset)-/.test(name),
  );
  expect(steps.map(({ name }) => name).sort()).toEqual([
    "dataset-quickOS/lxc-disks",
    "dataset-quickOS/shared-iso",
    "pool-quickOS",
  ]);
  for (const { options } of steps) expect(options.hooks?.beforeUpdate).toHaveLength(1);
});

test("the two documents decide; what an older version wrote, or is secret, is left to the script", () => {
  const document = (disks: string[]): string =>
    JSON.stringify({ parameters: { vdevs: [{ class: "data", kind: "mirror", disks }] } });
  expect(refusedBetween(document(["/a", "/b"]), document(["/a"])).join()).toContain("would be taken out");
  expect(refusedBetween(document(["/a", "/b"]), document(["/b", "/a"]))).toEqual([]);
  const old = JSON.stringify({ parameters: { raidLevel: "mirror", disks: ["/a", "/b"] } });
  expect(refusedBetween(old, document(["/a"]))).toEqual([]);
  expect(refusedBetween({ secret: true }, document(["/a"]))).toEqual([]);
});
