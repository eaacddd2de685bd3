/** Guests on a node of their own: they run, are cloned, changed, brought back and destroyed by the node's commands. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const state = mkdtempSync(join(tmpdir(), "pve-lab-guests-"));
const TEMPLATE = "files:vztmpl/debian-12-standard_12_amd64.tar.zst";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function lab(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, "--state", state, ...args],
      { maxBuffer: 1 << 26 },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? 255) : 0, stdout, stderr }),
    );
  });
}

/** One command line in the node. */
function node(line: string): Promise<Outcome> {
  return lab("ssh", line);
}

/** The same, which must succeed; its trimmed output. */
async function good(line: string): Promise<string> {
  const { code, stdout, stderr } = await node(line);
  expect(`${code} ${stderr}`, line).toMatch(/^0 /);
  return stdout.trim();
}

async function refused(line: string): Promise<string> {
  const { code, stderr } = await node(line);
  expect(code, line).toBe(255);
  return stderr.trim();
}

async function option(vmid: number, key: string): Promise<string | undefined> {
  return new RegExp(`^${key}: (.*)$`, "m").exec(await good(`pct config ${vmid}`))?.[1];
}

/** Loop devices are the machine's: those of other labs show here, too. */
let othersLoops: string[] = [];

beforeAll(async () => {
  const up = await lab("up");
  expect(up.code, up.stdout + up.stderr).toBe(0);
  othersLoops = (await good("losetup -a")).split("\n");
  await good(
    [
      "zpool create tank mirror /dev/disk/by-id/scsi-PHOENIX_LAB_DISK_1 /dev/disk/by-id/scsi-PHOENIX_LAB_DISK_2",
      "zfs create tank/lxc && zfs create tank/files",
      "pvesm add zfspool store --pool tank/lxc --content rootdir",
      "pvesm add dir files --path /tank/files --content vztmpl,iso,rootdir,images --shared 0",
      `pveam download files ${TEMPLATE.split("/")[1] ?? ""}`,
    ].join(" && "),
  );
}, 240_000);

afterAll(async () => {
  const down = await lab("down");
  expect(down.code, down.stderr).toBe(0);
  rmSync(state, { recursive: true, force: true });
}, 120_000);

describe("the way of our program", () => {
  test("a container from the OS template runs, unprivileged, with its address", async () => {
    await good(
      `pct create 900 ${TEMPLATE} --hostname base --memory 512 --rootfs store:2 --unprivileged 1 --ostype debian ` +
        "--net0 name=eth0,bridge=vmbr0,ip=10.0.0.100/24,gw=10.0.0.13 --features nesting=1",
    );
    await good("pct start 900");
    expect(await good("pct status 900")).toBe("status: running");
    expect(await good("pct exec 900 -- systemctl is-system-running --wait")).toBe("running");
    expect(await good("pct exec 900 -- cat /proc/self/uid_map")).toMatch(/^\s*0\s+100000\s+65536$/);
    expect(await good("pct exec 900 -- hostname")).toBe("base");
    expect(await good("pct exec 900 -- ip -4 -o address show eth0")).toContain("10.0.0.100/24");
    expect(await good("ping -c 1 -W 2 10.0.0.100")).toContain(" 0% packet loss");
    expect(await good("stat -c %u /var/lib/lxc/900/rootfs/etc/passwd")).toBe("100000");
    const current = JSON.parse(
      await good("pvesh get /nodes/localhost/lxc/900/status/current --output-format json"),
    ) as Record<string, number>;
    expect(current).toMatchObject({ status: "running", cpus: expect.any(Number) as unknown });
    for (const key of ["cpu", "mem", "disk", "diskread", "diskwrite", "netin", "netout", "uptime"])
      expect(current[key], key).toBeGreaterThan(0);
  }, 60_000);

  test("exec passes standard input and the exit code, and says what is wrong", async () => {
    expect(await good("echo in | pct exec 900 -- cat")).toBe("in");
    expect((await node("pct exec 900 -- sh -c 'exit 7'")).code).toBe(7);
    expect(await node("pct exec 999 -- true")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        "Configuration file 'nodes/pve/lxc/999.conf' does not exist",
      ) as unknown,
    });
    await good(
      "echo pushed > /tmp/a && pct push 900 /tmp/a /root/a --perms 600 && pct pull 900 /root/a /tmp/b",
    );
    expect(await good("cat /tmp/b && pct exec 900 -- stat -c %a /root/a")).toBe("pushed\n600");
  }, 60_000);

  test("sealed: the volume becomes a base and the configuration says so", async () => {
    expect(await refused("pct template 900")).toBe("you can't convert a CT to template if the CT is running");
    await good("pct shutdown 900 && pct template 900");
    expect(await option(900, "template")).toBe("1");
    expect(await option(900, "rootfs")).toBe("store:basevol-900-disk-0,size=2G");
    expect(await good("zfs list -H -o name -t snapshot tank/lxc/basevol-900-disk-0@__base__")).toContain(
      "@__base__",
    );
    expect(await refused("pct start 900")).toBe("you can't start a CT if it's a template");
  }, 60_000);

  test("a linked clone is a ZFS clone, a full clone is not, and each is a guest of its own", async () => {
    await good("pct clone 900 902 --full 0 --hostname linked && pct clone 900 910 --full 1 --hostname full");
    expect(await option(902, "rootfs")).toBe("store:basevol-900-disk-0/subvol-902-disk-0,size=2G");
    expect(await good("zfs get -H -o value origin tank/lxc/subvol-902-disk-0")).toBe(
      "tank/lxc/basevol-900-disk-0@__base__",
    );
    expect(await good("zfs get -H -o value origin tank/lxc/subvol-910-disk-0")).toBe("-");
    expect(await good("zfs get -Hp -o value refquota tank/lxc/subvol-910-disk-0")).toBe(
      String(2 * 1024 ** 3),
    );
    const addresses = await Promise.all([900, 902, 910].map((vmid) => option(vmid, "net0")));
    expect(new Set(addresses.map((net) => /hwaddr=([^,]*)/.exec(net ?? "")?.[1])).size).toBe(3);
    expect(await refused("pct destroy 900")).toContain(
      "base volume 'basevol-900-disk-0' is still in use by linked clones",
    );
    expect(await refused("pct clone 910 911 --full 0")).toContain(
      "Linked clone feature for 'store:subvol-910-disk-0' is not available",
    );
    await good("pct set 910 --net0 name=eth0,bridge=vmbr0,ip=10.0.0.110/24,gw=10.0.0.13 && pct start 910");
    expect(await good("pct exec 910 -- hostname")).toBe("full");
    const interfaces = await good("pvesh get /nodes/pve/lxc/910/interfaces --output-format json");
    expect(interfaces).toContain('"ip-address":"10.0.0.110"');
  }, 60_000);

  test("the source is locked while it is cloned, for templates too", async () => {
    const second = "sleep 0.3; pct clone 900 921 --full 1; echo code $?; ";
    const out = await node(`(pct clone 900 920 --full 1 >/dev/null) & ${second} wait; pct list`);
    expect(out.stderr).toContain("CT is locked (disk)");
    expect(out.stdout).toContain("code 255");
    expect(out.stdout).toMatch(/^920 /m);
    expect(out.stdout).not.toMatch(/^921 /m);
    expect(await option(900, "lock")).toBeUndefined();
    await good("pct destroy 920");
  }, 60_000);

  test("a clone that is stopped leaves nothing and unlocks its source", async () => {
    const stop =
      "until upid=$(pvesh get /nodes/pve/tasks --source active --output-format json | grep -o 'UPID[^\"]*vzclone[^\"]*'); do :; done; " +
      "pvesh delete /nodes/pve/tasks/$upid";
    const out = await node(`(${stop}) & pct clone 900 922 --full 1; echo code $?; wait`);
    expect(out.stderr).toContain("received interrupt");
    expect(out.stdout).toContain("code 255");
    expect(await option(900, "lock")).toBeUndefined();
    expect(await good("ls /etc/pve/lxc; zfs list -H -o name -t all")).not.toMatch(/922/);
  }, 60_000);

  test("an occupied id stays what it is", async () => {
    const before = await good("cat /etc/pve/lxc/910.conf");
    expect(await refused(`pct create 910 ${TEMPLATE} --rootfs store:1`)).toBe(
      "unable to create CT 910 - CT 910 already exists on node 'pve'",
    );
    expect(await refused("pct clone 900 910")).toBe("CT 910 already exists on node 'pve'");
    expect(await good("cat /etc/pve/lxc/910.conf")).toBe(before);
  }, 60_000);

  test("docker runs an image made on the spot", async () => {
    await good(
      "pct set 902 --features nesting=1,keyctl=1 --net0 name=eth0,bridge=vmbr0,ip=10.0.0.102/24,gw=10.0.0.13",
    );
    await good("pct start 902");
    await good(
      "pct exec 902 -- sh -c 'export DEBIAN_FRONTEND=noninteractive; apt-get -qq update && apt-get -qq install -y --no-install-recommends docker.io' >/dev/null 2>&1",
    );
    expect(await good("pct exec 902 -- docker info --format '{{.Driver}}'")).toBe("overlay2");
    const script = [
      "d=$(mktemp -d)",
      'for f in /bin/sh /bin/echo; do install -D $f $d$f; for l in $(ldd $f | grep -o "/[^ ]*"); do install -D $l $d$l; done; done',
      "tar -C $d -c . | docker import - nonce:1 >/dev/null",
      "docker run --rm nonce:1 /bin/echo nonce-4711",
    ].join("\n");
    const encoded = Buffer.from(script).toString("base64");
    expect(await good(`echo ${encoded} | base64 -d | pct exec 902 -- sh -e`)).toBe("nonce-4711");
  }, 180_000);
});

describe("the whole life of a guest", () => {
  test("mount points, snapshots and the way back", async () => {
    await good(
      `pct create 101 ${TEMPLATE} --rootfs store:1 --mp0 store:0.5,mp=/data --hostname snap ` +
        "--net0 name=eth0,bridge=vmbr0,ip=manual --features nesting=1",
    );
    await good("pct start 101 && pct exec 101 -- sh -c 'echo one > /data/x; echo one > /root/x'");
    await good("pct snapshot 101 first --description before");
    await good("pct exec 101 -- sh -c 'echo two > /data/x; echo two > /root/x' && pct snapshot 101 second");
    expect(await refused("pct rollback 101 first")).toBe(
      "can't rollback, 'first' is not most recent snapshot on 'store:subvol-101-disk-0'",
    );
    await good("pct delsnapshot 101 second && pct rollback 101 first --start");
    expect(await good("pct exec 101 -- cat /data/x /root/x")).toBe("one\none");
    expect(await good("pct listsnapshot 101")).toContain("first");
  }, 90_000);

  test("changes to a running guest: at once what can be, the rest waits for a restart", async () => {
    await good("pct set 101 --memory 700 --cores 1 --nameserver 10.9.9.9 --description 'new words'");
    const pending = await good("pct pending 101");
    expect(pending).toContain("new nameserver: 10.9.9.9");
    expect(pending).toContain("cur memory: 700");
    expect(pending).not.toContain("new memory");
    await good("pct set 101 --net1 name=eth1,bridge=vmbr0,ip=10.0.0.41/24");
    expect(await good("pct exec 101 -- ip -4 -o address show eth1")).toContain("10.0.0.41/24");
    await good("pct set 101 --delete net1");
    expect((await node("pct exec 101 -- ip link show eth1")).code).toBe(1);
    await good("pct reboot 101");
    expect(await good("pct pending 101")).toContain("cur nameserver: 10.9.9.9");
    expect(await good("pct exec 101 -- cat /etc/resolv.conf")).toContain("nameserver 10.9.9.9");
  }, 90_000);

  test("volumes grow and never shrink", async () => {
    await good("pct delsnapshot 101 first && pct shutdown 101 && pct resize 101 rootfs +1G");
    expect(await option(101, "rootfs")).toBe("store:subvol-101-disk-0,size=2G");
    expect(await refused("pct resize 101 rootfs 1G")).toBe("unable to shrink disk size");
    // The bridged provider sends this with every new size.
    await good("pct set 101 --rootfs store:subvol-101-disk-0,acl=0,quota=0,replicate=0,size=2147483648");
    await good("zfs set acltype=posix tank/lxc/subvol-101-disk-0 && pct start 101 && pct shutdown 101");
    expect(await good("zfs get -H -o value acltype tank/lxc/subvol-101-disk-0")).toBe("off");
    expect(await good("pct df 101")).toMatch(/^MP +Volume .*\nrootfs store:subvol-101-disk-0 +1\.9G .* \/$/m);
    expect(await option(101, "lock")).toBeUndefined();
    await good("pct set 101 --rootfs store:subvol-101-disk-0,size=2G && pct start 101");
    expect(await good("pct df 101; pct cpusets")).toMatch(/^MP [^]*^101: +0/m);
    const size = Number((await good("pct exec 101 -- df --output=size -k /")).split("\n")[1]);
    expect(size).toBeGreaterThan(1.8 * 1024 ** 2);
  }, 90_000);

  test("a removed mount point stays as unused volume until it is removed as such", async () => {
    await good("pct stop 101 && pct set 101 --delete mp0");
    expect(await option(101, "unused0")).toBe("store:subvol-101-disk-1");
    expect(
      await good("sed -i '/^unused0/d; s/size=2G/size=1G/' /etc/pve/lxc/101.conf && pct rescan --vmid 101"),
    ).toBe(
      "rescan volumes...\n" +
        "CT 101: add unreferenced volume 'store:subvol-101-disk-1' as 'unused0' to config.\n" +
        "CT 101: updated volume size of 'store:subvol-101-disk-0' in config.",
    );
    expect(await refused("pct fsck 101")).toBe(
      "unable to run fsck for 'store:subvol-101-disk-0' (format == subvol)",
    );
    await good("pct set 101 --delete unused0");
    expect(await good("pvesm list store --vmid 101")).not.toContain("disk-1");
  }, 60_000);

  test("a root disk moves to files and back, with its data", async () => {
    await good("pct start 101 && pct exec 101 -- sh -c 'echo kept > /root/y' && pct shutdown 101");
    expect(await refused("pct move-volume 101 rootfs local --delete 1")).toContain(
      "content type 'rootdir' is not available or configured on storage 'local'",
    );
    expect(await option(101, "lock")).toBeUndefined();
    await good("pct move-volume 101 rootfs files --delete 1");
    expect(await option(101, "rootfs")).toBe("files:101/vm-101-disk-0.raw,size=2G");
    expect(await good("stat -c %s /tank/files/images/101/vm-101-disk-0.raw")).toBe(String(2 * 1024 ** 3));
    expect(await good("pct fsck 101 --force")).toMatch(/vm-101-disk-0\.raw: \d+\/\d+ files/);
    expect(await good("pvesm list store --vmid 101")).not.toContain("subvol-101");
    await good("pct move-volume 101 rootfs store --delete 1 && pct start 101");
    expect(await good("pct exec 101 -- cat /root/y")).toBe("kept");
  }, 90_000);

  test("devices and bind mounts of the node, for root", async () => {
    await good("mkdir -p /srv/shared && echo bound > /srv/shared/file && pct shutdown 101");
    await good("pct set 101 --mp1 /srv/shared,mp=/shared,ro=1 --dev0 /dev/fuse,mode=0666 && pct start 101");
    expect(await good("pct exec 101 -- cat /shared/file")).toBe("bound");
    expect((await node("pct exec 101 -- touch /shared/new")).code).not.toBe(0);
    expect(await good("pct exec 101 -- stat -c '%t:%T %a' /dev/fuse")).toBe("a:e5 666");
  }, 60_000);

  test("rebooted and powered off from inside", async () => {
    const started = "pct exec 101 -- cut -d' ' -f22 /proc/1/stat";
    const before = await good(started);
    await good("pct exec 101 -- systemctl --no-block reboot");
    await expect
      .poll(async () => /^\d+$/.exec((await node(started)).stdout.trim())?.[0] ?? before, { timeout: 30_000 })
      .not.toBe(before);
    await good("pct exec 101 -- systemctl --no-block poweroff");
    await expect.poll(() => good("pct status 101"), { timeout: 30_000 }).toBe("status: stopped");
    await expect.poll(() => good("mount"), { timeout: 10_000 }).not.toContain("/var/lib/lxc/101/");
  }, 90_000);

  test("a volume of another owner is used and outlives the guest", async () => {
    expect(await good("pvesm alloc store 9999 subvol-9999-disk-0 256M")).toBe(
      "successfully created 'store:subvol-9999-disk-0'",
    );
    await good("pct set 101 --mp2 store:subvol-9999-disk-0,mp=/kept && pct start 101");
    await good("pct exec 101 -- sh -c 'echo data > /kept/file'");
    expect(await option(101, "mp2")).toBe("store:subvol-9999-disk-0,mp=/kept,size=256M");
  }, 60_000);

  test("destroyed: nothing is left of it", async () => {
    expect(await refused("pct destroy 101")).toBe("unable to destroy CT 101 - container is running");
    await good("pct destroy 101 --force 1");
    expect(await good("zfs list -H -o name")).not.toContain("-101-");
    expect(await good("pvesm list store --vmid 9999")).toContain("store:subvol-9999-disk-0");
    expect(await good("pvesm free store:subvol-9999-disk-0")).toBe(
      "Removed volume 'store:subvol-9999-disk-0'",
    );
    expect(await good("ls /etc/pve/lxc /var/lib/lxc; mount")).not.toMatch(/\b101\b|-101-/);
    const loops = (await good("losetup -a")).split("\n").filter((line) => !othersLoops.includes(line));
    expect(loops.join("\n")).toContain("-910-"); // those of guests that are there
    expect(loops.join("\n")).not.toMatch(/-101-/);
  }, 60_000);
});

describe("networks", () => {
  test("an address by DHCP; a VLAN tag is a segment of its own, also when it changes while the guest runs", async () => {
    for (const vmid of [320, 321]) await good(`pct clone 900 ${vmid} --hostname net${vmid}`);
    await good(
      "pct set 320 --net0 name=eth0,bridge=vmbr0,ip=dhcp --net1 name=eth1,bridge=vmbr0,tag=7,ip=192.168.7.1/24",
    );
    await good("pct set 321 --net0 name=eth0,bridge=vmbr0,tag=7,ip=192.168.7.2/24");
    await good("pct start 320 && pct start 321");
    await good("pct exec 320 -- systemctl is-system-running --wait");
    const own = await good("pct exec 320 -- sh -c 'ip -4 -o address show eth0 | cut -d\\  -f7'");
    expect(own).toMatch(/^10\.0\.0\.2[0-4]\d\/24$/);
    expect(await good("cat /run/pve-lab/leases")).toContain(` ${own.replace("/24", "")} net320 `);
    const reached = "ping -c 1 -W 2 192.168.7.1";
    expect(await good(`pct exec 321 -- ${reached}`)).toContain(" 0% packet loss");
    await good("pct set 321 --net0 name=eth0,bridge=vmbr0,tag=8,ip=192.168.7.2/24");
    expect((await node(`pct exec 321 -- ${reached}`)).code).not.toBe(0);
    await good("pct destroy 320 --force && pct destroy 321 --force");
  }, 60_000);
});

describe("the node starts again", () => {
  test("guests with onboot come up in order, the others do not, and those that ran are there with their data", async () => {
    await good("pct clone 900 903 && pct set 902 --onboot 1 --startup order=2");
    await good(
      "pct set 910 --onboot 1 --startup order=1,up=4 && pct exec 910 -- sh -c 'echo here > /root/stay && sync'",
    );
    const boot = await good(
      "pct exec 910 -- cat /proc/sys/kernel/random/uuid && cat /proc/1/stat | cut -d' ' -f22",
    );
    // The connection ends with the node.
    await node("reboot");
    await expect
      .poll(async () => (await node("pct status 902")).stdout.trim(), { timeout: 150_000, interval: 1000 })
      .toBe("status: running");
    expect(await good("cat /proc/1/stat | cut -d' ' -f22")).not.toBe(boot.split("\n")[1]);
    expect(await good("pct exec 910 -- cat /root/stay")).toBe("here");
    expect(await good("pct status 903")).toBe("status: stopped");
    const begun = "for id in 910 902; do cut -d' ' -f22 /proc/$(lxc-info -n $id -pH)/stat; done";
    const [first, second] = (await good(begun)).split("\n").map(Number);
    // Hundredths of a second: the delay of the first one lies between them.
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(400);
  }, 180_000);
});
