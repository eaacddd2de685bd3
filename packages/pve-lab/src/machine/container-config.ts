/** What the node's LXC configuration depends on. */
export interface ContainerSettings {
  readonly name: string;
  readonly lower: string;
  readonly upper: string;
  readonly bridge: string;
  readonly mtu: number;
  readonly address: string;
  readonly gateway: string;
  readonly consoleLog: string;
  /** Where {@link renderSeccomp} was written. */
  readonly seccompProfile: string;
  /** Whether the machine's device limits are cgroup v2's (eBPF) or the older controller's. */
  readonly cgroup: "unified" | "hybrid";
  /** Bind mounts: place on the machine → place in the node. */
  readonly mounts: readonly { readonly from: string; readonly to: string; readonly readOnly: boolean }[];
}

/** Character and block devices that a node needs; everything else on the machine stays out of reach. */
const devices = [
  "c *:* m", // making nodes is harmless, opening them is what counts
  "b *:* m",
  "c 1:* rwm", // null, zero, random, …
  "c 5:* rwm", // tty, console, ptmx
  "c 136:* rwm", // pts
  "c 10:200 rwm", // /dev/net/tun
  "c 10:229 rwm", // /dev/fuse
  "c 10:237 rwm", // /dev/loop-control
  "b 7:* rwm", // loop devices
];

/** lxc.container.conf(5) has no quoting but takes octal escapes for blanks in mount entries, as fstab does. */
function escapeMount(text: string): string {
  return text.replace(/[ \t\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

/** Renders the lxc.container.conf(5) of the node. */
export function renderContainer(settings: ContainerSettings): string {
  const prefix = settings.cgroup === "unified" ? "lxc.cgroup2" : "lxc.cgroup";
  const lines = [
    "lxc.uts.name = pve",
    "lxc.arch = amd64",
    `lxc.rootfs.path = overlay:${settings.lower}:${settings.upper}`,
    "lxc.apparmor.profile = unconfined",
    // The node must not reach the machine's kernel modules and clock; sysctl outside `net` stays read-only.
    "lxc.cap.drop = sys_module sys_time",
    `lxc.seccomp.profile = ${settings.seccompProfile}`,
    "lxc.mount.auto = proc:mixed sys:mixed",
    // Nested guests need the whole of one cgroup2 tree, whatever layout the machine has.
    "lxc.mount.entry = cgroup2 sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime 0 0",
    // A guest's user namespace may mount proc and sysfs only where an uncovered one is visible.
    "lxc.mount.entry = proc dev/.lxc/proc proc create=dir,optional 0 0",
    "lxc.mount.entry = sysfs dev/.lxc/sys sysfs create=dir,optional 0 0",
    ...settings.mounts.map(
      (mount) =>
        `lxc.mount.entry = ${escapeMount(mount.from)} ${escapeMount(mount.to.replace(/^\//, ""))} none ` +
        `bind,${mount.readOnly ? "ro," : ""}create=dir 0 0`,
    ),
    "lxc.autodev = 1",
    "lxc.autodev.tmpfs.size = 4194304",
    "lxc.tty.max = 0",
    "lxc.pty.max = 4096",
    "lxc.signal.halt = SIGRTMIN+4",
    `lxc.console.logfile = ${settings.consoleLog}`,
    "lxc.console.size = 1MB",
    `${prefix}.devices.deny = a`,
    ...devices.map((device) => `${prefix}.devices.allow = ${device}`),
    "lxc.net.0.type = veth",
    `lxc.net.0.link = ${settings.bridge}`,
    "lxc.net.0.flags = up",
    "lxc.net.0.name = eth0",
    `lxc.net.0.mtu = ${settings.mtu}`,
    `lxc.net.0.ipv4.address = ${settings.address}/24`,
    `lxc.net.0.ipv4.gateway = ${settings.gateway}`,
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * System calls that a node and its guests do without. sync(2) writes back every file system of the whole machine;
 * zfs-fuse calls it, and would then wait for guests' images that lie on zfs-fuse itself: a deadlock for every lab here
 * (seen). fsync, syncfs and freezing stay. Swap and kexec are the machine's own.
 */
export function renderSeccomp(): string {
  const rules = [
    "sync errno 0",
    "swapon errno 1",
    "swapoff errno 1",
    "kexec_load errno 1",
    "kexec_file_load errno 1",
  ];
  return ["2", "denylist", "[all]", ...rules, ""].join("\n");
}
