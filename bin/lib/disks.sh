# shellcheck shell=bash
# What is on a disk. Everything here only reads; "empty" must be proven, so whatever cannot be read counts as found.

# The block device behind a path as ZFS shows it (absolute, or below /dev or /dev/disk/by-id); false if there is none.
block_device() {
  local path
  for path in "$1" "/dev/$1" "/dev/disk/by-id/$1" "/dev/disk/by-path/$1"; do
    if [[ $path == /* && -b $path ]]; then
      readlink -f -- "$path"
      return 0
    fi
  done
  return 1
}

is_partition() { [[ -e /sys/class/block/${1##*/}/partition ]]; }

# The whole disk of a partition.
disk_of_partition() { printf '/dev/%s' "$(basename -- "$(readlink -f -- "/sys/class/block/${1##*/}/..")")"; }

partitions_of() {
  local entry
  for entry in /sys/class/block/"${1##*/}"/*/partition; do
    if [[ -e $entry ]]; then printf '/dev/%s\n' "$(basename -- "$(dirname -- "$entry")")"; fi
  done
}

# A disk as a person knows it: path, model, serial, size.
describe_disk() {
  local device model serial size
  device=$(block_device "$1") || {
    printf '%s' "$1"
    return 0
  }
  model=$(lsblk -dno MODEL "$device" 2>/dev/null | sed 's/ *$//') || true
  serial=$(lsblk -dno SERIAL "$device" 2>/dev/null | sed 's/ *$//') || true
  size=$(lsblk -dno SIZE "$device" 2>/dev/null | tr -d ' ') || true
  printf '%s (model %s, serial %s, %s, now %s)' "$1" "${model:-unknown}" "${serial:-unknown}" "${size:-size unknown}" "$device"
}

# Signatures by both readers of util-linux, which do not know quite the same ones.
signatures_of() {
  local device=$1 text code=0
  text=$(wipefs --no-act --noheadings --output TYPE,LABEL "$device" 2>&1) || code=$?
  if ((code != 0)); then
    printf 'unreadable: %s\n' "$text"
    return 0
  fi
  # The second reader speaks only where the first found nothing.
  if [[ -n $text ]]; then
    awk 'NF { name = $1; $1 = ""; sub(/^ +/, ""); print "signature " name ($0 == "" ? "" : " (" $0 ")") }' <<<"$text" | sort -u
    return 0
  fi
  code=0
  text=$(blkid -p -o export "$device" 2>&1) || code=$?
  case $code in
    0) sed -nE 's/^(TYPE|PTTYPE)=(.*)$/signature \2/p' <<<"$text" ;;
    2) ;;
    *) printf 'unreadable or ambiguous: %s\n' "$text" ;;
  esac
}

uses_of() {
  local device=$1 entry
  findmnt -rno TARGET -S "$device" 2>/dev/null | sed 's/^/mounted on /' || true
  if grep -q "^$device " /proc/swaps; then printf 'swap space in use\n'; fi
  for entry in "/sys/class/block/${device##*/}/holders"/*; do
    if [[ -e $entry ]]; then printf 'held by %s\n' "${entry##*/}"; fi
  done
}

# disk_findings PATH prints what makes a disk not empty, one thing a line; nothing means verifiably empty.
disk_findings() {
  local device part
  device=$(block_device "$1") || {
    printf 'not there\n'
    return 0
  }
  {
    signatures_of "$device"
    uses_of "$device"
    for part in $(partitions_of "$device"); do
      printf 'partition %s\n' "${part##*/}"
      signatures_of "$part" | sed "s/\$/ on ${part##*/}/"
      uses_of "$part" | sed "s/\$/ (${part##*/})/"
    done
    perl -MFcntl -e 'sysopen my $disk, $ARGV[0], O_RDONLY | O_EXCL or print "in use: $!\n"' "$device"
  } | awk '!seen[$0]++'
}
