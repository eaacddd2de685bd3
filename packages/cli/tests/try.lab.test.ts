import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../src/lib/checkout.ts";
import { capture } from "../src/lib/process.ts";

test("try names each missing prerequisite with its remedy, a line each, and begins nothing", async () => {
  const room = mkdtempSync("/var/tmp/phoenix-try-");
  onTestFinished(() => rmSync(room, { recursive: true, force: true }));
  const script = [
    "set -e",
    'mkdir "$ROOM/dev"; mount -t tmpfs none "$ROOM/dev"',
    'for one in null zero urandom; do touch "$ROOM/dev/$one"; mount --bind "/dev/$one" "$ROOM/dev/$one"; done',
    'mount --rbind "$ROOM/dev" /dev',
    "exec bin/phoenix try --port 80",
  ].join("\n");
  const env = { ...process.env, ROOM: room, PHOENIX_LAB_STATE: join(room, "lab") };
  const args = ["--mount", "--propagation", "private", "bash", "-c", script];
  const { code, stdout, stderr } = await capture("unshare", args, { cwd: root, env });
  expect(code).toBe(1);
  expect(stdout).toBe("");
  const lines = stderr.trim().split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/^phoenix: 80 is no usable port: choose --port between/);
  expect(
    lines.slice(1).map((line) => /^phoenix: (\S+) is missing: .*: load the kernel's modules/.exec(line)?.[1]),
  ).toEqual(["/dev/fuse", "/dev/net/tun", "/dev/loop-control"]);
  expect(existsSync(join(room, "lab"))).toBe(false);
});
