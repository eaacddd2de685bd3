import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
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

/** What a lab could leave on this machine; without counters and clocks. */
async function machine(): Promise<string[]> {
  const script = [
    "ip -o link | sed 's/^[0-9]*: //; s/@if[0-9]*//'",
    "ip route",
    "ip netns",
    "iptables-save | grep -v '^#' | sed 's/\\[[0-9:]*\\]//'",
    "cut -d' ' -f5 /proc/self/mountinfo | sort",
    "losetup -l -n -O BACK-FILE | sort",
    "sysctl -n net.ipv4.ip_forward",
    "ps -eo args | grep -E 'phoenix-lab|zfs-fuse|pve-lab|ssh-agent' | grep -v grep | sort",
  ].join("\n");
  return (await second.shell(script)).stdout.split("\n");
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
  const before = await machine();
  const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", second.path("bin/phoenix"), "try"];
  const line = refused(await second.run("setpriv", nobody));
  expect(line).toMatch(/root.*sudo/);
  expect(existsSync(second.path(".phoenix"))).toBe(false);
  expect(await machine()).toEqual(before);
});

test("a taken port is named in one line with what to do, before anything is changed", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const before = await machine();
    const line = refused(await second.phoenix("try", "--port", String(port)));
    expect(line).toContain(String(port));
    expect(line).toContain("--port");
    expect(await machine()).toEqual(before);
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
  const before = await machine();
  const up = await second.phoenix("lab", "up");
  expect(up.code).toBe(0);
  const facts = async (checkout: Checkout) =>
    JSON.parse((await checkout.phoenix("lab", "status", "--json")).stdout) as {
      address: string;
      state: string;
    };
  const [one, two] = [await facts(first), await facts(second)];
  expect(two.state).toBe("running");
  expect(one.state).toBe("running");
  expect(one.address).not.toBe(two.address);
  expect((await second.node("pct list")).trim().split("\n").slice(1)).toEqual([]);
  expect(await first.node("pct list")).toContain("910");
  expect((await second.phoenix("lab", "down")).code).toBe(0);
  expect(await machine()).toEqual(before);
  expect(existsSync(second.path(".phoenix/lab"))).toBe(false);
  expect(await second.gitStatus()).toBe("");
});
