import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeText, emptyConfig, encodeText, parseConfig, writeConfig } from "../src/guests/config-file.ts";
import { configAnswer, pendingAnswer } from "../src/guests/current.ts";

// Written by hand after pct.conf(5): description lines, raw lines, pending and snapshot sections.
const FILE = `#phoenix stack=dev vmid=910
#own text%3A %C3%BC
arch: amd64
cores: 2
cpulimit: 1.5
hostname: serve-page
memory: 1024
net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=10.0.0.110/24,type=veth
onboot: 1
parent: first
protection: 0
rootfs: store:subvol-910-disk-0,size=4G
unprivileged: 1
lxc.idmap: u 0 100000 1000
lxc.cgroup2.devices.allow: c 195:* rwm

[pve:pending]
delete: onboot
nameserver: 1.1.1.1

[first]
#before
arch: amd64
hostname: serve-page
rootfs: store:subvol-910-disk-0,size=4G
snaptime: 1795466708
`;

describe("a guest's configuration file", () => {
  test("is written as it was read", () => {
    expect(writeConfig(parseConfig(FILE))).toBe(FILE);
  });

  test("is taken apart into sections", () => {
    const config = parseConfig(FILE);
    expect(config.description).toBe("phoenix stack=dev vmid=910\nown text: ü\n");
    expect(config.lxc).toEqual([
      ["lxc.idmap", "u 0 100000 1000"],
      ["lxc.cgroup2.devices.allow", "c 195:* rwm"],
    ]);
    expect(config.pending.values).toEqual({ delete: "onboot", nameserver: "1.1.1.1" });
    expect(config.snapshots["first"]?.description).toBe("before\n");
    expect(config.values["snaptime"]).toBeUndefined();
    // sha1sum of the text above
    expect(config.digest).toMatch(/^[0-9a-f]{40}$/);
    expect(parseConfig(`${FILE} `).digest).not.toBe(config.digest);
  });

  test("accepts words for booleans, `=` in raw lines, and skips what is no option", () => {
    const config = parseConfig("onboot: yes\nprotection: off\nlxc.tty.max = 4\n???\nhostname:   a  \n");
    expect(config.values).toEqual({ onboot: "1", protection: "0", hostname: "a" });
    expect(config.lxc).toEqual([["lxc.tty.max", "4"]]);
  });

  test("never holds a line feed inside a value", () => {
    const config = emptyConfig();
    config.values["hostname"] = "a\nonboot: 1";
    expect(() => writeConfig(config)).toThrow("detected invalid newline inside property 'hostname'");
  });

  test("keeps any description without percent signs, line for line", () => {
    const text = fc.string({ unit: "grapheme" }).filter((line) => !line.includes("%"));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (lines) => {
        const wanted = lines.join("\n").replace(/\n+$/, "");
        fc.pre(wanted !== "");
        const config = { ...emptyConfig(), description: wanted };
        expect(parseConfig(writeConfig(config)).description).toBe(`${wanted}\n`);
      }),
      { seed: 910 },
    );
  });

  test("encodes as Proxmox VE: colons, control characters and all beyond ASCII, but no percent sign", () => {
    expect(encodeText("a: 100% ü\t")).toBe("a%3A 100% %C3%BC%09");
    expect(decodeText("a%3A 100% %C3%BC%09")).toBe("a: 100% ü\t");
  });
});

describe("answers about a configuration", () => {
  test("numbers are numbers, booleans bare 0 and 1, waiting changes count unless current ones are asked for", () => {
    const config = parseConfig(FILE);
    const answer = configAnswer(config, false);
    expect(answer).toMatchObject({ cores: 2, cpulimit: "1.5", memory: 1024, protection: 0, unprivileged: 1 });
    expect(answer).toMatchObject({
      nameserver: "1.1.1.1",
      description: "phoenix stack=dev vmid=910\nown text: ü\n",
    });
    expect(answer).not.toHaveProperty("onboot");
    expect(configAnswer(config, true)).toMatchObject({ onboot: 1 });
    expect(configAnswer(config, true)).not.toHaveProperty("nameserver");
  });

  test("pending ones name value, new value and removal", () => {
    const rows = pendingAnswer(parseConfig(FILE));
    expect(rows).toContainEqual({ key: "onboot", value: 1, delete: 1 });
    expect(rows).toContainEqual({ key: "nameserver", pending: "1.1.1.1" });
    expect(rows).toContainEqual({ key: "cores", value: 2 });
    expect(rows.some(({ key }) => key === "delete")).toBe(false);
  });
});
