import type { NodeFile } from "./node-file.ts";
import { routerFiles } from "./router.ts";

const unit = (name: string, text: string): NodeFile => ({
  path: `/etc/systemd/system/${name}`,
  mode: 0o644,
  text: `${text.trim()}\n`,
});

const script = (name: string, text: string): NodeFile => ({
  path: `/usr/lib/pve-lab/${name}`,
  mode: 0o755,
  text: `#!/bin/sh\nset -eu\n${text.trim()}\n`,
});

/** Device nodes that udev would make: the machine's own nodes are never shared, so that modes set here stay here. */
const devices = script(
  "make-devices",
  `
node() { [ -e "$1" ] || mknod -m "$2" "$1" "$3" "$4" "$5"; }
mkdir -p /dev/net /dev/disk/by-id /dev/mapper
node /dev/fuse 666 c 10 229
node /dev/net/tun 666 c 10 200
node /dev/loop-control 660 c 10 237
number=0
while [ "$number" -lt 128 ]; do
  node "/dev/loop$number" 660 b 7 "$number"
  number=$((number + 1))
done
`,
);

/** Disks: sparse files behind loop devices, under names that do not change. */
const disks = script(
  "attach-disks",
  `
while read -r number id _; do
  file=/var/lib/pve-lab/disks/disk-$number.img
  # Not the loop device of a partition, which lies on the same file.
  device=$(losetup --noheadings --raw --output NAME,OFFSET,SIZELIMIT --associated "$file" |
    awk '$2 == 0 && $3 == 0 { print $1; exit }')
  [ -n "$device" ] || device=$(losetup --find --show --direct-io=on "$file")
  losetup --set-capacity "$device"
  ln -sfn "../../$(basename "$device")" "/dev/disk/by-id/$id"
done </etc/pve-lab/disks
`,
);

/**
 * What the lab was told to lie on a disk, once in its life; then, at every start, what a kernel with udev would show of
 * it: a loop device per partition, and the mount.
 */
const fillDisks = script(
  "fill-disks",
  `
while read -r number id content _; do
  disk=/dev/disk/by-id/$id
  mark=/var/lib/pve-lab/disks/disk-$number.filled
  if [ "$content" != blank ] && ! [ -e "$mark" ]; then
    if [ -n "$(blkid -p "$disk" || true)" ]; then
      echo "$disk is not blank any more: it does not become what the lab was told" >&2
      exit 1
    fi
    case $content in
      partitions)
        printf 'label: gpt\\nsize=1GiB, type=uefi, name=efi\\ntype=linux, name=data\\n' | sfdisk --quiet --no-reread --no-tell-kernel "$disk"
        ;;
      ext4 | mounted) mkfs.ext4 -q -L "lab-$number" "$disk" ;;
      xfs) mkfs.xfs -q -f "$disk" ;;
      swap) mkswap -q "$disk" ;;
      pool)
        /usr/lib/zfs-fuse/zpool create -m none "foreign$number" "$disk"
        /usr/lib/zfs-fuse/zpool export "foreign$number"
        ;;
    esac
    echo "$content" >"$mark"
  fi
  if [ "$content" = mounted ]; then
    mkdir -p "/mnt/lab-disk-$number"
    mountpoint -q "/mnt/lab-disk-$number" || mount "$disk" "/mnt/lab-disk-$number"
  fi
  if [ "$content" = partitions ]; then
    file=/var/lib/pve-lab/disks/disk-$number.img
    table=$(partx --raw --noheadings --output NR,START,SECTORS "$disk")
    printf '%s\\n' "$table" | while read -r part start sectors; do
      [ ! -e "$disk-part$part" ] || continue
      device=$(losetup --find --show --offset $((start * 512)) --sizelimit $((sectors * 512)) "$file")
      ln -sfn "../../$(basename "$device")" "$disk-part$part"
    done
  fi
done </etc/pve-lab/disks
`,
);

const detach = script(
  "detach-disks",
  `
for file in /var/lib/pve-lab/disks/disk-*.img; do
  for device in $(losetup --noheadings --output NAME --associated "$file"); do
    losetup --detach "$device" || true
  done
done
`,
);

/** zfs-fuse stays in the foreground when systemd is its parent; it is ready once its socket answers. */
const mountZfs = script(
  "mount-zfs",
  `
tries=0
until /usr/lib/zfs-fuse/zpool list >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 300 ] || exit 1
  sleep 0.05
done
/usr/lib/zfs-fuse/zfs mount -a
`,
);

/** Guests' ports on the node's own address, one "PORT ADDRESS PORT" per line in the list. */
const publish = script(
  "publish-ports",
  `
iptables -t nat -N LAB-PUBLISH 2>/dev/null || true
for hook in PREROUTING OUTPUT; do
  iptables -t nat -C "$hook" -m addrtype --dst-type LOCAL -j LAB-PUBLISH 2>/dev/null ||
    iptables -t nat -A "$hook" -m addrtype --dst-type LOCAL -j LAB-PUBLISH
done
iptables -t nat -F LAB-PUBLISH
[ -f /etc/pve-lab/published ] || exit 0
while read -r port address target; do
  iptables -t nat -A LAB-PUBLISH -p tcp ! -d 127.0.0.0/8 --dport "$port" -j DNAT --to-destination "$address:$target"
done </etc/pve-lab/published
`,
);

/**
 * Without udev lsblk knows no file systems. It reads udev's database, so that is filled, from what is really on the
 * lab's disks, at the moment of asking.
 */
const lsblk: NodeFile = {
  path: "/usr/local/bin/lsblk",
  mode: 0o755,
  text: `#!/bin/sh
set -eu
mkdir -p /run/udev/data
while read -r _ id _ model; do
  link=/dev/disk/by-id/$id
  [ -b "$link" ] || continue
  device=$(readlink -f "$link")
  record=/run/udev/data/b$(/usr/bin/lsblk -dno MAJ:MIN "$device" | tr -d ' ')
  {
    printf 'I:1\\nE:ID_SERIAL=%s\\nE:ID_SERIAL_SHORT=%s\\nE:ID_MODEL=%s\\n' "\${id#*-}" "\${id##*_}" "$model"
    blkid -p -o udev "$device" 2>/dev/null | sed 's/^/E:/' || true
  } >"$record.$$"
  mv "$record.$$" "$record"
done </etc/pve-lab/disks
exec /usr/bin/lsblk "$@"
`,
};

const front = (name: string): NodeFile => ({
  path: `/usr/sbin/${name}`,
  mode: 0o755,
  text: `#!/bin/sh\n# Accepts what OpenZFS 2.x accepts; the work is done by zfs-fuse (${name} in /usr/lib/zfs-fuse).\nexec /opt/pve-lab/node /opt/pve-lab/zfs.mjs ${name} "$@"\n`,
});

const interfaces: NodeFile = {
  path: "/etc/network/interfaces",
  mode: 0o644,
  owners: true,
  text: `auto lo
iface lo inet loopback

# Configured by the machine that the lab runs on.
iface eth0 inet manual

auto vmbr0
iface vmbr0 inet static
	address 10.0.0.13/24
	bridge-ports none
	bridge-stp off
	bridge-fd 0
	post-up echo 1 > /proc/sys/net/ipv4/ip_forward
	post-up iptables -t nat -A POSTROUTING -s 10.0.0.0/24 ! -d 10.0.0.0/24 -j MASQUERADE
	post-up iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
	post-down iptables -t nat -D POSTROUTING -s 10.0.0.0/24 ! -d 10.0.0.0/24 -j MASQUERADE
	post-down iptables -t mangle -D FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
`,
};

const units: readonly NodeFile[] = [
  unit(
    "lab-devices.service",
    `
[Unit]
Description=Device nodes of the lab node
DefaultDependencies=no
After=systemd-tmpfiles-setup-dev.service
Before=sysinit.target zfs-fuse.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/lib/pve-lab/make-devices

[Install]
WantedBy=sysinit.target
`,
  ),
  unit(
    "lab-disks.service",
    `
[Unit]
Description=Disks of the lab node
DefaultDependencies=no
Requires=lab-devices.service
After=lab-devices.service
Before=sysinit.target zfs-fuse.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/lib/pve-lab/attach-disks
ExecStop=/usr/lib/pve-lab/detach-disks

[Install]
WantedBy=sysinit.target
`,
  ),
  unit(
    "zfs-fuse.service",
    `
[Unit]
Description=ZFS (zfs-fuse)
DefaultDependencies=no
Requires=lab-devices.service lab-disks.service
After=lab-devices.service lab-disks.service local-fs.target
Before=sysinit.target shutdown.target
Conflicts=shutdown.target

[Service]
Type=exec
LimitMEMLOCK=infinity
ExecStart=/usr/sbin/zfs-fuse --no-daemon --max-arc-size 256
ExecStartPost=/usr/lib/pve-lab/mount-zfs
ExecStop=-/usr/lib/zfs-fuse/zfs unmount -a

[Install]
WantedBy=sysinit.target
`,
  ),
  unit(
    "lab-disk-contents.service",
    `
[Unit]
Description=What lies on the disks of the lab node
DefaultDependencies=no
Requires=zfs-fuse.service
After=zfs-fuse.service
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/lib/pve-lab/fill-disks

[Install]
WantedBy=sysinit.target
`,
  ),
  unit(
    "lab-publish.service",
    `
[Unit]
Description=Guest ports on the node's own address
After=networking.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/lib/pve-lab/publish-ports
ExecReload=/usr/lib/pve-lab/publish-ports

[Install]
WantedBy=multi-user.target
`,
  ),
  unit(
    "lab-template.service",
    `
[Unit]
Description=OS template of the lab at http://127.0.0.1:8099/template/
ConditionPathExists=/opt/pve-lab/template-server.mjs

[Service]
ExecStart=/opt/pve-lab/node /opt/pve-lab/template-server.mjs /usr/share/pve-lab/template
DynamicUser=no
Restart=on-failure

[Install]
WantedBy=multi-user.target
`,
  ),
  unit(
    "pve-lab.service",
    `
[Unit]
Description=Proxmox-compatible API of the lab
After=network.target zfs-fuse.service
ConditionPathExists=/opt/pve-lab/server.mjs

[Service]
ExecStartPre=/bin/rm -f /run/pve-lab.sock
ExecStart=/opt/pve-lab/node /opt/pve-lab/server.mjs
ExecStartPost=/bin/sh -c 'until [ -S /run/pve-lab.sock ]; do sleep 0.05; done'
TimeoutStartSec=30
Restart=on-failure
RestartSec=1
KillMode=process
TimeoutStopSec=90

[Install]
WantedBy=multi-user.target
`,
  ),
];

/** Files that are the same in every lab. */
export function commonFiles(): NodeFile[] {
  return [
    { path: "/etc/hostname", mode: 0o644, text: "pve\n" },
    {
      path: "/etc/hosts",
      mode: 0o644,
      text: "127.0.0.1 localhost.localdomain localhost\n10.0.0.13 pve.phoenix.lab pve\n::1 localhost ip6-localhost\n",
      owners: true,
    },
    { path: "/etc/subuid", mode: 0o644, text: "root:100000:65536\n", owners: true },
    { path: "/etc/subgid", mode: 0o644, text: "root:100000:65536\n", owners: true },
    {
      path: "/etc/ssh/sshd_config.d/lab.conf",
      mode: 0o644,
      text: "PermitRootLogin prohibit-password\nPasswordAuthentication no\nHostKey /etc/ssh/ssh_host_ed25519_key\n",
    },
    interfaces,
    devices,
    disks,
    fillDisks,
    detach,
    mountZfs,
    publish,
    ...routerFiles(),
    lsblk,
    front("zfs"),
    front("zpool"),
    ...units,
  ];
}

/** The links that enable the units among these files, by their own [Install] sections. */
export function enablingLinks(
  files: readonly NodeFile[],
): { readonly path: string; readonly target: string }[] {
  const links: { path: string; target: string }[] = [];
  for (const file of files) {
    const match = /^\/etc\/systemd\/system\/([^/@]+\.(?:service|socket|timer|path|target))$/.exec(file.path);
    if (match === null) continue;
    for (const wanted of file.text.matchAll(/^WantedBy=(.+)$/gm)) {
      for (const target of (wanted[1] ?? "").trim().split(/\s+/)) {
        links.push({ path: `/etc/systemd/system/${target}.wants/${match[1] ?? ""}`, target: file.path });
      }
    }
  }
  return links;
}
