import { createHash } from "node:crypto";

/** Debian 12 packages of the node, on top of mmdebstrap's `minbase`. */
export const nodePackages = [
  "bridge-utils",
  "ca-certificates",
  "curl",
  "dbus",
  "e2fsprogs",
  "fdisk",
  "file",
  "gdisk",
  "ifupdown",
  "iproute2",
  "iptables",
  "iputils-ping",
  "kmod",
  "less",
  "locales",
  "lsof",
  "lxc",
  "nano",
  "openssh-server",
  "parted",
  "pciutils",
  "perl",
  "procps",
  "psmisc",
  "systemd",
  "systemd-sysv",
  "tzdata",
  "uidmap",
  "xfsprogs",
  "xz-utils",
  "zfs-fuse",
  "zstd",
] as const;

/** Debian 12 packages of the guests' OS template. */
export const templatePackages = [
  "ca-certificates",
  "dbus",
  "ifupdown",
  "iproute2",
  "iputils-ping",
  "isc-dhcp-client",
  "netbase",
  "procps",
  "systemd",
  "systemd-sysv",
] as const;

export const templateName = "debian-12-standard_12_amd64.tar.zst";

/** Units that make no sense in the node, or would act on the machine under it. */
export const maskedUnits = [
  "apt-daily-upgrade.timer",
  "apt-daily.timer",
  "e2scrub_all.timer",
  "e2scrub_reap.service",
  "fstrim.timer",
  "lxc-monitord.service",
  "lxc-net.service",
  "lxc.service",
  "sys-kernel-debug.mount",
  "sys-kernel-tracing.mount",
  "dev-hugepages.mount",
  "systemd-sysctl.service",
  "systemd-modules-load.service",
  "console-getty.service",
] as const;

/** Raise it when the way of building changes without the lists above changing. */
const revision = 3;

/** What an image is made from; the same recipe gives the same cache entry. */
export interface Recipe {
  readonly sources: readonly string[];
  readonly aptOptions: readonly string[];
  readonly architecture: string;
}

export function imageDigest(recipe: Recipe): string {
  const content = JSON.stringify({ revision, recipe, nodePackages, templatePackages, maskedUnits });
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}
