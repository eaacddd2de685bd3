import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Checkout } from "../end-to-end/checkout.ts";
import type { Result } from "../end-to-end/checkout.ts";
import { cutUp } from "../end-to-end/cut.ts";
import { changes, nameOf, outputs, urns } from "../end-to-end/facts.ts";
import { root } from "./run-script.ts";

/**
 * The driver's life on the real engine, with a container that is given a GPU behind it. What is installed are small
 * stand-ins for NVIDIA's own repository and installer (fixtures/nvidia); the true build is in nvidia.lab.test.ts.
 */
let room: string;
let checkout: Checkout;
let keySum = "";
const runfileSums: Record<string, string> = {};

type Json = Record<string, unknown>;
const [first, second] = ["580.95.05", "580.105.08"] as const;
const port = 8098;
const address = `http://127.0.0.1:${port}/`;

const vendor = (version: string, more: Json = {}): Json => ({
  install: true,
  version,
  source: "vendor-repository",
  repository: { uri: address, key_url: `${address}3bf863cc.pub`, key_sha256: keySum },
  ...more,
});
const runfile = (version: string, sum = runfileSums[version]): Json => ({
  install: true,
  version,
  runfile_url: `${address}NVIDIA-Linux-x86_64-${version}.run`,
  runfile_sha256: sum,
});

function configure(driver: Json | undefined, container: Json = { gpu_assignment: "1" }): void {
  const allow = ["destroy"];
  const host = {
    network: { interfaces: { name: "vmbr0", address: "10.0.0.13/24" } },
    zfs: {
      pools: [
        { name: "tank", raid_level: "single", disks: ["/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_1"], allow },
      ],
      datasets: [
        {
          name: "lxc",
          pool: "tank",
          proxmox_storage_type: "zfspool",
          proxmox_content_type: "rootdir",
          allow,
        },
        { name: "iso", pool: "tank", proxmox_storage_type: "dir", proxmox_content_type: "vztmpl", allow },
      ],
    },
    os_templates: [
      {
        name: "debian-12",
        storage: "tank-iso",
        url: "http://127.0.0.1:8099/template/debian-12-standard_12_amd64.tar.zst",
      },
    ],
    ...(driver && { nvidia_driver: driver }),
  };
  const gpu = {
    name: "gpu",
    template: "debian-12",
    storage_pool: "tank-lxc",
    storage_size_gb: 4,
    cores: 1,
    memory_mb: 512,
    start_at_boot: true,
    network_config: { ip: "10.0.0.110/24", gw: "10.0.0.13" },
    ...container,
  };
  writeFileSync(checkout.path("host.json"), JSON.stringify(host));
  writeFileSync(checkout.path("lxc.json"), JSON.stringify({ lxc_configs: { 910: gpu } }));
}

const good = (what: string, { code, stdout, stderr }: Result): string => {
  expect(`${what}: ${code} ${stderr}${code === 0 ? "" : stdout}`).toContain(`${what}: 0 `);
  return stdout;
};
const up = async (): Promise<string> => good("up", await checkout.phoenix("up", "--yes", "--skip-preview"));

/** What a preview would do, as "update 910-settings"; without components, which only stand for what is in them. */
async function preview(): Promise<string[]> {
  return changes(good("preview", await checkout.pulumi("preview", "--json")))
    .filter(({ urn }) => !/::phoenix:[^$]*$|phoenix:[A-Za-z:]+::[^:]*$/.test(urn))
    .map(({ op, urn }) => `${op} ${nameOf(urn).replace(/\.sh-[0-9a-f]{8}$/, ".sh")}`)
    .sort();
}

const onNode = async (command: string): Promise<string> => (await checkout.node(command)).trim();
/** Kernel, module, library and nvidia-smi, each by its own word, and the devices that the container sees. */
const versions = (): Promise<string> =>
  onNode(
    "sed -nE 's/.*Kernel Module +([0-9.]+) .*/loaded \\1/p' /proc/driver/nvidia/version; modinfo -F version nvidia; " +
      "readlink /usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1; nvidia-smi --query-gpu=driver_version,persistence_mode --format=csv,noheader | sort -u",
  );
const all = (version: string, persistence = "Enabled"): string =>
  [`loaded ${version}`, version, `libnvidia-ml.so.${version}`, `${version}, ${persistence}`].join("\n");
const devices = async (): Promise<string> =>
  (
    await checkout.guest(910, "for one in /dev/nvidia*; do [ ! -c $one ] || stat -c '%n %Hr:%Lr' $one; done")
  ).trim();

/** The node starts again; a hard stop is as if its plug had been pulled. */
async function restart(how: "reboot" | "plug pulled"): Promise<void> {
  const started = "cut -d ' ' -f 22 /proc/1/stat";
  const before = await onNode(started);
  await checkout.phoenix(
    "lab",
    "ssh",
    how === "reboot" ? "systemctl reboot" : "systemctl reboot --force --force",
  );
  const deadline = Date.now() + 240_000;
  for (;;) {
    const now = await checkout.phoenix(
      "lab",
      "ssh",
      `${started}; systemctl is-system-running --wait >/dev/null; true`,
    );
    if (now.code === 0 && now.stdout.trim() !== before) return;
    if (Date.now() > deadline) throw new Error(`the node did not come back: ${now.stderr}`);
    await sleep(1000);
  }
}

beforeAll(async () => {
  room = mkdtempSync("/var/tmp/phoenix-nvidia-stack-");
  checkout = Checkout.make(room);
  mkdirSync(checkout.path(".phoenix/backend"), { recursive: true });
  const script = [
    'node packages/offline-engine/src/main.ts ensure --json >.phoenix/engine.json && node packages/offline-engine/src/main.ts install --home "$PWD/.phoenix/pulumi-home"',
    'bin/phoenix lab up --gpus 2 && eval "$(bin/phoenix env)" && pulumi stack init nvidia --non-interactive',
    "pulumi config set phoenix:nodeFile .phoenix/lab/node.json",
    "pulumi config set --path 'phoenix:hypervisorFiles[0]' host.json",
    "pulumi config set --path 'phoenix:lxcFiles[0]' lxc.json",
  ].join(" && ");
  good("set-up", await checkout.shell(`set -e; PATH=${join(process.execPath, "..")}:$PATH; ${script}`));
  const standIns = readFileSync(join(root, "tests/fixtures/nvidia/stand-ins.sh")).toString("base64");
  const made = await onNode(
    `base64 -d <<<'${standIns}' >/root/stand-ins.sh; bash /root/stand-ins.sh driver ${port} ${first} ${second}`,
  );
  const [key = "", ...sums] = made.split("\n");
  keySum = key;
  for (const [version = "", sum = ""] of sums.map((line) => line.split(" "))) runfileSums[version] = sum;
}, 900_000);

afterAll(async () => {
  await checkout.phoenix("lab", "down");
  rmSync(room, { recursive: true, force: true });
}, 120_000);

test("F6: where a reboot is needed the run stops there with a clear word, nothing behind it starts, and the next one goes on", async () => {
  configure(vendor(first));
  // As on a node whose console is shown by nouveau.
  await onNode("echo 'remove nouveau /bin/false' >/etc/modprobe.d/lab-in-use.conf");
  const page = good("doctor", await checkout.phoenix("doctor"));
  expect(page).toMatch(/^GPUs +0000:01:00\.0 .*NVIDIA.*\n +0000:02:00\.0 .*NVIDIA/m);
  expect(page).toMatch(/^kernel .*no headers for \d/m);
  expect(page).toMatch(/^! the module nouveau holds the NVIDIA cards$/m);
  expect(page).toMatch(/^Nothing is in the way: pulumi preview$/m);
  const { code, stdout, stderr } = await checkout.phoenix("up", "--yes", "--skip-preview");
  expect(code).not.toBe(0);
  expect(stdout + stderr).toMatch(
    /nouveau holds the GPUs.*reboot the node; nothing behind this step was started/,
  );
  expect(await onNode("pct list")).toBe("");
  const stopped = await urns(checkout);
  expect(stopped.map(nameOf)).not.toContain("910");
  await onNode("rm /etc/modprobe.d/lab-in-use.conf");
  await restart("reboot");
  await up();
  expect(await versions()).toBe(all(first));
});

test("the GPUs are outputs, the container has the devices of its own one with their true majors, and a second run finds nothing to do", async () => {
  const { gpus } = (await outputs(checkout)) as { gpus: { index: number; uuid: string; pci: string }[] };
  expect(gpus.map(({ index, pci }) => `${index} ${pci}`)).toEqual(["0 0000:01:00.0", "1 0000:02:00.0"]);
  const uuids = await onNode("nvidia-smi --query-gpu=uuid --format=csv,noheader");
  expect(gpus.map(({ uuid }) => uuid).join("\n")).toBe(uuids);
  const named = ["nvidia-uvm", "nvidia-uvm-tools", "nvidia1", "nvidiactl"].map((name) => `/dev/${name}`);
  expect(await devices()).toBe(await onNode(`stat -c '%n %Hr:%Lr' ${named.join(" ")}`));
  expect(await preview()).toEqual([]);
  good("drift", await checkout.phoenix("drift"));
});

test("each setting edited or removed is exactly its own step in the preview", async () => {
  // What the driver finds is unknown until its step has run; the settings are left alone if nothing differs.
  const step = ["update 910-settings", "update nvidia-driver-install"];
  const script = "delete feature_install_nvidia_driver.sh";
  const gone = [script, "delete nvidia-driver-install", "update 910-settings"];
  const edits: [string, Json | undefined, string[], Json?][] = [
    ["version", vendor(second), step],
    ["persistence", vendor(first, { persistence: false }), step],
    ["flavour of the module", vendor(first, { kernel_module: "open" }), step],
    ["packages", vendor(first, { packages: ["nvidia-kernel-dkms", "nvidia-driver-cuda"] }), step],
    ["source", runfile(first), step],
    ["another GPU", vendor(first), ["update 910-settings"], { gpu_assignment: "0" }],
    ["no GPU", vendor(first), ["update 910-settings"], {}],
    ["all of it gone", undefined, gone, {}],
    ["nothing", vendor(first), []],
  ];
  for (const [what, driver, steps, container] of edits) {
    configure(driver, container);
    expect(await preview(), what).toEqual(steps);
  }
});

test("persistence mode and the module's flavour follow the configuration", async () => {
  configure(vendor(first, { persistence: false, kernel_module: "open" }));
  await up();
  expect(await versions()).toBe(all(first, "Disabled"));
  expect(await onNode("dpkg-query -W -f '${Package} ${db:Status-Status}\\n' 'nvidia-kernel*'")).toContain(
    "nvidia-kernel-open-dkms installed",
  );
  expect(await preview()).toEqual([]);
});

test("the plug is pulled in the middle of an upgrade: the next run goes on to the end", async () => {
  configure(vendor(second));
  await onNode("touch /run/stand-in-hold");
  const held = async (): Promise<boolean> =>
    (await checkout.phoenix("lab", "ssh", "test -e /run/stand-in-held")).code === 0;
  const cut = await cutUp(checkout, join(room, "cut.jsonl"), held);
  expect(cut.ended, cut.stdout + cut.stderr).toBe(false);
  await restart("plug pulled");
  expect(await onNode("dpkg --audit | grep -o 'nvidia-kernel[a-z-]*'")).toBe("nvidia-kernel-dkms");
  await up();
  expect(await versions()).toBe(all(second));
  expect(await onNode("dpkg --audit")).toBe("");
  expect(await devices()).toContain("/dev/nvidia1 ");
  expect(await preview()).toEqual([]);
  good("drift", await checkout.phoenix("drift"));
});

test("a node that was started again is as configured, and its devices are there before guests start", async () => {
  await restart("reboot");
  expect(await versions()).toBe(all(second));
  expect(await devices()).toContain("/dev/nvidia1 ");
  const at = (unit: string): Promise<string> =>
    onNode(`systemctl show -p ActiveEnterTimestampMonotonic --value ${unit}`);
  expect(Number(await at("phoenix-nvidia"))).toBeGreaterThan(0);
  expect(Number(await at("phoenix-nvidia"))).toBeLessThanOrEqual(Number(await at("pve-guests")));
  expect(await preview()).toEqual([]);
  good("drift", await checkout.phoenix("drift"));
});

test("destroy takes away what the stack wrote, and says what stays", async () => {
  const { code, stdout, stderr } = await checkout.phoenix("destroy", "--yes");
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  expect(stdout + stderr).toMatch(
    new RegExp(`This stays on the host:[^]*the NVIDIA driver ${second}, loaded as it is`),
  );
  expect(await urns(checkout)).toEqual([]);
  expect(
    await onNode(
      "ls /etc/apt/*.d /etc/modprobe.d /etc/modules-load.d /etc/systemd/system | grep phoenix || true",
    ),
  ).toBe("");
  expect(await onNode("ls /var/lib/phoenix /usr/share/keyrings/phoenix* 2>/dev/null || true")).toBe("");
  expect(await versions()).toBe(all(second));
});

test("the vendor's installer: not beside another driver's packages; another checksum is named and it is not run; the right one brings the same", async () => {
  configure(runfile(first));
  const mixed = await checkout.phoenix("up", "--yes", "--skip-preview");
  expect(mixed.stdout + mixed.stderr).toMatch(
    /packages of another driver are installed \(libnvidia-ml1 nvidia-driver-cuda nvidia-kernel-dkms\)/,
  );
  await onNode(
    "apt-get -qq -y purge 'nvidia-*' libnvidia-ml1 >/dev/null && rmmod nvidia_uvm nvidia && ldconfig && rm -f /var/log/stand-in-runfile.log",
  );
  const wrong = "0".repeat(64);
  configure(runfile(first, wrong));
  const { code, stdout, stderr } = await checkout.phoenix("up", "--yes", "--skip-preview");
  expect(code).not.toBe(0);
  expect(stdout + stderr).toMatch(
    new RegExp(
      `${first}\\.run has the SHA-256 ${runfileSums[first] ?? ""}, wanted ${wrong}; it was not used`,
    ),
  );
  expect(
    await onNode("ls /var/log/stand-in-runfile.log /var/cache/phoenix /usr/src/nvidia* 2>/dev/null || true"),
  ).toBe("/var/cache/phoenix:");
  configure(runfile(first));
  await up();
  expect(await versions()).toBe(all(first));
  expect(await onNode("cat /var/log/stand-in-runfile.log")).toMatch(/^--silent .*--dkms/);
  expect(await onNode("dkms status")).toMatch(new RegExp(`^nvidia/${first}, `));
  expect(await devices()).toContain("/dev/nvidia1 ");
  expect(await preview()).toEqual([]);
  good("destroy", await checkout.phoenix("destroy", "--yes"));
  expect(await onNode("ls /var/cache/phoenix /var/lib/phoenix 2>/dev/null || true")).toBe(
    "/var/cache/phoenix:",
  );
});
