# shellcheck shell=bash
# ZFS read and compared: members, layout, properties. Needs disks.sh.

# Reads a `config:` section, of `zpool status` or `zpool import`, on standard input. Prints "vdev KIND" for each group
# of data disks and "disk PATH" for each of them; logs, caches, spares and special devices are left out.
parse_members() {
  awk -v pool="$1" '
    /^ *config:/ { inside = 1; next }
    /^errors:|^ *pool:/ { if (inside) exit }
    !inside || NF == 0 || ($1 == "NAME" && $2 == "STATE") { next }
    {
      match($0, /[^ \t]/)
      if ($1 == pool && !seen) { seen = 1; base = RSTART; data = 1; next }
      if (!seen) next
      if (RSTART <= base) { data = 0; next }
      if (!data) next
      if ($1 ~ /^(mirror|raidz[123]?|draid[123]?(:[0-9a-z:]+)?)-[0-9]+$/ || $1 ~ /^(mirror|raidz[123]?)$/) {
        kind = $1; sub(/-[0-9]+$/, "", kind); if (kind == "raidz") kind = "raidz1"
        print "vdev " kind; depth = RSTART; next
      }
      if ($1 ~ /^(replacing|spare|indirect)(-[0-9]+)?$/) next
      if (depth == 0 || RSTART <= depth) { print "vdev disk"; depth = 0 }
      path = $1
      for (i = 2; i < NF; i++) if ($i == "was") path = $(i + 1)
      print "disk " path
    }'
}

# vdev_arguments LEVEL DISK…: the words of `zpool create` that say how the disks form the pool, one a line.
vdev_arguments() {
  local level=$1
  shift
  case $level in
    single | stripe) printf '%s\n' "$@" ;;
    raid10) printf 'mirror\n%s\n%s\n' "$@" ;;
    *) printf '%s\n' "$level" "$@" ;;
  esac
}

# layout_of LEVEL COUNT: what parse_members finds in a pool of that level, as in "mirror mirror".
layout_of() {
  local count=$2 word=$1 words=() i
  case $1 in
    single | stripe) word=disk ;;
    raid10)
      word=mirror
      count=$((count / 2))
      ;;
    draid)
      word=draid1
      count=1
      ;;
    *) count=1 ;;
  esac
  for ((i = 0; i < count; i++)); do words+=("$word"); done
  printf '%s' "${words[*]}"
}

# The data disks among parsed members, as devices; one that is gone stays the path by which ZFS knew it. A pool on
# whole disks lives in a first partition that ZFS made itself: there the disk is what counts.
member_devices() {
  local path device
  while read -r _ path; do
    if device=$(block_device "$path"); then
      if is_partition "$device" && [[ " $1 " != *" $device "* ]]; then device=$(disk_of_partition "$device"); fi
      printf '%s\n' "$device"
    else
      printf '%s\n' "$path"
    fi
  done < <(grep '^disk ') | sort
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
