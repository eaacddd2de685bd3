# shellcheck shell=bash
# Properties of a pool or dataset and of its top folder: what differs, and the change. Needs zfs.sh and the script's
# name, target, kind and fs_parameter.
#
# A difference is one line, "set|reset|inherit|fixed|mount NAME NOW WANTED", tab-separated. What was set is remembered
# in user properties, so that what the configuration does not mention any more goes back to its default, and only that.

kind='' name='' target='' fs_parameter='' pool_names=() fs_names=()
# Owner, as numbers, and permissions of a dataset's top folder; empty where the configuration says nothing.
folder_owner='' folder_mode=''

cannot_change() { [[ " ashift casesensitivity encryption keyformat normalization utf8only " == *" $1 "* ]]; }

# What a pool property is when nobody sets it; `zpool inherit` does not exist.
pool_default() {
  case $1 in
    autotrim | autoexpand | autoreplace) printf off ;;
    failmode) printf 'wait' ;;
    comment) ;;
    *) return 1 ;;
  esac
}

# One property that is not as wanted; PLACE is fs: or pool:.
difference() {
  local place=$1 property=$2 wanted=$3 now verb=set
  now=$(property "$place$property")
  if same_value "$now" "$wanted"; then return 0; fi
  if cannot_change "$property"; then verb=fixed; fi
  printf '%s\t%s\t%s\t%s\n' "$verb" "$property" "$now" "$wanted"
}

filesystem_differences() {
  local property managed=()
  for property in "${fs_names[@]}"; do difference fs: "$property" "$(param "$fs_parameter/$property")"; done
  IFS=, read -ra managed <<<"$(property fs:phoenix:properties)"
  for property in "${managed[@]}"; do
    if [[ " - owner mode ${fs_names[*]} " != *" $property "* ]] && set_here "fs:$property"; then
      printf 'inherit\t%s\t%s\t%s\n' "$property" "$(property "fs:$property")" "the default"
    fi
  done
  if [[ $(property fs:mounted) == no && $(property fs:canmount) == on && $(property fs:mountpoint) == /* ]]; then
    printf 'mount\tmounted\tno\tyes\n'
  fi
}

pool_differences() {
  local property value managed=()
  IFS=, read -ra managed <<<"$(property fs:phoenix:pool-properties)"
  if ((${#pool_names[@]} + ${#managed[@]} == 0)); then return 0; fi
  read_properties pool: zpool get -Hp -o property,value,source all "$name"
  for property in "${pool_names[@]}"; do difference pool: "$property" "$(param "properties/$property")"; done
  for property in "${managed[@]}"; do
    if [[ " - ${pool_names[*]} " == *" $property "* ]]; then continue; fi
    if value=$(pool_default "$property"); then difference pool: "$property" "$value"; fi
  done
}

# Names that the node does not know are an error before anything is made.
read_folder() {
  local user group
  folder_mode=$(param mode '')
  [[ $folder_mode =~ ^([0-7]{3,4})?$ ]] || fail BAD_PARAMETERS "not a mode: '$folder_mode'"
  folder_owner=$(param owner '')
  if [[ -n $folder_owner && $PHOENIX_VERB != remove ]]; then
    if ! user=$(number_of passwd "${folder_owner%%:*}") || ! group=$(number_of group "${folder_owner#*:}"); then
      fail MISSING_PREREQUISITE "this node does not know the owner '$folder_owner' of $target" \
        "make the user and the group first, or give numbers"
    fi
    folder_owner=$user:$group
  fi
}

# number_of passwd|group NAME: a name or number as a number.
number_of() {
  local line
  if [[ $2 =~ ^[0-9]+$ ]]; then
    printf '%s' "$2"
  else
    line=$(getent "$1" "$2") && cut -d : -f 3 <<<"$line" | tr -d '\n'
  fi
}

# While the top folder can be seen. What an earlier configuration set goes back to what ZFS makes: root, 0755.
folder_differences() {
  local path owner=$folder_owner mode=$folder_mode now managed
  path=$(property fs:mountpoint)
  if [[ $kind != dataset || $(property fs:mounted) != yes || $path != /* ]]; then return 0; fi
  managed=,$(property fs:phoenix:properties),
  if [[ -z $owner && $managed == *,owner,* ]]; then owner=0:0; fi
  if [[ -z $mode && $managed == *,mode,* ]]; then mode=755; fi
  if [[ -n $owner ]]; then
    now=$(stat -c %u:%g -- "$path")
    if [[ $now != "$owner" ]]; then printf 'set\towner\t%s\t%s\n' "$now" "$owner"; fi
  fi
  if [[ -n $mode ]]; then
    now=$(stat -c %a -- "$path")
    if ((8#$now != 8#$mode)); then printf 'set\tmode\t%s\t%s\n' "$now" "$mode"; fi
  fi
}

say_differences() {
  local property now wanted
  while IFS=$'\t' read -r _ property now wanted; do
    if [[ -n $property ]]; then reason "$target: $property is '$now', wanted '$wanted'"; fi
  done <<<"$1"
}

refuse_fixed() {
  if ! grep -q '^fixed' <<<"$1"; then return 0; fi
  fail MISMATCH "$target: $(sed -nE 's/^fixed\t([^\t]*)\t([^\t]*)\t(.*)$/\1 is \2, wanted \3/p' <<<"$1" | paste -sd ';'); nothing was changed" \
    "ZFS sets that at creation only; correct the configuration"
}

change() {
  local tool=$1 property now wanted verb
  while IFS=$'\t' read -r verb property now wanted; do
    case $verb:$property in
      set:mountpoint) refuse_hidden "$wanted" ;;&
      inherit:mountpoint) refuse_hidden "$(default_mount_point "$target")" ;;&
      mount:*) refuse_hidden "$(property fs:mountpoint)" ;;&
      set:*) step "Setting $property=$wanted on $target" FAILED "$tool" set "$property=$wanted" "$target" ;;
      inherit:quota | inherit:reservation | inherit:refquota | inherit:refreservation)
        step "Clearing $property of $target" FAILED "$tool" set "$property=none" "$target"
        ;;
      inherit:*) step "Clearing $property of $target" FAILED "$tool" inherit "$property" "$target" ;;
      mount:*) step "Mounting $target" FAILED "$tool" mount "$target" ;;
      *) continue ;;
    esac
    note "$target: $property '$now' -> '$wanted'"
  done <<<"$2"
}

# Twice: a new owner can take bits of the mode with it.
settle_folder() {
  local text
  text=$(folder_differences)
  change_folder "$text"
  text=$(folder_differences)
  change_folder "$text"
}

change_folder() {
  local property now wanted path
  path=$(property fs:mountpoint)
  while IFS=$'\t' read -r _ property now wanted; do
    case $property in
      owner) step "Setting the owner of $path" FAILED chown -- "$wanted" "$path" ;;
      mode) step "Setting the mode of $path" FAILED chmod -- "$wanted" "$path" ;;
      *) continue ;;
    esac
    note "$target: $property '$now' -> '$wanted'"
  done <<<"$1"
}

# Where ZFS mounts a pool or dataset by itself; empty if nowhere.
default_mount_point() {
  local parent=${1%/*} base
  if [[ $parent == "$1" ]]; then
    printf '/%s' "$1"
    return 0
  fi
  base=$(ask zfs get -H -o value mountpoint "$parent")
  if [[ $base == /* ]]; then printf '%s/%s' "${base%/}" "${1##*/}"; fi
}

# A mount hides what lies below it: files there are somebody's data.
refuse_hidden() {
  local path=$1 found
  if [[ $path != /* || ! -d $path ]]; then return 0; fi
  if findmnt -rno TARGET -- "$path" >/dev/null 2>&1; then
    if [[ $(property fs:mounted) == yes && $(property fs:mountpoint) == "$path" ]]; then return 0; fi
    fail REFUSED "something else is mounted on $path, where $target belongs; nothing was changed"
  fi
  found=$(find "$path" -mindepth 1 ! -type d -print -quit 2>&1)
  if [[ -n $found ]]; then
    fail REFUSED "$path, where $target belongs, holds files that the mount would hide ($found); nothing was changed" \
      "move them away, or give the dataset another mount point"
  fi
}

# The names of what the configuration sets, in one line; - for none.
managed_names() { if (($# > 0)); then printf '%s\n' "$@" | paste -sd ,; else echo -; fi; }

# The user properties that remember them, "name=value" one a line.
remembered() {
  local names=("${fs_names[@]}")
  if [[ -n $folder_owner ]]; then names+=(owner); fi
  if [[ -n $folder_mode ]]; then names+=(mode); fi
  printf 'phoenix:properties=%s\n' "$(managed_names "${names[@]}")"
  if [[ $kind == pool ]]; then printf 'phoenix:pool-properties=%s\n' "$(managed_names "${pool_names[@]}")"; fi
}

remember_properties() {
  local line
  while IFS= read -r line; do
    if [[ $(property "fs:${line%%=*}") != "${line#*=}" ]]; then
      step "Remembering the properties of $target" FAILED zfs set "$line" "$target"
    fi
  done < <(remembered)
}
