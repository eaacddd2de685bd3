import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  existsSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseConfig } from "../src/guests/config-file.ts";
import {
  hostsBlock,
  interfacesText,
  networkdFiles,
  replaceBlock,
  resolvBlock,
} from "../src/guests/guest-text.ts";
import { idMap, toNodeId, underIdMap } from "../src/guests/id-map.ts";
import { GuestRoot } from "../src/guests/inside-root.ts";
import { toInterfaces } from "../src/guests/interfaces.ts";
import { renderLxcConfig, seccompRules, unenforcedLimits, type NodeFacts } from "../src/guests/lxc-config.ts";
import { parseRanges } from "../src/guests/node-facts.ts";
import * as strings from "../src/guests/property-string.ts";
import { bootOrder, stopOrder } from "../src/guests/startup.ts";

const FACTS: NodeFacts = {
  controllers: new Set(),
  processors: [0, 1, 2, 3],
  includes: new Set(["common.conf", "userns.conf"]),
  deviceNumbers: () => ({ type: "c", major: 195, minor: 255 }),
  random: () => 0,
};

const GUEST = `arch: amd64
cores: 2
cpuunits: 50
features: nesting=1
hostname: web
memory: 1024
net0: name=eth0,bridge=vmbr0,gw=10.0.0.13,hwaddr=BC:24:11:00:00:01,ip=10.0.0.110/24,type=veth
ostype: debian
rootfs: store:subvol-910-disk-0,size=4G
unprivileged: 1
`;

const lines = (text: string, facts: NodeFacts = FACTS) =>
  renderLxcConfig(910, parseConfig(text), facts).split("\n");

describe("the LXC configuration", () => {
  test("of an unprivileged guest maps ids and denies system calls", () => {
    const rendered = lines(GUEST);
    expect(rendered).toContain("lxc.idmap = u 0 100000 65536");
    expect(rendered).toContain("lxc.idmap = g 0 100000 65536");
    expect(rendered).toContain("lxc.include = /usr/share/lxc/config/userns.conf");
    expect(rendered).toContain("lxc.seccomp.profile = /var/lib/lxc/910/rules.seccomp");
    expect(rendered).toContain("lxc.uts.name = web");
    expect(rendered).toContain("lxc.net.0.link = vmbr0");
    expect(rendered).toContain("lxc.net.0.veth.pair = veth910i0");
  });

  test("of a privileged guest does neither", () => {
    const rendered = lines(GUEST.replace("unprivileged: 1\n", "")).join("\n");
    expect(rendered).not.toMatch(/idmap|userns|seccomp/);
  });

  test("shows clean proc and sysfs only with nesting", () => {
    expect(lines(GUEST).join("\n")).toContain("dev/.lxc/proc");
    expect(lines(GUEST.replace("nesting=1", "nesting=0")).join("\n")).not.toContain("dev/.lxc");
  });

  test("sets limits only where the kernel has the controllers", () => {
    expect(lines(GUEST).join("\n")).not.toMatch(/cgroup2\.(?:memory|cpu)/);
    const controllers = new Set(["cpu", "memory", "cpuset"]);
    const rendered = lines(GUEST, { ...FACTS, controllers });
    expect(rendered).toContain("lxc.cgroup2.memory.max = 1073741824");
    expect(rendered).toContain("lxc.cgroup2.memory.high = 1065353216");
    expect(rendered).toContain("lxc.cgroup2.memory.swap.max = 0");
    expect(rendered).toContain("lxc.cgroup2.cpu.weight = 50");
    expect(rendered).toContain("lxc.cgroup2.cpuset.cpus = 2,3");
  });

  test("names the limits that the kernel cannot keep", () => {
    const values = { memory: "512", swap: "0", cores: "2", cpuunits: "50" };
    expect(unenforcedLimits(values, new Set())).toEqual(["memory", "cpuunits", "cores"]);
    expect(unenforcedLimits(values, new Set(["memory", "cpu", "cpuset"]))).toEqual([]);
  });

  test("binds devices that were made for the guest", () => {
    const rendered = lines(`${GUEST}dev0: /dev/nvidia0,gid=44,mode=0666\nfeatures: fuse=1\n`);
    expect(rendered).toContain("lxc.cgroup2.devices.allow = c 195:255 rw");
    // An entry alone would forbid all others.
    expect(rendered).toContain("lxc.cgroup2.devices.allow = c 1:3 rwm");
    expect(lines(GUEST).join("\n")).not.toContain("devices.allow");
    expect(rendered).toContain(
      "lxc.mount.entry = /var/lib/lxc/910/devices/dev0 dev/nvidia0 none bind,create=file 0 0",
    );
    expect(rendered).toContain("lxc.mount.entry = /dev/fuse dev/fuse none bind,create=file 0 0");
  });

  test("keeps raw lines, and an own id map replaces the default one", () => {
    const rendered = lines(`${GUEST}lxc.idmap: u 0 200000 1000\nlxc.idmap: g 0 200000 1000\n`);
    expect(rendered.filter((line) => line.startsWith("lxc.idmap"))).toEqual([
      "lxc.idmap = u 0 200000 1000",
      "lxc.idmap = g 0 200000 1000",
    ]);
  });

  test("is refused without what it needs", () => {
    expect(() => lines(GUEST.replace("arch: amd64\n", ""))).toThrow("missing 'arch' - internal error");
    expect(() => lines(GUEST.replace(/rootfs.*\n/, ""))).toThrow("missing 'rootfs' configuration");
  });

  test("keyctl is denied unless the feature is on", () => {
    expect(seccompRules({})).toContain("keyctl errno 38");
    expect(seccompRules({ keyctl: "1" }).some((rule) => rule.startsWith("keyctl"))).toBe(false);
  });
});

describe("property strings", () => {
  test("are written in PVE's order", () => {
    expect(strings.printNetwork({ type: "veth", ip: "dhcp", name: "eth0", bridge: "vmbr0" })).toBe(
      "name=eth0,bridge=vmbr0,ip=dhcp,type=veth",
    );
    expect(
      strings.printMountPoint(strings.parseMountPoint("size=8G,volume=s:subvol-1-disk-0,backup=1,mp=/x")),
    ).toBe("s:subvol-1-disk-0,mp=/x,backup=1,size=8G");
  });

  test("sizes", () => {
    expect(strings.parseSize("8589934592")).toBe(8589934592);
    expect(strings.parseSize("1.5G")).toBe(1610612736);
    expect(strings.parseSize("8 GB")).toBeUndefined();
    expect([4294967296, 536870912, 1025, 1024 ** 4].map(strings.formatSize)).toEqual([
      "4G",
      "512M",
      "1025",
      "1T",
    ]);
  });

  test("new volumes, kinds of mount points, hardware addresses", () => {
    expect(strings.newVolume("store:0.5")).toEqual({ storage: "store", bytes: 536870912 });
    expect(strings.newVolume("store:subvol-1-disk-0")).toBeUndefined();
    expect(["s:x", "/dev/sda1", "/srv"].map((volume) => strings.mountPointType({ volume }))).toEqual([
      "volume",
      "device",
      "bind",
    ]);
    expect(strings.randomMac(() => 0.999)).toBe("BC:24:11:FF:FF:FF");
    expect(strings.mountPointKeys({ mp10: "", mp2: "", rootfs: "", net0: "" })).toEqual([
      "rootfs",
      "mp2",
      "mp10",
    ]);
  });
});

describe("id maps", () => {
  const config = parseConfig(
    "lxc.idmap: u 0 100000 1000\nlxc.idmap: u 1000 1000 1\nlxc.idmap: g 0 100000 65536\n",
  );
  test("translate ids inside to the node's", () => {
    expect(toNodeId(idMap(config), "u", 999)).toBe(100999);
    expect(toNodeId(idMap(config), "u", 1000)).toBe(1000);
    expect(() => toNodeId(idMap(config), "u", 1001)).toThrow("id 1001 is not mapped into the container");
    expect(toNodeId([], "u", 7)).toBe(7);
  });
  test("become a command line prefix", () => {
    expect(underIdMap(idMap(parseConfig("unprivileged: 1\n")))).toEqual([
      "lxc-usernsexec",
      "-m",
      "u:0:100000:65536",
      "-m",
      "g:0:100000:65536",
      "--",
    ]);
    expect(underIdMap([])).toEqual([]);
  });
});

describe("files written into a guest", () => {
  const { values } = parseConfig(
    `${GUEST}net1: name=eth1,bridge=vmbr0,ip=dhcp,ip6=auto\nsearchdomain: lab.example\n`,
  );

  test("addresses for ifupdown", () => {
    expect(interfacesText(values)).toBe(`auto lo
iface lo inet loopback
iface lo inet6 loopback

auto eth0
iface eth0 inet static
	address 10.0.0.110/24
	gateway 10.0.0.13

auto eth1
iface eth1 inet dhcp
iface eth1 inet6 auto
`);
  });

  test("addresses for systemd-networkd", () => {
    const files = networkdFiles(values);
    expect(Object.keys(files)).toEqual(["eth0.network", "eth1.network"]);
    expect(files["eth0.network"]).toContain("Address = 10.0.0.110/24\nGateway = 10.0.0.13\n");
    expect(files["eth1.network"]).toContain("DHCP = ipv4\n");
  });

  test("own name and name servers, the node's where the guest has none", () => {
    expect(hostsBlock(910, values)).toBe("10.0.0.110 web.lab.example web\n");
    expect(hostsBlock(911, {})).toBe("127.0.1.1 CT911\n");
    expect(resolvBlock(values, "nameserver 10.9.9.9\nsearch node.example\n")).toBe(
      "search lab.example\nnameserver 10.9.9.9\n",
    );
    expect(resolvBlock({ nameserver: "1.1.1.1 8.8.8.8" }, "")).toBe(
      "nameserver 1.1.1.1\nnameserver 8.8.8.8\n",
    );
  });

  test("a block between PVE's marks is replaced and the rest is left alone", () => {
    const once = replaceBlock("127.0.0.1 localhost\n", "10.0.0.1 a\n", true);
    expect(once).toBe("127.0.0.1 localhost\n# --- BEGIN PVE ---\n10.0.0.1 a\n# --- END PVE ---\n");
    const twice = replaceBlock(`${once}1.2.3.4 mine\n`, "10.0.0.2 b\n", true);
    expect(twice).toBe(
      "127.0.0.1 localhost\n# --- BEGIN PVE ---\n10.0.0.2 b\n# --- END PVE ---\n1.2.3.4 mine\n",
    );
    expect(replaceBlock(twice, "", true)).toBe("127.0.0.1 localhost\n1.2.3.4 mine\n");
  });
});

describe("a guest's root seen from the node", () => {
  let folder = "";
  let root: GuestRoot;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "guest-root-"));
    mkdirSync(join(folder, "guest/etc"), { recursive: true });
    writeFileSync(join(folder, "secret"), "untouched");
    root = new GuestRoot(join(folder, "guest"), {
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
    });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("links never lead out of it", () => {
    symlinkSync("../../../../secret", join(folder, "guest/etc/hosts"));
    symlinkSync(join(folder, "secret"), join(folder, "guest/etc/hostname"));
    root.write("/etc/hosts", "new");
    root.write("/etc/hostname", "new");
    expect(readFileSync(join(folder, "secret"), "utf8")).toBe("untouched");
    expect(readFileSync(join(folder, "guest/secret"), "utf8")).toBe("new");
  });

  test("a link to a missing folder is replaced by a file", () => {
    symlinkSync("/run/systemd/resolve/stub-resolv.conf", join(folder, "guest/etc/resolv.conf"));
    root.write("/etc/resolv.conf", "nameserver 1.1.1.1\n");
    expect(readFileSync(join(folder, "guest/etc/resolv.conf"), "utf8")).toBe("nameserver 1.1.1.1\n");
    expect(existsSync(join(folder, "guest/run"))).toBe(false);
  });

  test("a loop of links is an error", () => {
    symlinkSync("b", join(folder, "guest/a"));
    symlinkSync("a", join(folder, "guest/b"));
    expect(() => root.resolve("/a/c")).toThrow("too many links in '/a/c'");
  });
});

test("interfaces answer with the shape that strict clients decode", () => {
  const json = JSON.stringify([
    {
      ifname: "lo",
      address: "00:00:00:00:00:00",
      addr_info: [{ family: "inet", local: "127.0.0.1", prefixlen: 8 }],
    },
    { ifname: "eth0", address: "bc:24:11:00:00:01", addr_info: [] },
  ]);
  const [lo, eth0] = toInterfaces(json);
  expect(lo).toMatchObject({ name: "lo", inet: "127.0.0.1/8", "hardware-address": "00:00:00:00:00:00" });
  expect(lo?.["ip-addresses"]).toEqual([{ "ip-address": "127.0.0.1", prefix: 8, "ip-address-type": "inet" }]);
  expect(eth0).toEqual({
    name: "eth0",
    hwaddr: "bc:24:11:00:00:01",
    "hardware-address": "bc:24:11:00:00:01",
    "ip-addresses": [],
  });
});

test("guests start in order and stop the other way round", () => {
  const guests = [
    { vmid: 103, values: { onboot: "1" } },
    { vmid: 102, values: { onboot: "1", startup: "order=2,down=7" } },
    { vmid: 101, values: { onboot: "1", startup: "order=1,up=3" } },
    { vmid: 100, values: { onboot: "0", startup: "order=1" } },
    { vmid: 900, values: { onboot: "1", template: "1" } },
  ];
  expect(bootOrder(guests)).toEqual([
    { vmid: 101, delay: 3 },
    { vmid: 102, delay: 0 },
    { vmid: 103, delay: 0 },
  ]);
  expect(stopOrder(guests).map(({ vmid, timeout }) => [vmid, timeout])).toEqual([
    [900, 180],
    [103, 180],
    [102, 7],
    [101, 180],
    [100, 180],
  ]);
});

test("ranges of processors", () => {
  expect(parseRanges("0-2,5")).toEqual([0, 1, 2, 5]);
  expect(parseRanges("")).toEqual([]);
});
