# shellcheck shell=bash
# Looks at a node and prints what is there; only reads. It comes to the node on standard input, behind bin/lib/disks.sh,
# zfs.sh, guest_common.sh and nvidia_host.sh: what is on a disk, or which headers a kernel needs, is told here by the same
# code that decides it in a run.
# Each part begins with a record separator (octal 036) and its name; what follows is a tool's own words.

part() { printf '\036%s\n' "$*"; }

# A tool that is not there, fails or hangs (storages on a dead server do) leaves its part empty.
quietly() { timeout 20 "$@" 2>/dev/null; }

look_at_host() {
  local kernel names
  part user && id -u
  part hostname && hostname
  part version && quietly pveversion
  part kernel && uname -r
  part kernels && for image in /boot/vmlinuz-*; do [[ -e $image ]] && printf '%s\n' "${image#/boot/vmlinuz-}"; done
  part headers && for tree in /lib/modules/*/build; do
    [[ -e $tree/Makefile ]] && basename -- "$(dirname -- "$tree")"
  done
  # Kernels without headers for which there are some to install.
  part headers-offered && while read -r kernel; do
    mapfile -t names < <(header_packages "$kernel")
    [[ -e /lib/modules/$kernel/build || -z $(first_known "${names[@]}") ]] || printf '%s\n' "$kernel"
  done < <(installed_kernels)
  part nouveau && { is_loaded nouveau 2>/dev/null && echo yes; }
  part processors && nproc
  part memory && awk '$1 == "MemTotal:" { print $2 * 1024 }' /proc/meminfo
  part space && quietly df -Pk / /var/lib/vz
  part bridges && for entry in /sys/class/net/*/bridge; do [[ -e $entry ]] && basename -- "$(dirname -- "$entry")"; done
  quietly ovs-vsctl list-br
  part addresses && quietly ip -o -4 address show
  part pci && quietly lspci -Dmmnn
  part nvidia && quietly nvidia-smi --query-gpu=index,uuid,name,driver_version --format=csv,noheader
}

look_at_storages() {
  local pool
  part pools && quietly zpool list -Hp -o name,size,free,health
  for pool in $(quietly zpool list -H -o name); do
    part members "$pool" && { quietly zpool status -P "$pool" || quietly zpool status "$pool"; } |
      parse_members "$pool" | while read -r kind _ path; do
      [[ $kind == disk ]] && member_device "$path" "" && printf '\n'
    done
  done
  part importable && quietly zpool import | awk '$1 == "pool:" { print $2 }'
  part datasets && quietly zfs list -Hp -t filesystem -o name,available,phoenix:stack
  part storages && quietly pvesh get /storage --output-format json
  part usage && quietly pvesm status
}

look_at_guests() {
  local file
  for file in /etc/pve/nodes/*/{lxc,qemu-server}/*.conf /etc/pve/{lxc,qemu-server}/*.conf; do
    [[ -e $file ]] || continue
    part guest "$(readlink -f -- "$file")" && grep -m 3 -E '^(#phoenix|hostname:|name:)' "$file"
  done
}

# Whole disks, and whatever else has an identity of its own; loop devices and ZFS volumes have none.
look_at_disks() {
  local device link type links
  while read -r device type; do
    [[ -b $device && ! -e /sys/class/block/${device##*/}/partition ]] || continue
    links=$(for link in /dev/disk/by-id/*; do
      [[ $(readlink -f -- "$link") != "$device" ]] || printf '%s\n' "$link"
    done)
    [[ $type == disk && $device != /dev/zd* || -n $links && $type == loop ]] || continue
    part disk "$device"
    lsblk -dnbP -o SIZE,MODEL,SERIAL "$device"
    part identities "$device" && printf '%s\n' "$links"
    part found "$device" && disk_findings "$device"
  done < <(lsblk -dnpr -o NAME,TYPE 2>/dev/null)
}

look() {
  look_at_host
  look_at_storages
  look_at_guests
  look_at_disks
  part end
}

# The rest of standard input is this script: no tool may read it.
look </dev/null
