import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LabNode } from "./lab-node.ts";

let node: LabNode;
/** Where the node's own packages come from; a repository of the tests is another suite of it. */
let mirror = "";
beforeAll(async () => {
  node = await LabNode.start();
  const targets = "apt-get indextargets --no-release-info --format '$(RELEASE) $(REPO_URI)'";
  mirror = (await node.good(`${targets} | sed -n 's|^bookworm \\(.*\\)/$|\\1|p' | head -n 1`)).trim();
  expect(mirror).toMatch(/^https?:\/\/[^ ]+$/);
  await node.good("mkdir -p /var/lib/phoenix/scripts");
}, 900_000);
afterAll(() => node.stop());

const feature = (name: string): string => `hypervisor/feature_${name}.sh`;
const input = (parameters: object, allow: string[] = []) => ({ stack: "scripts", parameters, allow });
const remove = async (name: string, document: object): Promise<string> => {
  const { code, stderr } = await node.run(feature(name), "remove", document);
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  return stderr;
};
/** What a step must not touch. */
const etc = (): Promise<string> =>
  node.good("cd /etc && find . -type f -o -type l | sort | xargs sha256sum 2>/dev/null | sha256sum");

const keyPath = "/usr/share/keyrings/debian-archive-keyring.gpg";
const repository = (more: object = {}, allow: string[] = []) =>
  input(
    {
      name: "backports",
      uris: [mirror],
      suites: ["bookworm-backports"],
      components: ["non-free"],
      keyPath,
      ...more,
    },
    allow,
  );
const file = "/etc/apt/sources.list.d/backports.sources";

describe("repositories", () => {
  test("one is made with its key, once, follows each edit, and goes without a trace", async () => {
    const before = await etc();
    expect(await node.converge(feature("setup_repository"), repository())).toEqual([`${file} is not there`]);
    expect(await node.good(`grep -v '^#' ${file}`)).toBe(
      `Types: deb\nURIs: ${mirror}\nSuites: bookworm-backports\nComponents: non-free\nSigned-By: ${keyPath}`,
    );
    const edited = repository({ components: ["non-free", "contrib"] });
    expect(await node.converge(feature("setup_repository"), edited)).toEqual([
      `${file} is not as configured`,
    ]);
    await remove("setup_repository", edited);
    await remove("setup_repository", edited);
    expect(await etc()).toBe(before);
  });

  test("a key that does not sign it, or has another checksum, is refused and nothing is left behind", async () => {
    const before = await etc();
    const removed = "/usr/share/keyrings/debian-archive-removed-keys.gpg";
    expect(await node.fails(feature("setup_repository"), "apply", repository({ keyPath: removed }))).toMatch(
      /^24 .*taken away again/s,
    );
    const wrong = repository({ keySha256: createHash("sha256").update("x").digest("hex") });
    expect(await node.fails(feature("setup_repository"), "apply", wrong)).toMatch(/^28 .*another checksum/s);
    const stray = repository({ keyPath: "/etc/hostname" });
    expect(await node.fails(feature("setup_repository"), "apply", stray)).toMatch(/^28 .*no package/s);
    expect(await etc()).toBe(before);
  });

  test("a key given as text lies beside it", async () => {
    const keyText = await node.good("cat /etc/apt/trusted.gpg.d/debian-archive-bookworm-automatic.asc");
    const document = repository({ keyPath: undefined, keyText });
    await node.converge(feature("setup_repository"), document);
    expect(await node.good(`grep Signed-By ${file}; cat /etc/apt/keyrings/backports.asc`)).toBe(
      `Signed-By: /etc/apt/keyrings/backports.asc\n${keyText}`,
    );
    await remove("setup_repository", document);
    expect(await node.good("ls /etc/apt/keyrings /etc/apt/sources.list.d")).not.toContain("backports");
  });

  test("F1: a suite of another release is refused", async () => {
    const wrong = repository({ suites: ["trixie-backports"] });
    expect(await node.fails(feature("setup_repository"), "apply", wrong)).toMatch(
      /^25 .*belongs to Debian trixie, and this node is Debian bookworm/s,
    );
  });

  test("what a person wrote or edited is never overwritten or removed without a word", async () => {
    await node.good(`echo '# mine' >${file}`);
    expect(await node.fails(feature("setup_repository"), "apply", repository())).toMatch(
      /^25 .*not written by this stack/s,
    );
    await node.converge(feature("setup_repository"), repository({}, ["replace"]));
    await remove("setup_repository", repository());
    expect(await node.good(`cat ${file}`)).toBe("# mine");
    await node.good(`rm ${file}`);

    await node.converge(feature("setup_repository"), repository());
    await node.good(`echo '# edited' >>${file}`);
    expect(await node.reasons(feature("setup_repository"), repository())).toEqual([
      `${file} was edited by hand`,
    ]);
    expect(await node.fails(feature("setup_repository"), "apply", repository())).toMatch(/^25 /);
    expect(await remove("setup_repository", repository())).toContain("it stays");
    expect(await node.good(`tail -n 1 ${file}`)).toBe("# edited");
    await node.good(`rm ${file}`);
  });

  test.each([
    [
      "sources",
      "Types: deb\nURIs: https://enterprise.proxmox.com/debian/pve\nSuites: trixie\nComponents: pve-enterprise\n",
      "Enabled: no",
    ],
    [
      "list",
      "deb https://enterprise.proxmox.com/debian/pve bookworm pve-enterprise\n",
      "# deb https://enterprise",
    ],
  ])(
    "the subscribers' one (*.%s) is switched off only when asked, and comes back",
    async (suffix, text, off) => {
      const path = `/etc/apt/sources.list.d/pve-enterprise.${suffix}`;
      const document = input({ name: "pve-enterprise" });
      await node.clean(feature("disable_repository"), document);
      await node.good(`cat >${path}`, text);
      expect(await node.converge(feature("disable_repository"), document)).toEqual([`${path} is in use`]);
      expect(await node.good(`cat ${path}`)).toContain(off);
      await remove("disable_repository", document);
      expect(`${await node.good(`cat ${path}`)}\n`).toBe(text);
      await node.good(`rm ${path}`);
    },
  );
});

describe("packages", () => {
  test("what is missing is installed, and stays", async () => {
    const document = input({ packages: ["logrotate", "tree"] });
    expect(await node.converge(feature("install_packages"), document)).toEqual([
      "package logrotate is missing",
      "package tree is missing",
    ]);
    expect(await remove("install_packages", document)).toContain("nothing to undo");
    await node.clean(feature("install_packages"), document);
  });

  test("hypervisor_initial_setup.sh: nothing is upgraded but by its own step, once for each word", async () => {
    const versions = "dpkg-query -W";
    const before = await node.good(versions);
    await node.good(`rm -rf /var/lib/phoenix/scripts/upgraded`);
    for (const [name, document] of [
      ["install_packages", input({ packages: ["tree"] })],
      ["setup_repository", repository()],
      ["set_timezone", input({ timezone: "Etc/UTC" })],
    ] as const)
      expect((await node.run(feature(name), "apply", document)).code).toBe(0);
    expect(await node.good(versions)).toBe(before);
    await remove("setup_repository", repository());

    const upgrade = input({ mark: "2026-11" });
    expect(await node.converge(feature("upgrade_packages"), upgrade)).toEqual([
      "the upgrade '2026-11' was not made yet",
    ]);
    expect(await node.reasons(feature("upgrade_packages"), input({ mark: "2026-12" }))).toHaveLength(1);
  });

  test("F6: a reboot that is due stops every step behind it, until the node was rebooted", async () => {
    await node.good("touch /run/reboot-required");
    const upgrade = input({ mark: "2026-12" });
    expect(await node.fails(feature("upgrade_packages"), "apply", upgrade)).toMatch(
      /^26 .*reboot the node; nothing behind this step was started/s,
    );
    const timezone = input({ timezone: "Europe/Berlin" });
    expect(await node.fails(feature("set_timezone"), "apply", timezone)).toMatch(
      /^26 .*said by feature_upgrade_packages.sh\): this step was not started/s,
    );
    expect(await node.good("readlink -f /etc/localtime")).toContain("UTC");
    await node.good("rm /run/reboot-required /run/lock/phoenix-scripts.reboot"); // what a boot does: both lie on tmpfs
    expect(await node.good("findmnt -no FSTYPE -T /run/lock")).toBe("tmpfs");
    expect((await node.run(feature("upgrade_packages"), "apply", upgrade)).code).toBe(0);
    expect((await node.run(feature("set_timezone"), "apply", timezone)).code).toBe(0);
    await remove("set_timezone", timezone);
  });
});

describe("time, logs, name", () => {
  test("the time zone is set, mended, and the one before comes back", async () => {
    const before = await etc();
    const document = input({ timezone: "America/New_York" });
    expect(await node.converge(feature("set_timezone"), document)).toEqual([
      "the time zone is 'Etc/UTC', wanted 'America/New_York'",
    ]);
    expect(await node.good("date +%Z; cat /etc/timezone")).toMatch(/^E[SD]T\nAmerica\/New_York$/);
    await node.converge(feature("set_timezone"), input({ timezone: "Europe/Berlin" }));
    await remove("set_timezone", document);
    expect(await etc()).toBe(before);
    expect(await node.fails(feature("set_timezone"), "apply", input({ timezone: "Mars/Olympus" }))).toMatch(
      /^20 .*knows no time zone/s,
    );
    await node.good("ln -sfn /usr/share/zoneinfo/Asia/Tokyo /etc/localtime");
    expect((await node.run(feature("set_timezone"), "apply", document)).code).toBe(0);
    await node.good("ln -sfn /usr/share/zoneinfo/Europe/Rome /etc/localtime");
    await remove("set_timezone", document); // a person's choice since then
    expect(await node.good("readlink -f /etc/localtime")).toContain("Europe/Rome");
    await node.good("ln -sfn /usr/share/zoneinfo/Etc/UTC /etc/localtime; echo Etc/UTC >/etc/timezone");
  });

  test("chrony asks the servers that are configured", async () => {
    const path = "/etc/chrony/sources.d/phoenix.sources";
    const servers = input({ servers: ["time.example.org", "192.0.2.7"] });
    expect(await node.converge(feature("sync_time"), servers)).toEqual([
      "package chrony is missing",
      `${path} is not there`,
    ]);
    expect(await node.good(`cat ${path}; systemctl is-enabled chrony`)).toBe(
      "server time.example.org iburst\nserver 192.0.2.7 iburst\nenabled",
    );
    await node.converge(feature("sync_time"), input({ servers: ["time.example.org"] }));
    await remove("sync_time", servers);
    expect(await node.good(`ls ${path} 2>&1 || true`)).toContain("No such file");
  });

  test("logs are rotated for real, as configured", async () => {
    const rotation = (more: object = {}) =>
      input({
        name: "test",
        files: ["/var/log/phoenix-test/*.log"],
        frequency: "weekly",
        keep: 2,
        compress: false,
        ...more,
      });
    await node.good("mkdir -p /var/log/phoenix-test && echo hello >/var/log/phoenix-test/a.log");
    await node.converge(feature("rotate_logs"), rotation());
    await node.good("logrotate --force /etc/logrotate.d/phoenix-test");
    expect(await node.good("ls /var/log/phoenix-test")).toBe("a.log.1");
    expect(await node.converge(feature("rotate_logs"), rotation({ maxSize: "1M", keep: 7 }))).toHaveLength(1);
    await remove("rotate_logs", rotation());
    expect(await node.good("ls /etc/logrotate.d")).not.toContain("phoenix");
  });

  test("hypervisor_initial_setup.sh: the node's name leads to its own address, never to 127.0.1.1", async () => {
    const before = await node.good("cat /etc/hosts");
    const document = input({ hostname: "pve", address: "10.0.0.13" });
    await node.clean(feature("set_hostname"), document);
    await node.good("sed -i 's/^10.0.0.13/127.0.1.1/' /etc/hosts");
    expect(await node.converge(feature("set_hostname"), document)).toEqual([
      "/etc/hosts does not give pve the address 10.0.0.13 alone",
    ]);
    expect(await node.good("getent ahostsv4 pve | cut -d ' ' -f 1 | sort -u; hostname -f")).toBe(
      "10.0.0.13\npve.phoenix.lab",
    );
    await node.good("echo '192.0.2.9 other' >>/etc/hosts");
    await node.clean(feature("set_hostname"), document);
    await remove("set_hostname", document); // edited since: stays
    expect(await node.good("cat /etc/hosts")).toContain("192.0.2.9 other");
    await node.good("cat >/etc/hosts", `${before}\n`);
    const wrong = input({ hostname: "pve", address: "192.0.2.1" });
    expect(await node.fails(feature("set_hostname"), "apply", wrong)).toMatch(/^28 .*does not have/s);
  });

  test("F2: a new name waits for a reboot, a node with guests keeps its own, and nothing restarts the network", async () => {
    const before = await etc();
    const addresses = await node.good("ip -o address; cat /etc/network/interfaces");
    const renamed = input({ hostname: "phoenix", address: "10.0.0.13" });
    await node.good("touch /etc/pve/lxc/199.conf");
    expect(await node.fails(feature("set_hostname"), "apply", renamed)).toMatch(/^25 .*has guests \(199\)/s);
    await node.good("rm /etc/pve/lxc/199.conf");
    expect(await etc()).toBe(before);
    expect(await node.fails(feature("set_hostname"), "apply", renamed)).toMatch(
      /^26 .*becomes phoenix at its next boot: reboot the node/s,
    );
    expect(await node.good("cat /etc/hostname; grep phoenix.phoenix /etc/hosts; hostname")).toBe(
      "phoenix\n10.0.0.13 phoenix.phoenix.lab phoenix\npve",
    );
    await remove("set_hostname", renamed);
    await node.good("rm /run/lock/phoenix-scripts.reboot");
    expect(await etc()).toBe(before);
    expect(await node.good("ip -o address; cat /etc/network/interfaces")).toBe(addresses);
  });
});

describe("ZFS", () => {
  test("the limit of the ARC lies where every boot finds it; what cannot be set now is said", async () => {
    const path = "/etc/modprobe.d/zz-phoenix-zfs-arc.conf";
    const limit = (maxGb: number) => input({ maxGb });
    expect(await node.converge(feature("limit_arc"), limit(2))).toEqual([`${path} is not there`]);
    expect(await node.good(`grep -v '^#' ${path}`)).toBe("options zfs zfs_arc_max=2147483648");
    expect((await node.run(feature("limit_arc"), "apply", limit(3))).stderr).toContain("no zfs_arc_max");
    expect(await node.fails(feature("limit_arc"), "apply", limit(100_000))).toMatch(/^28 .*of memory/s);
    await remove("limit_arc", limit(3));
    expect(await node.good("ls /etc/modprobe.d")).toBe("");
  });

  test("a scrub runs by its timer, is mended, and goes with it", async () => {
    const scrub = (schedule: string) => input({ pool: "tank", schedule });
    expect(await node.converge(feature("scrub_pool"), scrub("monthly"))).toHaveLength(3);
    const next = "systemctl show phoenix-scrub-tank.timer -p TimersCalendar -p UnitFileState -p ActiveState";
    expect(await node.good(next)).toMatch(/OnCalendar=\*-\*-01 00:00:00.*UnitFileState=enabled/s);
    expect(await node.converge(feature("scrub_pool"), scrub("Sun *-*-* 03:00:00"))).toHaveLength(1);
    expect(await node.good(next)).toMatch(/OnCalendar=Sun \*-\*-\* 03:00:00/);
    await node.good("systemctl disable --now phoenix-scrub-tank.timer");
    expect(await node.converge(feature("scrub_pool"), scrub("Sun *-*-* 03:00:00"))).toHaveLength(1);
    expect(await node.good("grep -h ExecStart /etc/systemd/system/phoenix-scrub-tank.service")).toMatch(
      /zpool scrub tank$/,
    );
    expect(await node.fails(feature("scrub_pool"), "apply", scrub("whenever"))).toMatch(/^20 /);
    await remove("scrub_pool", scrub("weekly"));
    expect(await node.good("ls /etc/systemd/system; systemctl list-timers --all")).not.toContain(
      "phoenix-scrub",
    );
  });
});

test.each([
  ["pve-manager/7.4-17/513c62be (running kernel: 5.15.107-2-pve)", /^21 .*Proxmox VE 7.*knows 8 and 9/s],
  ["pve-manager/10.0.1/abc (running kernel: 7)", /^21 .*Proxmox VE 10/s],
  ["something else", /^21 .*names no version/s],
])("another platform is refused before anything is touched: %s", async (version, message) => {
  const before = await etc();
  await node.good(
    "mkdir -p /usr/local/sbin && cat >/usr/local/sbin/pveversion",
    `#!/bin/sh\necho '${version}'\n`,
  );
  try {
    const path = "chmod 755 /usr/local/sbin/pveversion; PATH=/usr/local/sbin:$PATH";
    const script = `/root/phoenix-scripts/${feature("limit_arc")} apply`;
    const { code, stderr } = await node.shell(`${path} ${script}`, JSON.stringify(input({ maxGb: 1 })));
    expect(`${code} ${stderr}`).toMatch(message);
    expect(await etc()).toBe(before);
  } finally {
    await node.good("rm /usr/local/sbin/pveversion");
  }
});

test("Proxmox VE 9 is told apart: its release is trixie", async () => {
  await node.good(
    "cat >/usr/local/sbin/pveversion && chmod 755 /usr/local/sbin/pveversion",
    "#!/bin/sh\necho 'pve-manager/9.0.3/abc (running kernel: 6.14)'\n",
  );
  try {
    const script = `PATH=/usr/local/sbin:$PATH /root/phoenix-scripts/${feature("setup_repository")} apply`;
    const { code, stderr } = await node.shell(script, JSON.stringify(repository()));
    expect(`${code} ${stderr}`).toMatch(/^25 .*bookworm, and this node is Debian trixie/s);
  } finally {
    await node.good("rm /usr/local/sbin/pveversion");
  }
});
