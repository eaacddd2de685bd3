import { afterAll, beforeAll, expect, test } from "vitest";
import { LabNode } from "./lab-node.ts";

/**
 * Packages are Debian's, DKMS really builds the module against installed headers; that it is loaded, the cards and
 * nvidia-smi are simulated by the lab. One build for the running kernel, one for a second kernel.
 */
const stack = "scripts";
const driver = "hypervisor/feature_install_nvidia_driver.sh";
const settings = "lxc/configure_container.sh";
const nvidia = "lxc/feature_install_nvidia.sh";
const version = "535.261.03";
const document = { stack, parameters: { version, source: "distribution" } };
const library = "/usr/lib/x86_64-linux-gnu/nvidia/current";

const guest = (parameters: object) => ({ stack, ctid: 910, parameters });
const userSpace = (wanted: string) => guest({ nvidia: { version: wanted, source: "distribution" } });
const devices = (paths: string[]) =>
  guest({ started: true, devices: paths.map((path) => ({ path, mode: "0666" })) });

interface Found {
  version: string;
  gpus: { index: number; uuid: string; pci: string; devices: { path: string; numbers: string }[] }[];
  devices: { path: string; numbers: string }[];
}
let node: LabNode;
let found: Found;

beforeAll(async () => {
  node = await LabNode.start(["--gpus", "2"]);
}, 600_000);
afterAll(() => node.stop());

/** Character devices of NVIDIA's in the guest. */
async function shownDevices(): Promise<string[]> {
  const listing = await node.good(`pct exec 910 -- sh -c 'ls -l /dev/nvidia* 2>/dev/null || true'`);
  return listing
    .split("\n")
    .filter((line) => line.startsWith("c"))
    .map((line) => line.split(" ").at(-1) ?? "")
    .sort();
}

/** The node is up again, with another init than before. */
async function rebooted(): Promise<void> {
  const started = "cut -d ' ' -f 22 /proc/1/stat";
  const before = await node.good(started);
  await node.shell("systemctl reboot");
  const deadline = Date.now() + 120_000;
  for (;;) {
    const now = await node.shell(`${started}; systemctl is-system-running --wait >/dev/null; true`);
    if (now.code === 0 && now.stdout.trim() !== before) return;
    if (Date.now() > deadline) throw new Error("the node did not come back");
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

test("F6: a fresh node is told apart thing by thing, and made so once", async () => {
  const reasons = await node.reasons(driver, document);
  expect(reasons).toContain("the module nouveau is loaded and holds the GPUs");
  expect(reasons.filter((reason) => reason.includes("headers are missing"))).toHaveLength(1);
  const { code, stdout, stderr } = await node.run(driver, "apply", document);
  expect(code, stderr).toBe(0);
  found = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Found;
  expect(found.version).toBe(version);
  expect(found.gpus.map(({ index, pci }) => `${index} ${pci}`)).toEqual(["0 0000:01:00.0", "1 0000:02:00.0"]);
  const named = [...found.gpus.flatMap((gpu) => gpu.devices), ...found.devices];
  for (const { path, numbers } of named) {
    const real = await node.good(`printf '%d:%d' $(stat -c '0x%t 0x%T' ${path})`);
    expect(`${path} ${numbers}`).toBe(`${path} ${real}`);
  }
  await node.clean(driver, document);
  const again = await node.run(driver, "apply", document);
  expect(again).toEqual({ code: 0, stdout: `${JSON.stringify(found)}\n`, stderr: "" });
}, 600_000);

test("F6 initialize_nvidia_gpus: after a reboot there is nothing to do, and the devices are there before any guest", async () => {
  await rebooted();
  await node.clean(driver, document);
  expect(await node.good("systemctl show -p Before --value phoenix-nvidia")).toContain("pve-guests.service");
}, 180_000);

test.each([
  [
    "a library of another version",
    `cp ${library}/libnvidia-ml.so.${version} ${library}/libnvidia-ml.so.535.309.01 && ln -sf libnvidia-ml.so.535.309.01 ${library}/libnvidia-ml.so.1`,
    `the library libnvidia-ml.so.1 is 535.309.01, wanted ${version} (the kernel module is ${version})`,
    `ln -sf libnvidia-ml.so.${version} ${library}/libnvidia-ml.so.1 && rm ${library}/libnvidia-ml.so.535.309.01`,
  ],
  ["a module that is not loaded", "rmmod nvidia_uvm", "the module nvidia_uvm is not loaded", "true"],
  [
    "nouveau allowed again",
    "rm /etc/modprobe.d/phoenix-nvidia.conf",
    "/etc/modprobe.d/phoenix-nvidia.conf is not there",
    "true",
  ],
  ["persistence mode off", "nvidia-smi -pm 0", "persistence mode is off", "true"],
])("F6: %s is named, and mended", async (_, line, reason, undo) => {
  await node.good(line);
  expect(await node.reasons(driver, document)).toContain(reason);
  await node.good(undo);
  const { code, stderr } = await node.run(driver, "apply", document);
  expect(code, stderr).toBe(0);
  await node.clean(driver, document);
});

test("a version that no repository has is refused, with those that there are", async () => {
  const other = { ...document, parameters: { ...document.parameters, version: "535.1.1" } };
  expect(await node.fails(driver, "apply", other)).toMatch(
    /^21 [^]*driver 535\.1\.1 is not to be had[^]*535\.261\.03-1/,
  );
  const { code, stderr } = await node.run(driver, "apply", document);
  expect(code, stderr).toBe(0);
  await node.clean(driver, document);
});

test("F6: a new kernel gets its module with its headers", async () => {
  const running = await node.good("uname -r");
  const others = await node.good(
    "apt-cache search --names-only '^linux-headers-6[.]1[.]0-[0-9]+-amd64$' | cut -d ' ' -f 1 | sort -V",
  );
  const other =
    others
      .split("\n")
      .filter((name) => name !== `linux-headers-${running}`)
      .at(-1) ?? "";
  const kernel = other.replace("linux-headers-", "");
  await node.good(`touch /boot/vmlinuz-${kernel}`);
  const reasons = await node.reasons(driver, document);
  expect(reasons).toEqual([
    `kernel ${kernel}: its headers are missing, no module can be built for it`,
    `kernel ${kernel}: there is no NVIDIA module for it`,
  ]);
  const { code, stderr } = await node.run(driver, "apply", document);
  expect(code, stderr).toBe(0);
  expect(await node.good(`modinfo -k ${kernel} -F version nvidia-current`)).toBe(version);
  await node.clean(driver, document);
}, 600_000);

test("B.5.7: a container gets exactly the GPU that it is assigned, and user space of the host's version", async () => {
  await node.good(
    [
      "zpool create tank /dev/disk/by-id/scsi-PHOENIX_LAB_DISK_1 && zfs create tank/guests && zfs create tank/files",
      "pvesm add zfspool guests --pool tank/guests --content rootdir",
      "pvesm add dir files --path /tank/files --content vztmpl --shared 0",
      "mkdir -p /tank/files/template/cache && cp /usr/share/pve-lab/template/*.tar.zst /tank/files/template/cache/",
      "pct create 910 files:vztmpl/debian-12-standard_12_amd64.tar.zst --hostname gpu --cores 1 --memory 512 " +
        "--rootfs guests:4 --net0 name=eth0,bridge=vmbr0,ip=10.0.0.110/24,gw=10.0.0.13 --unprivileged 1 " +
        `--description 'phoenix stack=${stack} vmid=910 incarnation=0123456789abcdef recipe=-'`,
    ].join(" && "),
  );
  const second = found.gpus[1]?.devices ?? [];
  const paths = [...second, ...found.devices].map(({ path }) => path);
  await node.converge(settings, devices(paths));
  expect(await shownDevices()).toEqual([...paths].sort());

  expect(await node.fails(nvidia, "apply", userSpace("535.309.01"))).toMatch(
    /^28 [^]*kernel module is 535\.261\.03/,
  );
  await node.converge(nvidia, userSpace(version));
  expect(await node.good("pct exec 910 -- nvidia-smi --query-gpu=uuid --format=csv,noheader")).toBe(
    found.gpus[1]?.uuid,
  );
}, 300_000);

test("F6: a GPU that is no longer assigned is gone; the user space without one is no fault", async () => {
  await node.converge(settings, devices([]));
  expect(await shownDevices()).toEqual([]);
  await node.clean(nvidia, userSpace(version));
  expect((await node.run(nvidia, "remove", userSpace(version))).code).toBe(0);
  expect(await node.reasons(nvidia, userSpace(version))).toContain(
    "the library libnvidia-ml.so.1 is missing",
  );
}, 120_000);

test("F6: where the loaded driver is in use, the run stops for a reboot and goes on after it", async () => {
  const blacklist = "/etc/modprobe.d/phoenix-nvidia.conf";
  // A node as it is before its first run: nouveau has the cards and something keeps it.
  await node.good(
    `systemctl disable -q phoenix-nvidia && rm ${blacklist} /etc/modules-load.d/phoenix-nvidia.conf`,
  );
  await node.good("rm -f /etc/modprobe.d/nvidia* /etc/modprobe.d/*nouveau*");
  await rebooted();
  expect(await node.good("lsmod")).toMatch(/^nouveau /m);
  await node.good(`echo 'remove nouveau /bin/false' >/etc/modprobe.d/lab-in-use.conf`);
  expect(await node.fails(driver, "apply", document)).toMatch(/^26 [^]*nouveau holds the GPUs/);
  // Nothing of the stack starts behind it.
  expect(await node.fails(settings, "apply", devices([]))).toMatch(/^26 /);
  await node.good("rm /etc/modprobe.d/lab-in-use.conf");
  await rebooted();
  const { code, stderr } = await node.run(driver, "apply", document);
  expect(code, stderr).toBe(0);
  await node.clean(driver, document);
}, 300_000);

test("removal takes away what the stack wrote, and says what stays", async () => {
  const { code, stderr } = await node.run(driver, "remove", document);
  expect(code).toBe(0);
  expect(stderr).toContain(`driver ${version} stays installed: apt-get purge nvidia-kernel-dkms`);
  expect(
    await node.good(
      "ls /etc/apt/*.d /etc/modprobe.d /etc/modules-load.d /etc/systemd/system | grep -c phoenix || true",
    ),
  ).toBe("0");
  expect((await node.run(driver, "remove", document)).code).toBe(0);
});
