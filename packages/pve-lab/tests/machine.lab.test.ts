import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** The lab for real: needs root and a machine that can run it. Every lab here has a state directory of its own. */
const main = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../src/main.ts");
const scratch = mkdtempSync("/var/tmp/phoenix-lab-test-");
const first = path.join(scratch, "first");
const second = path.join(scratch, "second");

interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function command(file: string, args: readonly string[]): Promise<Answer> {
  return new Promise((resolve) => {
    const child = execFile(file, [...args], { encoding: "utf8", maxBuffer: 1 << 26 }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 255;
      resolve({ code, out, err });
    });
    child.stdin?.end();
  });
}

const lab = (state: string, ...args: string[]): Promise<Answer> =>
  command(process.execPath, [main, "--state", state, ...args]);

async function facts(state: string): Promise<{
  name: string;
  endpoint: string;
  fingerprint: string;
  address: string;
  state: string;
  local: { endpoint: string };
}> {
  const answer = await lab(state, "status", "--json");
  return JSON.parse(answer.out) as Awaited<ReturnType<typeof facts>>;
}

const idOf = (state: string): string => readdirSync(path.join(state, "lxc"))[0] ?? "none";

/** Everything on the machine that carries the lab's name, its files, or its disks' inodes. */
function traces(container: string, state: string, inodes: readonly number[]): string[] {
  const short = container.replace("phoenix-lab-", "");
  const text = (file: string, args: string[]): string[] =>
    execFileSync(file, args, { encoding: "utf8" }).split("\n");
  const loops = text("losetup", ["--noheadings", "--list", "--output", "NAME,BACK-INO"]);
  return [
    ...text("ip", ["-o", "link"]),
    ...text("iptables-save", []),
    ...text("ps", ["-eo", "args"]).filter((line) => !line.includes(process.execPath)),
    ...text("cat", ["/proc/mounts"]),
    ...text("find", ["/sys/fs/cgroup", "-maxdepth", "2", "-name", "*phoenix-lab*"]),
  ]
    .filter((line) => line.includes(short) || line.includes(state))
    .concat(loops.filter((line) => inodes.some((inode) => line.trim().endsWith(` ${inode}`))));
}

const disksOf = (state: string): number[] =>
  readdirSync(path.join(state, "disks")).map((name) => statSync(path.join(state, "disks", name)).ino);

beforeAll(async () => {
  const [one, two] = await Promise.all([lab(first, "up"), lab(second, "up")]);
  expect(one.code, one.err).toBe(0);
  expect(two.code, two.err).toBe(0);
}, 600_000);

afterAll(async () => {
  for (const state of [first, second]) if (existsSync(state)) await lab(state, "down");
  rmSync(scratch, { recursive: true, force: true });
}, 120_000);

describe("two labs side by side", () => {
  it("have networks, names and disks of their own, and do not see each other", async () => {
    const [one, two] = [await facts(first), await facts(second)];
    expect(one.state).toBe("running");
    expect(two.state).toBe("running");
    expect(one.address).not.toBe(two.address);
    expect((await lab(first, "ssh", "touch", "/root/mine")).code).toBe(0);
    expect((await lab(second, "ssh", "test", "!", "-e", "/root/mine")).code).toBe(0);
    expect(await lab(first, "ssh", "hostname")).toMatchObject({ code: 0, out: "pve\n" });
  }, 60_000);

  it("write connection facts that only root reads, and the API answers with that certificate", async () => {
    expect(statSync(path.join(first, "node.json")).mode & 0o777).toBe(0o600);
    const { fingerprint, local } = await facts(first);
    expect(fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    const answer = await command("curl", [
      "-sk",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      `${local.endpoint}api2/json/version`,
    ]);
    expect(answer.out).toBe("401");
  }, 30_000);
});

describe("the node", () => {
  it("keeps the machine's modules, clock, sysctl and disks out of reach, and sync(2) does nothing", async () => {
    const script = [
      "grep CapBnd /proc/1/status",
      "echo 1 > /proc/sys/kernel/panic || echo sysctl-refused",
      "mknod /tmp/machine b $(lsblk -ndo MAJ:MIN $(ls /sys/block | grep -v -E 'loop|zram|ram' | head -n 1 | sed s,^,/dev/,) 2>/dev/null | tr : ' ') 2>/dev/null; head -c 1 /tmp/machine >/dev/null 2>&1 || echo disk-refused",
      "date -s 2001-01-01 >/dev/null 2>&1 || echo clock-refused",
      "perl -e 'print syscall(162) == 0 ? qq(sync-harmless\\n) : qq(sync-failed\\n)'",
    ].join("; ");
    const { out } = await lab(first, "ssh", script);
    const capabilities = BigInt(`0x${/CapBnd:\s+([0-9a-f]+)/.exec(out)?.[1] ?? "f".repeat(16)}`);
    expect(capabilities & (1n << 16n), "CAP_SYS_MODULE").toBe(0n);
    expect(capabilities & (1n << 25n), "CAP_SYS_TIME").toBe(0n);
    for (const word of ["sysctl-refused", "disk-refused", "clock-refused", "sync-harmless"])
      expect(out).toContain(word);
  }, 30_000);

  it("serves the OS template on its loopback, HEAD with its length", async () => {
    const url = "http://127.0.0.1:8099/template/debian-12-standard_12_amd64.tar.zst";
    const { out } = await lab(first, "ssh", `curl -sI ${url}; curl -s ${url} | wc -c`);
    const length = Number(/content-length: (\d+)/i.exec(out)?.[1]);
    expect(length).toBeGreaterThan(10_000_000);
    expect(out.trim().split("\n").at(-1)).toBe(String(length));
  }, 30_000);

  it("has blank disks, and says the truth about them once they are used; asked ZFS values are shown", async () => {
    const script = `
set -eu
one=/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_1 two=/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_2
echo "blank:$(blkid -p $one $two)$(wipefs $one $two)$(lsblk -ndo FSTYPE $one)"
zpool create -o ashift=12 -o autotrim=on -O compression=lz4 -O acltype=posixacl -O phoenix:stack=dev lab mirror $one $two
zfs create -o recordsize=1M -o sync=disabled lab/data
echo "used:$(lsblk -ndo FSTYPE $one)"
zfs get -H -o value,source compression,recordsize,sync,acltype,phoenix:stack lab/data
zfs list -Hpo name,recordsize,compression lab/data
zpool get -Ho value autotrim,ashift lab
zfs get -Ho property all lab | grep -c lab: || true
zpool create other $one 2>&1 || echo "refused"
zfs create -o nonsense=1 lab/x 2>&1 || echo "refused"
echo kept > /lab/data/file
zfs snapshot lab/data@now
`;
    const { out, err } = await lab(first, "ssh", script);
    expect(out.trim().split("\n"), err).toEqual([
      "blank:",
      "used:zfs_member",
      "lz4\tinherited from lab",
      "1M\tlocal",
      "disabled\tlocal",
      "posix\tinherited from lab",
      "dev\tinherited from lab",
      "lab/data\t1048576\tlz4",
      "on",
      "12",
      "0",
      "invalid vdev specification",
      "use '-f' to override the following errors:",
      "/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_1 is part of potentially active pool 'lab'",
      "refused",
      "cannot create 'lab/x': invalid property 'nonsense'",
      "refused",
    ]);
  }, 60_000);

  it("comes back after its processes were killed: `up` repairs it, pool and data included", async () => {
    const container = idOf(first);
    const pid = execFileSync("lxc-info", ["-P", path.join(first, "lxc"), "-n", container, "-pH"], {
      encoding: "utf8",
    }).trim();
    process.kill(Number(pid), "SIGKILL");
    await expect.poll(async () => (await facts(first)).state, { timeout: 15_000 }).toBe("stopped");
    const again = await lab(first, "up");
    expect(again.code, again.err).toBe(0);
    expect(await lab(first, "ssh", "cat", "/lab/data/file")).toMatchObject({ code: 0, out: "kept\n" });
    const twice = execFileSync("losetup", ["--noheadings", "--list", "--output", "BACK-INO"], {
      encoding: "utf8",
    });
    for (const inode of disksOf(first)) {
      expect(twice.split("\n").filter((line) => line.trim() === String(inode))).toHaveLength(1);
    }
  }, 90_000);

  it("keeps what its owner configured when `up` refreshes it, and says the version that it was told", async () => {
    const change =
      "echo '10.9.9.9 added' >> /etc/hosts; printf 'auto dummy7\\n' >> /etc/network/interfaces; pveversion";
    expect((await lab(first, "ssh", change)).out).toMatch(/^pve-manager\/8\./);
    const again = await lab(first, "up", "--pve", "9");
    expect(again.code, again.err).toBe(0);
    const { out } = await lab(first, "ssh", "tail -n 1 /etc/hosts /etc/network/interfaces; pveversion");
    expect(out).toMatch(/10\.9\.9\.9 added[^]*auto dummy7[^]*^pve-manager\/9\./m);
  }, 60_000);

  it("is fresh again after `reset`, in seconds, with the same address and key", async () => {
    const before = await facts(first);
    const started = Date.now();
    const answer = await lab(first, "reset");
    expect(answer.code, answer.err).toBe(0);
    expect(Date.now() - started).toBeLessThan(30_000);
    expect((await facts(first)).address).toBe(before.address);
    const { out } = await lab(
      first,
      "ssh",
      "zpool list; blkid -p /dev/disk/by-id/*; test -e /root/mine && echo mine; true",
    );
    expect(out).toBe("no pools available\n");
  }, 90_000);
});

describe("prerequisites", () => {
  it("a taken port is one line that names the holder, and nothing is changed", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const third = path.join(scratch, "third");
    const answer = await lab(third, "up", "--port", String(port));
    await new Promise((resolve) => server.close(resolve));
    expect(answer.code).toBe(1);
    expect(answer.err.trim().split("\n")).toHaveLength(1);
    expect(answer.err).toContain(`port ${port} on 127.0.0.1 (API) is taken by`);
    expect(answer.err).toContain(`process ${process.pid}`);
    expect(answer.err).toContain("--port");
    expect(existsSync(third)).toBe(false);
  }, 30_000);

  it("without root it is one line, and nothing is changed", async () => {
    const third = path.join(scratch, "third");
    const args = ["--user", "--map-user=1000", process.execPath, main, "--state", third, "up"];
    const answer = await command("unshare", args);
    expect(answer.code).toBe(1);
    expect(answer.err.trim().split("\n")).toHaveLength(1);
    expect(answer.err).toContain("needs root");
    expect(existsSync(third)).toBe(false);
  }, 30_000);
});

describe("down", () => {
  it("leaves nothing of the lab on the machine, and the other one alone", async () => {
    const container = idOf(first);
    const inodes = disksOf(first);
    expect(traces(container, first, inodes).length).toBeGreaterThan(5);
    // In the middle of a reboot the node has no init for a moment, and yet is not stopped.
    expect((await lab(first, "ssh", "systemctl --no-block reboot")).code).toBe(0);
    const answer = await lab(first, "down");
    expect(answer.code, answer.err).toBe(0);
    expect(traces(container, first, inodes)).toEqual([]);
    expect(existsSync(first)).toBe(false);
    expect(await lab(second, "ssh", "hostname")).toMatchObject({ code: 0, out: "pve\n" });
    expect((await lab(first, "down")).code).toBe(0);
  }, 90_000);
});
