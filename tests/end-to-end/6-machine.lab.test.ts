import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { Checkout } from "./checkout.ts";

const first = new Checkout(inject("room"));
let room = "";
let second = first;

beforeAll(() => {
  room = mkdtempSync("/var/tmp/phoenix-e2e-");
  second = Checkout.make(room);
});

afterAll(async () => {
  await second.phoenix("lab", "down");
  rmSync(room, { recursive: true, force: true });
});

/** What of the second checkout's lab is on this machine; other labs may come and go meanwhile. */
async function traces(): Promise<string[]> {
  const id = createHash("sha256").update(realpathSync(second.directory)).digest("hex").slice(0, 8);
  const script = [
    'id=$1; find=(grep -F -e "$id" -e "$2")',
    '{ ip -o link; ip route; ip netns; iptables-save; } | "${find[@]}"',
    '"${find[@]}" /proc/self/mountinfo',
    'ls /run/lock /var/lib/lxc /run/netns 2>/dev/null | "${find[@]}"',
    // Programs in the node carry its name in their control group only.
    'for file in /proc/[0-9]*/cgroup; do grep -qF "$id" "$file" 2>/dev/null && echo "process ${file%/cgroup}"; done',
    "ps -eo args | grep -E 'lxc|ssh-agent|pve-lab' | grep -v grep | \"${find[@]}\"",
    "find \"$2/.phoenix\" -name '*.img' 2>/dev/null",
    "true",
  ].join("\n");
  const { stdout } = await second.shell(script, id, second.directory);
  return stdout.split("\n").filter((line) => line !== "");
}

/** The one line that says what is missing, and nothing brought or made. */
function refused({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }): string {
  expect(code).not.toBe(0);
  expect(stdout).toBe("");
  const lines = stderr.trim().split("\n");
  expect(lines).toHaveLength(1);
  expect(existsSync(second.path(".phoenix/lab"))).toBe(false);
  expect(existsSync(second.path(".phoenix/pulumi-home"))).toBe(false);
  return lines[0] ?? "";
}

test("without root, try says so in one line and changes nothing", async () => {
  chmodSync(room, 0o755);
  const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", second.path("bin/phoenix"), "try"];
  const line = refused(await second.run("setpriv", nobody));
  expect(line).toMatch(/root.*sudo/);
  expect(existsSync(second.path(".phoenix"))).toBe(false);
  expect(await traces()).toEqual([]);
});

test("a taken port is named in one line with what to do, before anything is changed", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const line = refused(await second.phoenix("try", "--port", String(port)));
    expect(line).toContain(String(port));
    expect(line).toContain("--port");
    expect(await traces()).toEqual([]);
  } finally {
    server.close();
  }
});

test("the verbs never start a lab or make a stack", async () => {
  for (const verb of ["preview", "up", "refresh", "destroy"]) {
    const { code, stderr } = await second.phoenix(verb);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/bin\/phoenix try|pulumi stack select/);
  }
  expect(existsSync(second.path(".phoenix/lab"))).toBe(false);
});

test("two labs run side by side, and lab down leaves nothing of its own behind", async () => {
  const up = await second.phoenix("lab", "up");
  expect(up.code).toBe(0);
  const facts = async (checkout: Checkout) =>
    JSON.parse((await checkout.phoenix("lab", "status", "--json")).stdout) as {
      address: string;
      state: string;
    };
  const [one, two] = [await facts(first), await facts(second)];
  expect(two.state).toBe("running");
  const kinds = (await traces()).join("\n");
  for (const kind of [/: phx/, /SNAT|MASQUERADE|DNAT|ACCEPT/, /process \/proc/, /\.img$/m])
    expect(kinds).toMatch(kind);
  expect(one.state).toBe("running");
  expect(one.address).not.toBe(two.address);
  expect((await second.node("pct list")).trim().split("\n").slice(1)).toEqual([]);
  expect(await first.node("pct list")).toContain("910");
  expect((await second.phoenix("lab", "down")).code).toBe(0);
  expect(await traces()).toEqual([]);
  expect(existsSync(second.path(".phoenix/lab"))).toBe(false);
  expect(await second.gitStatus()).toBe("");
});
