#!/usr/bin/env bash
# Most memory that the cache of ZFS takes: now, and after every boot.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/platform.sh
source "$library/platform.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/owned_files.sh
source "$library/owned_files.sh"

# The last file by name wins where several set the same option.
file=/etc/modprobe.d/zz-phoenix-zfs-arc.conf
live=/sys/module/zfs/parameters/zfs_arc_max

read_limit() {
  local gigabytes memory
  gigabytes=$(param maxGb)
  [[ $gigabytes =~ ^[1-9][0-9]{0,5}$ ]] || fail BAD_PARAMETERS "not a size in GiB: '$gigabytes'"
  bytes=$((gigabytes * 1024 * 1024 * 1024))
  text="# Written by Phoenix, stack $STACK."$'\n'"options zfs zfs_arc_max=$bytes"$'\n'
  memory=$(awk '$1 == "MemTotal:" { printf "%.0f", $2 * 1024 }' /proc/meminfo)
  # ZFS takes such a value without a word, and goes on with its default.
  if [[ $PHOENIX_VERB == apply ]] && ((bytes >= memory)); then
    fail MISMATCH "the cache of ZFS cannot take $gigabytes GiB: the node has $((memory / 1024 / 1024 / 1024)) GiB of memory; nothing was changed"
  fi
}

live_is() { [[ ! -e $live || $(<"$live") == "$1" ]]; }

do_check() {
  node_release >/dev/null
  read_limit
  check_file "$file" "$text"
  if ! live_is "$bytes"; then reason "zfs_arc_max is $(<"$live"), wanted $bytes"; fi
}

do_apply() {
  node_release >/dev/null
  read_limit
  if own_file "$file" "$text"; then renew_initramfs; fi
  if [[ ! -e $live ]]; then
    note "the ZFS of this node has no zfs_arc_max to set now (its module is not loaded, or it is a simulation)"
  elif ! live_is "$bytes"; then
    remember_value zfs_arc_max "$(<"$live")" "$bytes"
    printf '%s\n' "$bytes" >"$live"
    note "zfs_arc_max $bytes"
  fi
}

# ZFS is loaded from the initramfs where the system itself lies on it.
renew_initramfs() {
  note "wrote or removed $file"
  if command -v update-initramfs >/dev/null; then step "Renewing the initramfs" FAILED update-initramfs -u -k all; fi
}

do_remove() {
  local before
  if disown_file "$file"; then renew_initramfs; fi
  if [[ -e $live ]] && before=$(value_before zfs_arc_max "$(<"$live")"); then
    printf '%s\n' "$before" >"$live"
    note "zfs_arc_max $before"
  fi
  forget_value zfs_arc_max
}

phoenix_main host "$@"
