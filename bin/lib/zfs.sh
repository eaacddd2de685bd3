# shellcheck shell=bash
# ZFS read and compared: members, layout, properties. Needs disks.sh.

# Reads a `config:` section, of `zpool status` or `zpool import`, on standard input. Prints "vdev CLASS KIND NAME" for
# each group of disks and "disk NAME PATH" for each of its disks: NAME is what ZFS calls it, PATH where it is or was.
# CLASS is data, special, dedup, log, cache or spare. Of a disk that is being replaced the new one counts, of one whose
# spare stands in the disk itself.
parse_members() {
  awk -v pool="$1" '
    function print_held() { if (held != "") print held; held = ""; sub_depth = 0 }
    /^ *config:/ { inside = 1; next }
    /^errors:|^ *pool:/ { if (inside) exit }
    !inside || NF == 0 || ($1 == "NAME" && $2 == "STATE") { next }
    {
      match($0, /[^ \t]/)
      if (sub_depth && RSTART <= sub_depth) print_held()
      if ($1 == pool && !seen) { seen = 1; base = RSTART; class = "data"; next }
      if (!seen) next
      if (RSTART <= base) { class = $1; sub(/s$/, "", class); depth = 0; next }
      if ($1 ~ /^(mirror|raidz[123]?|draid[123]?(:[0-9a-z:]+)?)-[0-9]+$/ || $1 ~ /^(mirror|raidz[123]?)$/) {
        kind = $1; sub(/-[0-9]+$/, "", kind); if (kind == "raidz") kind = "raidz1"
        print "vdev " class " " kind " " $1; depth = RSTART; next
      }
      if ($1 ~ /^(replacing|spare)-[0-9]+$/) { sub_kind = $1; sub_depth = RSTART; single = depth == 0 || RSTART <= depth; next }
      if ($1 ~ /^indirect-[0-9]+$/ || $1 ~ /^draid[123]-[0-9]+-[0-9]+$/) next
      path = $1
      for (i = 2; i < NF; i++) if ($i == "was") path = $(i + 1)
      line = "disk " $1 " " path
      if (sub_depth) {
        if (single) { line = "vdev " class " disk " $1 "\n" line }
        if (sub_kind ~ /^replacing/ || held == "") held = line
        next
      }
      if (depth == 0 || RSTART <= depth) { print "vdev " class " disk " $1; depth = 0 }
      print line
    }
    END { print_held() }'
}

# The fewest disks of a group of that kind; false for a kind that ZFS does not have.
least_disks() {
  case $1 in
    disk) printf 1 ;;
    mirror) printf 2 ;;
    raidz1) printf 3 ;;
    raidz2) printf 4 ;;
    raidz3) printf 5 ;;
    draid[123]:*d:*c:*s)
      [[ $1 =~ ^draid([123]):([0-9]+)d:([0-9]+)c:([0-9]+)s$ ]] || return 1
      printf '%s' "$((BASH_REMATCH[1] + BASH_REMATCH[2] + BASH_REMATCH[4]))"
      ;;
    *) return 1 ;;
  esac
}

# A member as a device; one that is gone stays the path by which ZFS knew it. A pool on whole disks lives in a first
# partition that ZFS made itself: there the disk is what counts, if it is one of the devices in the second argument.
member_device() {
  local device
  device=$(block_device "$1") || {
    if [[ " $2 " == *" ${1%-part[0-9]*} "* ]]; then printf '%s' "${1%-part[0-9]*}"; else printf '%s' "$1"; fi
    return 0
  }
  if is_partition "$device" && [[ " $2 " != *" $device "* ]]; then device=$(disk_of_partition "$device"); fi
  printf '%s' "$device"
}

# What `zpool attach` and `zpool replace` call a member: ZFS adds the partition of a whole disk itself.
member_name() {
  local device
  if [[ $1 == /* ]] && device=$(block_device "$1") && is_partition "$device" && [[ " $2 " != *" $device "* ]]; then
    if [[ $1 == */by-*/* ]]; then printf '%s' "${1%-part[0-9]*}"; else disk_of_partition "$device"; fi
  else
    printf '%s' "$1"
  fi
}

# Two spellings of a property's value become one: 16K and 16384, none and 0, posixacl and posix.
plain_value() {
  local value=$1
  if [[ $value =~ ^([0-9]+)([.][0-9]+)?([KMGTPE])(i?B)?$ ]]; then
    awk -v number="${BASH_REMATCH[1]}${BASH_REMATCH[2]}" -v unit="${BASH_REMATCH[3]}" \
      'BEGIN { printf "%.0f", int(number * 1024 ^ index("KMGTPE", unit)) }'
    return 0
  fi
  case $value in
    none) printf 0 ;;
    posixacl) printf posix ;;
    noacl) printf off ;;
    -) ;;
    *) printf '%s' "$value" ;;
  esac
}

same_value() { [[ $(plain_value "$1") == "$(plain_value "$2")" ]]; }

declare -A PROPERTIES=() SOURCES=()

# read_properties PREFIX COMMAND…: PROPERTIES and SOURCES, by PREFIX and name, become what `zfs get -Hp` or
# `zpool get -Hp` (property,value,source) says.
read_properties() {
  local prefix=$1 name value source text
  shift
  text=$(ask "$@")
  while IFS=$'\t' read -r name value source; do
    PROPERTIES["$prefix$name"]=$value
    SOURCES["$prefix$name"]=$source
  done <<<"$text"
}

# property NAME: a value that read_properties found; empty where there is none.
property() { printf '%s' "${PROPERTIES["$1"]:-}"; }

# set_here NAME: that value was set on the thing itself, not inherited or a default.
set_here() { [[ ${SOURCES["$1"]:-} == local ]]; }
