import { describe, expect, it } from "vitest";
import { imageDigest } from "../src/image/recipe.ts";
import { commonFiles, enablingLinks } from "../src/image/units.ts";
import { bookwormLines, debianSources } from "../src/machine/apt-sources.ts";
import { renderContainer, renderSeccomp } from "../src/machine/container-config.ts";
import { deletions, forwardedPorts, labRules } from "../src/machine/firewall.ts";
import { defaultPort, locateLab } from "../src/machine/lab.ts";
import { chooseOctet } from "../src/machine/subnet.ts";

const deb822 = `# a comment
Types: deb deb-src
# http://snapshot.example.org/archive/debian/20250520T000000Z
URIs: http://mirror.example.org/debian/
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://mirror.example.org/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: https://vendor.example.org/node_20.x
Suites: nodistro
Components: main

Enabled: no
Types: deb
URIs: http://off.example.org/debian
Suites: bookworm
Components: main
`;

describe("the machine's apt sources", () => {
  it("finds Debian's archives in deb822 files, and nothing else", () => {
    expect(debianSources([{ name: "debian.sources", text: deb822 }])).toEqual([
      { uri: "http://mirror.example.org/debian", kind: "main" },
      { uri: "http://mirror.example.org/debian-security", kind: "security" },
    ]);
  });

  it("reads one-line files with options and snapshot mirrors", () => {
    const text = [
      "# deb http://commented.example.org/debian bookworm main",
      "deb [check-valid-until=no signed-by=/x.gpg] http://snap.example.org/archive/debian/20250520T000000Z bookworm main",
      "deb http://snap.example.org/archive/debian-security/20250520T000000Z bookworm-security main contrib",
      "deb-src http://src.example.org/debian bookworm main",
      "deb https://vendor.example.org/linux/debian-like stable main",
      "deb cdrom:[Debian]/ bookworm main",
    ].join("\n");
    expect(debianSources([{ name: "sources.list", text }])).toEqual([
      { uri: "http://snap.example.org/archive/debian/20250520T000000Z", kind: "main" },
      { uri: "http://snap.example.org/archive/debian-security/20250520T000000Z", kind: "security" },
    ]);
  });

  it("ignores files that apt would not read, and names each archive once", () => {
    const line = "deb http://mirror.example.org/debian bookworm main\n";
    expect(debianSources([{ name: "old.list.disabled", text: line }])).toEqual([]);
    expect(debianSources([{ name: "a.list", text: line + line }])).toHaveLength(1);
  });

  it("asks for Debian 12 whatever release the machine has", () => {
    const text = "deb http://mirror.example.org/debian trixie main\n";
    expect(bookwormLines(debianSources([{ name: "a.list", text }]))).toEqual([
      "deb http://mirror.example.org/debian bookworm main",
      "deb http://mirror.example.org/debian bookworm-updates main",
    ]);
  });
});

describe("the lab's network", () => {
  it("takes the wanted one if it is free", () => {
    expect(chooseOctet(["default", "192.0.2.0/24", "10.213.8.0/24"], 7)).toBe(7);
  });

  it("goes on to the next free one and wraps around", () => {
    expect(chooseOctet(["10.213.254.0/24", "10.213.1.1"], 254)).toBe(2);
  });

  it("sees wider and narrower networks that overlap", () => {
    expect(chooseOctet(["10.213.0.0/21"], 3)).toBe(8);
    expect(chooseOctet(["10.213.5.128/25"], 5)).toBe(6);
    expect(chooseOctet(["10.0.0.0/8"], 5)).toBeUndefined();
  });
});

describe("the firewall", () => {
  const saved = `*nat
:PREROUTING ACCEPT [0:0]
-A OUTPUT -d 127.0.0.1/32 -p tcp -m tcp --dport 25187 -m comment --comment phoenix-lab-0000aaaa -j DNAT --to-destination 10.213.3.2:8006
-A POSTROUTING -s 10.9.0.0/24 -m comment --comment "somebody else" -j MASQUERADE
COMMIT
*filter
-A FORWARD -i phx0000aaaa -m comment --comment "phoenix-lab-0000aaaa" -j ACCEPT
-A FORWARD -i phx0000bbbb -m comment --comment phoenix-lab-0000bbbb -j ACCEPT
COMMIT
`;

  it("deletes exactly the lab's own rules", () => {
    const found = deletions(saved, "phoenix-lab-0000aaaa");
    expect(found.map((args) => args.slice(0, 4))).toEqual([
      ["-t", "nat", "-D", "OUTPUT"],
      ["-t", "filter", "-D", "FORWARD"],
    ]);
    expect(found[1]).toContain("phx0000aaaa");
  });

  it("knows which lab forwards a port", () => {
    expect(forwardedPorts(saved)).toEqual(new Map([[25_187, "phoenix-lab-0000aaaa"]]));
  });

  it("opens ports on 127.0.0.1 only", () => {
    const rules = labRules("phx0000aaaa", "10.213.3.0/24", [{ port: 20_000, target: "10.213.3.2:8006" }]);
    const forward = rules.filter((rule) => rule.spec.includes("DNAT"));
    expect(forward).toHaveLength(1);
    expect(forward[0]?.chain).toBe("OUTPUT");
    expect(forward[0]?.spec.slice(0, 2)).toEqual(["-d", "127.0.0.1/32"]);
  });
});

describe("the node's container", () => {
  const settings = {
    name: "phoenix-lab-0000aaaa",
    lower: "/cache/root",
    upper: "/state/root/upper",
    bridge: "phx0000aaaa",
    mtu: 1400,
    address: "10.213.3.2",
    gateway: "10.213.3.1",
    consoleLog: "/state/log/console.log",
    seccompProfile: "/state/lxc/seccomp",
    cgroup: "hybrid" as const,
    mounts: [{ from: "/a b", to: "/opt/pve-lab", readOnly: true }],
  };

  it("keeps the machine out of reach", () => {
    const lines = renderContainer(settings).split("\n");
    expect(lines).toContain("lxc.cap.drop = sys_module sys_time");
    expect(lines).toContain("lxc.mount.auto = proc:mixed sys:mixed");
    const allowed = lines
      .filter((line) => line.includes("devices.allow"))
      .map((line) => line.split(" = ")[1]);
    expect(lines.indexOf("lxc.cgroup.devices.deny = a")).toBeGreaterThan(0);
    expect(allowed.filter((device) => device?.startsWith("b "))).toEqual(["b *:* m", "b 7:* rwm"]);
    expect(renderSeccomp().split("\n")).toContain("sync errno 0");
  });

  it("names the device controller of the machine's cgroup layout, and escapes blanks in paths", () => {
    expect(renderContainer({ ...settings, cgroup: "unified" })).toContain("lxc.cgroup2.devices.deny = a");
    expect(renderContainer(settings)).toContain(
      "lxc.mount.entry = /a\\040b opt/pve-lab none bind,ro,create=dir 0 0",
    );
  });

  it("enables every unit that has an [Install] section", () => {
    const files = commonFiles();
    const units = files.filter((file) => file.path.endsWith(".service"));
    const links = enablingLinks(files);
    expect(units.length).toBeGreaterThan(3);
    expect(new Set(links.map((link) => link.target))).toEqual(new Set(units.map((unit) => unit.path)));
    expect(
      enablingLinks([{ path: "/etc/systemd/system/x@.service", mode: 0o644, text: "WantedBy=a.target" }]),
    ).toEqual([]);
  });
});

describe("identity", () => {
  it("follows from the checkout, or from the state directory if one is given", () => {
    const lab = locateLab(undefined, "/nowhere/checkout");
    expect(lab.state).toBe("/nowhere/checkout/.phoenix/lab");
    expect(lab.id).toMatch(/^[0-9a-f]{8}$/);
    expect(lab.bridge.length).toBeLessThanOrEqual(15);
    expect(locateLab("/nowhere/state", "/nowhere/checkout").id).not.toBe(lab.id);
  });

  it("leaves three ports to each lab", () => {
    for (const id of ["00000000", "ffffffff", "16d42c14"]) {
      expect(defaultPort(id)).toBeGreaterThanOrEqual(20_000);
      expect(defaultPort(id) + 2).toBeLessThan(32_000);
      expect((defaultPort(id) - 20_000) % 3).toBe(0);
    }
  });

  it("keys images by what they are made from", () => {
    const recipe = { sources: ["deb http://m/debian bookworm main"], aptOptions: [], architecture: "amd64" };
    expect(imageDigest(recipe)).toBe(imageDigest({ ...recipe }));
    expect(imageDigest({ ...recipe, sources: ["deb http://n/debian bookworm main"] })).not.toBe(
      imageDigest(recipe),
    );
  });
});
