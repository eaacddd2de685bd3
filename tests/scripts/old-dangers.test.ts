import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Bench, root } from "./run-script.ts";

/** What hurt people in the systems replaced, as rules that hold for every script of the host, those to come included. */
const folders = ["bin/hypervisor", "bin/lib", "bin/node"];
const scripts = folders
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
  .filter((file) => /\.(sh|pl)$/.test(file) && !file.includes("/guest_"));
/** Without comments, and without what is only said to a person. */
const code = (file: string): string =>
  readFileSync(join(root, file), "utf8")
    .replace(/^\s*#.*$/gm, "")
    .replace(/\\\n/g, " ")
    .replace(/\b(note|reason|fail|stop_for_reboot|cannot_check|echo|die)\b[^\n]*/g, "");
const acting = (what: RegExp): string[] => scripts.filter((file) => what.test(code(file)));

describe.each([
  [
    "create_heads_user: /etc/sudoers itself is never edited",
    /\/etc\/sudoers(?!\.d\/)/,
    "echo '%sudo ALL=(ALL) ALL' >>/etc/sudoers",
  ],
  [
    "set_heads_password: no script asks anybody for anything",
    /\/dev\/tty|\bread -[a-z]*[sp]\b|(?<!getent |number_of )\bpasswd |\bsmbpasswd\b/,
    "read -rsp Password: password",
  ],
  [
    "configure_vfio: nothing binds a GPU to vfio or keeps the driver from it",
    /vfio|blacklist nvidia\b|intel_iommu/,
    "put_file /etc/modprobe.d/vfio.conf",
  ],
  [
    "install_nvidia: no script reboots the node in mid-run, or purges packages",
    /\bsystemctl (reboot|poweroff)\b|\bshutdown\b|^\s*reboot\b|\bapt-get [^\n]*(purge|autoremove)\b/m,
    "apt-get -y purge '*nvidia*'",
  ],
  [
    "setup_firewall: no script stops the node's firewall or sets its policy",
    /pve-firewall|\bufw\b|policy_in/,
    "pve-firewall stop",
  ],
  ["setup_nfs: no script writes /etc/exports", /\/etc\/exports/, "printf x >/etc/exports"],
  [
    "setup_samba: no script writes smb.conf, and none holds a password",
    /smb\.conf|password=['"a-zA-Z0-9]/,
    "put_file /etc/samba/smb.conf",
  ],
  [
    "F2 initial_setup: no script rewrites or restarts the node's network",
    /\/etc\/network|interfaces\.d|ifreload|ifup|systemctl (re)?start (networking|systemd-networkd)|\/etc\/resolv\.conf/,
    "systemctl restart networking",
  ],
] as const)("%s", (_, what, bad) => {
  test("in all scripts", () => {
    expect(bad).toMatch(what);
    expect(scripts.length).toBeGreaterThan(30);
    expect(acting(what)).toEqual([]);
  });
});

test("initial_setup: everything is upgraded by one script alone, which has its own setting", () => {
  expect(acting(/\b(dist-upgrade|full-upgrade)\b|apt-get [^\n]*\bupgrade\b/)).toEqual([
    "bin/hypervisor/feature_upgrade_packages.sh",
  ]);
});

test("F10: nothing from the net goes into a shell, and no script takes what is newest", () => {
  expect(
    acting(/\b(curl|wget)\b[^\n]*\|\s*(ba|da)?sh\b|:latest\b|\b(ba)?sh\b[^\n]*<\(\s*(curl|wget)/),
  ).toEqual([]);
});

test("F8: a check that cannot look is no check that passed", () => {
  const bench = new Bench();
  try {
    for (const script of readdirSync(join(root, "bin/hypervisor")).filter((name) => name.endsWith(".sh"))) {
      const { code: exit } = bench.run(`bin/hypervisor/${script}`, ["check"], {
        stack: "dev",
        parameters: {},
      });
      expect(exit, `${script} without what it needs`).not.toBe(0);
    }
  } finally {
    bench.close();
  }
});
