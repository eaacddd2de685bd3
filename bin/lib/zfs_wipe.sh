# shellcheck shell=bash
# What is left of a pool that was destroyed by this stack is cleared from its disks, and nothing else. Needs disks.sh
# and zfs_layout.sh.

name=''

# The note says which pool was destroyed; without it nothing is cleared.
finish_wiping() {
  local guid device part
  wipe_note=/var/lib/phoenix/$STACK/wipe-$name
  if [[ ! -f $wipe_note ]]; then return 0; fi
  guid=$(<"$wipe_note")
  while read -r device; do
    [[ -b $device ]] || continue
    wipe_labels "$device" "$guid"
    for part in $(partitions_of "$device"); do wipe_labels "$part" "$guid"; done
    wipe_own_partitions "$device"
  done < <(wanted_devices)
  rm -f -- "$wipe_note"
}

# Only the labels of the pool with that guid.
wipe_labels() {
  local found
  found=$(blkid -p -s UUID -o value "$1" 2>/dev/null) || true
  if [[ $found == "$2" ]]; then
    step "Clearing the labels of pool $name from $1" FAILED wipefs --all --types zfs_member "$1"
  fi
}

# The partition table that OpenZFS puts on a whole disk has partitions 1 and 9; emptied, it is no use to anyone.
wipe_own_partitions() {
  local part
  local -a parts
  mapfile -t parts < <(partitions_of "$1")
  if ((${#parts[@]} != 2)); then return 0; fi
  for part in "${parts[@]}"; do
    [[ $part =~ [a-z0-9](1|9)$ && -z $(signatures_of "$part") ]] || return 0
  done
  step "Clearing the partition table that ZFS made on $1" FAILED wipefs --all --types gpt,PMBR "$1"
  blockdev --rereadpt "$1" 2>/dev/null || true
}
