import type { GuestConfig } from "./config-file.ts";
import { idMap } from "./id-map.ts";
import { parseFeatures, parseNetwork } from "./property-string.ts";
import { segmentOf } from "./segments.ts";
import { passthroughDevices, type DeviceNumbers } from "./devices.ts";

/** What the node offers; the same configuration renders differently on a kernel without a controller. */
export interface NodeFacts {
  /** cgroup2 controllers at hand, e.g. `cpu`, `memory`, `cpuset`. */
  readonly controllers: ReadonlySet<string>;
  /** Processors that guests may use. */
  readonly processors: readonly number[];
  /** Files in /usr/share/lxc/config. */
  readonly includes: ReadonlySet<string>;
  /** Numbers of a device node on the node. */
  readonly deviceNumbers: (path: string) => DeviceNumbers;
  /** The folder that stands for the graphics driver's own in /proc, on a node with simulated cards. */
  readonly driverFolder?: string;
  /** Random order of processors. */
  readonly random?: () => number;
}

export const LXC_FOLDER = "/var/lib/lxc";
const INCLUDES = "/usr/share/lxc/config";

export function rootfsPath(vmid: number): string {
  return `${LXC_FOLDER}/${vmid}/rootfs`;
}

/** Folder with the device nodes that are bound into the guest. */
export function deviceFolder(vmid: number): string {
  return `${LXC_FOLDER}/${vmid}/devices`;
}

/** System calls that Proxmox VE denies in unprivileged containers, as LXC seccomp lines. */
export function seccompRules(features: Readonly<Record<string, string>>): string[] {
  return [
    "ioctl errno 1 [1,0x9400,SCMP_CMP_MASKED_EQ,0xff00]",
    ...(features["keyctl"] === "1" ? [] : ["keyctl errno 38"]),
    "socket errno 97 [0,38,SCMP_CMP_EQ]",
  ];
}

/**
 * The LXC configuration that runs a guest, from its Proxmox VE configuration.
 * @throws Error `missing 'arch' - internal error` and the like for a configuration that cannot run
 */
export function renderLxcConfig(vmid: number, config: GuestConfig, facts: NodeFacts): string {
  const { values } = config;
  for (const key of ["arch", "ostype"])
    if (!values[key]) throw new Error(`missing '${key}' - internal error`);
  if (!values["rootfs"]) throw new Error("missing 'rootfs' configuration");
  const ranges = idMap(config);
  const features = parseFeatures(values["features"]);
  const include = (name: string) =>
    `${INCLUDES}/${facts.includes.has(`${values["ostype"] ?? ""}.${name}`) ? `${values["ostype"] ?? ""}.` : ""}${name}`;
  const lines = [
    "lxc.cgroup.relative = 0",
    `lxc.cgroup.dir.monitor = lxc.monitor/${vmid}`,
    `lxc.cgroup.dir.container = lxc/${vmid}`,
    "lxc.cgroup.dir.container.inner = ns",
    `lxc.arch = ${values["arch"] ?? ""}`,
    `lxc.include = ${include("common.conf")}`,
  ];
  if (ranges.length > 0) {
    lines.push(`lxc.include = ${include("userns.conf")}`);
    if (!hasRaw(config, "lxc.seccomp.profile"))
      lines.push(`lxc.seccomp.profile = ${LXC_FOLDER}/${vmid}/rules.seccomp`);
    lines.push("lxc.mount.auto = sys:mixed");
  }
  // The driver shows itself in every guest's /proc, as it does where guests share a real kernel.
  if (facts.driverFolder !== undefined)
    lines.push(`lxc.mount.entry = ${facts.driverFolder} proc/driver none bind,optional 0 0`);
  if (features["nesting"] === "1") {
    // Unmasked instances: only where such are visible does the kernel allow nested containers their own.
    lines.push("lxc.mount.entry = proc dev/.lxc/proc proc create=dir,optional 0 0");
    lines.push("lxc.mount.entry = sys dev/.lxc/sys sysfs create=dir,optional 0 0");
  }
  if (features["fuse"] === "1") lines.push("lxc.mount.entry = /dev/fuse dev/fuse none bind,create=file 0 0");
  const passed = deviceLines(vmid, values, facts);
  // Debian's userns.conf empties the list; an entry alone would then forbid all other devices, /dev/null among them.
  if (ranges.length > 0 && (passed.length > 0 || hasRaw(config, "lxc.cgroup2.devices.allow")))
    lines.push(...usualDevices);
  lines.push(...passed);
  if (ranges.length > 0 && !hasRaw(config, "lxc.idmap"))
    for (const { kind, inside, outside, count } of ranges)
      lines.push(`lxc.idmap = ${kind} ${inside} ${outside} ${count}`);
  if (values["console"] === "0")
    lines.push("lxc.console.path = none", "lxc.cgroup2.devices.deny = c 5:1 rwm");
  lines.push(
    `lxc.tty.max = ${values["tty"] ?? "2"}`,
    "lxc.environment = TERM=linux",
    `lxc.uts.name = ${values["hostname"] ?? `CT${vmid}`}`,
    ...limitLines(values, facts),
    `lxc.rootfs.path = dir:${rootfsPath(vmid)}`,
    ...(values["entrypoint"] === undefined ? [] : [`lxc.init.cmd = ${values["entrypoint"]}`]),
    ...networkLines(vmid, values),
    ...config.lxc.map(([key, value]) => `${key} = ${value}`),
  );
  if (!hasRaw(config, "lxc.cgroup2.cpuset.cpus")) lines.push(...processorLines(values, facts));
  return `${lines.join("\n")}\n`;
}

/** What LXC's own common.conf lets every guest have. */
const usualDevices = [
  "lxc.cgroup2.devices.deny = a",
  ...[
    "c *:* m",
    "b *:* m",
    ...["1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2", "10:200", "10:229", "136:*"].map(
      (numbers) => `c ${numbers} rwm`,
    ),
  ].map((device) => `lxc.cgroup2.devices.allow = ${device}`),
];

function hasRaw({ lxc }: GuestConfig, key: string): boolean {
  return lxc.some(([name]) => name === key);
}

function deviceLines(vmid: number, values: Readonly<Record<string, string>>, facts: NodeFacts): string[] {
  return passthroughDevices(values).flatMap(({ key, path, denyWrite }) => {
    const { type, major, minor } = facts.deviceNumbers(path);
    const target = path.replace(/^\/+/, "");
    return [
      `lxc.cgroup2.devices.allow = ${type} ${major}:${minor} ${denyWrite ? "r" : "rw"}`,
      `lxc.mount.entry = ${deviceFolder(vmid)}/${key} ${target} none bind,create=file 0 0`,
    ];
  });
}

function limitLines(values: Readonly<Record<string, string>>, { controllers }: NodeFacts): string[] {
  const lines: string[] = [];
  if (controllers.has("memory")) {
    const memory = Number(values["memory"] ?? 512);
    // The soft limit a little below the hard one: the guest is slowed down before it is killed.
    const high = memory >= 16 * 1024 ? (memory - 128) * 1024 * 1024 : memory * 1016 * 1024;
    lines.push(
      `lxc.cgroup2.memory.max = ${memory * 1024 * 1024}`,
      `lxc.cgroup2.memory.high = ${high}`,
      `lxc.cgroup2.memory.swap.max = ${Number(values["swap"] ?? 0) * 1024 * 1024}`,
    );
  }
  if (controllers.has("cpu")) {
    const limit = Number(values["cpulimit"] ?? 0);
    if (limit > 0) lines.push(`lxc.cgroup2.cpu.max = ${Math.trunc(limit * 100000)} 100000`);
    if (values["cpuunits"] !== undefined)
      lines.push(`lxc.cgroup2.cpu.weight = ${Math.min(10000, Math.max(1, Number(values["cpuunits"])))}`);
  }
  return lines;
}

/** Limits of a configuration that this kernel cannot keep: its option names. */
export function unenforcedLimits(
  values: Readonly<Record<string, string>>,
  controllers: ReadonlySet<string>,
): string[] {
  const needs = { memory: "memory", swap: "memory", cpulimit: "cpu", cpuunits: "cpu", cores: "cpuset" };
  return Object.entries(needs).flatMap(([option, controller]) =>
    (values[option] ?? "0") !== "0" && !controllers.has(controller) ? [option] : [],
  );
}

function processorLines(values: Readonly<Record<string, string>>, facts: NodeFacts): string[] {
  const cores = Number(values["cores"] ?? 0);
  if (!facts.controllers.has("cpuset") || cores === 0 || facts.processors.length === 0) return [];
  const random = facts.random ?? Math.random;
  const chosen = [...facts.processors];
  while (chosen.length > cores) chosen.splice(Math.floor(random() * chosen.length), 1);
  return [`lxc.cgroup2.cpuset.cpus = ${chosen.join(",")}`];
}

function networkLines(vmid: number, values: Readonly<Record<string, string>>): string[] {
  return Object.keys(values)
    .filter((key) => /^net\d+$/.test(key))
    .sort()
    .flatMap((key) => {
      const network = parseNetwork(values[key] ?? "");
      const index = key.slice(3);
      const line = (name: string, value: string | undefined) =>
        value === undefined ? [] : [`lxc.net.${index}.${name} = ${value}`];
      const down = network["link_down"] === "1";
      const managed = !down && network["host-managed"] === "1";
      const fixed = (text: string | undefined) => (managed && text && /[.:]/.test(text) ? text : undefined);
      return [
        ...line("type", "veth"),
        ...line("veth.pair", `veth${vmid}i${index}`),
        ...line("link", down ? undefined : segmentOf(network)),
        ...line("hwaddr", network["hwaddr"]),
        ...line("name", network["name"]),
        ...line("mtu", network["mtu"]),
        ...line("ipv4.address", fixed(network["ip"])),
        ...line("ipv4.gateway", managed ? network["gw"] : undefined),
        ...line("ipv6.address", fixed(network["ip6"])),
        ...line("ipv6.gateway", managed ? network["gw6"] : undefined),
        ...line("flags", managed ? "up" : undefined),
      ];
    });
}
