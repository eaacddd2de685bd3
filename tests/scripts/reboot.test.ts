import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Bench, root } from "./run-script.ts";
import type { Outcome } from "./run-script.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

const document = JSON.stringify({ stack: "dev", parameters: {} });

/** A script of a person's own, over the library. */
function script(name: string, apply: string): (verb: string, input?: string) => Outcome {
  const path = join(bench.folder, name);
  writeFileSync(
    path,
    `#!/usr/bin/env bash\nset -Eeuo pipefail\nsource '${root}/bin/lib/phoenix_common.sh'\n` +
      `do_check() { :; }\ndo_apply() { ${apply}; }\ndo_remove() { note removed; }\nphoenix_main host "$@"\n`,
  );
  chmodSync(path, 0o755);
  return (verb, input = document) => bench.shell(path, [verb], input);
}

test("F6: a reboot in mid-run stops the run: nothing behind it starts, and the next run goes on", () => {
  const flag = join(bench.folder, "rebooted");
  const driver = script(
    "driver.sh",
    `[[ -e '${flag}' ]] || stop_for_reboot "kernel B is installed, A is running"`,
  );
  const behind = script("behind.sh", "note begun");
  expect(behind("apply")).toMatchObject({ code: 0, stderr: "begun\n" });

  const stopped = driver("apply");
  expect(stopped.code).toBe(26);
  expect(stopped.stderr).toContain("kernel B is installed, A is running: reboot the node");
  const refused = behind("apply");
  expect(refused.code).toBe(26);
  expect(refused.stderr).toContain("kernel B is installed, A is running (said by driver.sh)");
  expect(refused.stderr).not.toContain("begun\n");
  expect(driver("apply").code).toBe(26);

  // Looking and undoing do not wait; another stack on the node has nothing to do with it.
  expect(behind("check").code).toBe(0);
  expect(behind("remove").code).toBe(0);
  expect(behind("apply", JSON.stringify({ stack: "other", parameters: {} })).code).toBe(0);

  writeFileSync(flag, "");
  expect(driver("apply").code).toBe(0);
  expect(behind("apply")).toMatchObject({ code: 0, stderr: "begun\n" });
});

test("F6: a reboot clears the way by itself", () => {
  const driver = script("driver.sh", "stop_for_reboot why");
  const behind = script("behind.sh", "note begun");
  expect(driver("apply").code).toBe(26);
  expect(behind("apply").code).toBe(26);
  rmSync(join(bench.folder, "phoenix-dev.reboot")); // on the node it lies in /run/lock, which no reboot outlives
  expect(behind("apply").code).toBe(0);
});
