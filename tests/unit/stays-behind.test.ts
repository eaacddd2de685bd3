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
