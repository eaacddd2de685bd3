import { randomInt } from "node:crypto";
import { readTextOr } from "../core/files.ts";
import { place } from "../core/places.ts";
import { run } from "../volumes/run.ts";
import type { GuestConfig } from "./config-file.ts";
import { hostsBlock, interfacesText, networkdFiles, replaceBlock, resolvBlock } from "./guest-text.ts";
import type { GuestRoot } from "./inside-root.ts";

/** Kinds of operating system that the node knows how to set up (the lab: those that look like Debian). */
const DEBIAN_LIKE = new Set(["debian", "devuan", "ubuntu"]);

/** What is in a root file system. @throws Error with PVE's text when nothing is recognised */
export function detectSystem(root: GuestRoot): { ostype: string; arch: string } {
  const release = root.read("/etc/os-release") ?? root.read("/usr/lib/os-release") ?? "";
  const id =
    /^ID="?([a-z]+)"?$/m.exec(release)?.[1] ?? (root.exists("/etc/debian_version") ? "debian" : undefined);
  const known = [
    "alpine",
    "archlinux",
    "centos",
    "debian",
    "devuan",
    "fedora",
    "gentoo",
    "nixos",
    "opensuse",
    "ubuntu",
  ];
  const ostype = id !== undefined && known.includes(id) ? id : id === "arch" ? "archlinux" : "unmanaged";
  return { ostype, arch: "amd64" };
}

/** Before each start: name, addresses, name servers. */
export function writeNetworkFiles(vmid: number, config: GuestConfig, root: GuestRoot): void {
  const { values } = config;
  if (!DEBIAN_LIKE.has(values["ostype"] ?? "")) return;
  const hostname = (values["hostname"] ?? `CT${vmid}`).split(".")[0] ?? "";
  root.write("/etc/hostname", `${hostname}\n`);
  const hosts =
    root.read("/etc/hosts") ?? "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n";
  root.write("/etc/hosts", replaceBlock(hosts, hostsBlock(vmid, values), true));
  if (!root.exists("/etc/.pve-ignore.resolv.conf")) {
    const block = resolvBlock(values, readTextOr(place("/etc/resolv.conf"), ""));
    root.write("/etc/resolv.conf", replaceBlock("", block));
  }
  if (root.exists("/etc/.pve-ignore.interfaces")) return;
  if (root.exists("/etc/network") && (root.exists("/sbin/ifup") || root.exists("/usr/sbin/ifup")))
    root.write("/etc/network/interfaces", interfacesText(values));
  else if (root.exists("/etc/systemd/network"))
    for (const [name, text] of Object.entries(networkdFiles(values)))
      root.write(`/etc/systemd/network/${name}`, text);
}

/** Once after unpacking: root's password and keys, identity. */
export async function finishNewGuest(
  root: GuestRoot,
  options: { password?: string; keys?: string },
): Promise<void> {
  forgetIdentity(root);
  // Units that make no sense in a container; they cannot be disabled, only masked.
  if (root.exists("/etc/systemd/system"))
    for (const unit of ["sys-kernel-config.mount", "sys-kernel-debug.mount"])
      root.link(`/etc/systemd/system/${unit}`, "/dev/null");
  await setRootPassword(root, options.password);
  if (options.keys) {
    root.makeFolder("/root/.ssh", 0o700);
    const keys = `${options.keys.trim()}\n`;
    const before = root.read("/root/.ssh/authorized_keys") ?? "";
    if (!before.includes(keys)) root.write("/root/.ssh/authorized_keys", before + keys, 0o600);
  }
  await makeHostKeys(root);
}

/** After a clone: what must be different in each guest. */
export async function finishClone(root: GuestRoot): Promise<void> {
  forgetIdentity(root);
  await makeHostKeys(root);
}

/** An empty machine id is filled at the next boot; Proxmox VE empties it for new guests and clones. */
function forgetIdentity(root: GuestRoot): void {
  if (root.exists("/etc/machine-id")) root.write("/etc/machine-id", "");
}

async function setRootPassword(root: GuestRoot, password: string | undefined): Promise<void> {
  const shadow = root.read("/etc/shadow");
  if (shadow === undefined || password === undefined) return;
  const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./";
  const salt = Array.from({ length: 16 }, () => alphabet[randomInt(alphabet.length)]).join("");
  // perl's crypt takes the password from standard input: it never stands on a command line.
  const script = 'chomp(my ($s, @p) = <STDIN>); print crypt(join("\\n", @p), "\\$6\\$$s\\$")';
  const hash = await run("perl", ["-e", script], { input: `${salt}\n${password}\n` });
  root.write(
    "/etc/shadow",
    shadow.replace(/^root:[^:]*:/m, () => `root:${hash}:`),
    0o640,
  );
}

/** Fresh SSH host keys where an SSH server is installed. */
async function makeHostKeys(root: GuestRoot): Promise<void> {
  if (!root.exists("/etc/ssh/sshd_config")) return;
  const { mkdtemp, readFile, rm } = await import("node:fs/promises");
  const folder = await mkdtemp("/tmp/pve-host-keys-");
  try {
    for (const type of ["rsa", "ecdsa", "ed25519"]) {
      const name = `ssh_host_${type}_key`;
      if (!root.exists(`/etc/ssh/${name}`)) continue;
      const comment = `root@${(root.read("/etc/hostname") ?? "localhost").trim()}`;
      await run("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", comment, "-f", `${folder}/${name}`]);
      root.write(`/etc/ssh/${name}`, await readFile(`${folder}/${name}`, "utf8"), 0o600);
      root.write(`/etc/ssh/${name}.pub`, await readFile(`${folder}/${name}.pub`, "utf8"), 0o644);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
