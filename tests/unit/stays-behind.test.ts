import { expect, test } from "vitest";
import { staysBehind } from "../../model/index.ts";
import { build, modelOf, set, small } from "./sources.ts";

test("what nothing allows to be destroyed, and what others may need, is listed", () => {
  const { hypervisor, lxc } = small();
  expect(staysBehind(modelOf(build(hypervisor, lxc)))).toEqual([
    "pool tank, with all that is in it",
    "dataset tank/lxc, with its data",
    "dataset tank/iso, with its data",
  ]);
  set(hypervisor, ["zfs", "pools", "0", "allow"], ["destroy"]);
  set(hypervisor, ["zfs", "datasets", "0", "allow"], ["destroy"]);
  set(hypervisor, ["zfs", "datasets", "1", "existing"], true);
  hypervisor["users"] = { username: "me" };
  hypervisor["base"] = {
    packages: ["tree"],
    time_servers: ["time.example.org"],
    upgrade: "2026-11",
    repositories: { own: { uris: ["http://example.com"], suites: ["x"], key: { path: "/etc/k" } } },
  };
  expect(staysBehind(modelOf(build(hypervisor, lxc)))).toEqual([
    "packages: chrony, tree",
    "what the upgrade 2026-11 brought",
    "packages from the repositories own; a file of theirs that was edited by hand, too",
    "user me, with its files, without the rights given here",
  ]);
});

test("volumes are listed with their datasets, unless they may go; a shared folder always stays", () => {
  const { hypervisor, lxc } = small();
  const pool = { pool: "tank", size_gb: 1 };
  hypervisor["shared_volumes"] = { certs: { host_path: "/tank/lxc/certs", mounts: { "910": "/certs" } } };
  hypervisor["shared_zfs_volumes"] = {
    models: { ...pool, mounts: { "910": "/models" } },
    cache: { ...pool, mounts: { "910": "/cache" }, allow: ["destroy"] },
  };
  set(
    lxc,
    ["lxc_configs", "910", "volumes"],
    [
      { name: "data", pool: "tank-lxc", size_gb: 1, mount_point: "/data" },
      { name: "scratch", pool: "tank-lxc", size_gb: 1, mount_point: "/scratch", allow: ["destroy"] },
    ],
  );
  expect(staysBehind(modelOf(build(hypervisor, lxc))).slice(3)).toEqual([
    "volume data of container 910 (tank/lxc/volume-910-data), with its data",
    "shared folder certs (/tank/lxc/certs), with its data",
    "shared dataset models (/tank/shared-models), with its data",
  ]);
});
