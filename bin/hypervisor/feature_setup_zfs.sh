#!/usr/bin/env bash
# ZFS pools and datasets: made on empty disks only, recognised, imported, set as configured; never forced.
# Parameters: kind pool {name, raidLevel, disks, properties, filesystemProperties, existing}
#          or kind dataset {name, pool, path, properties, existing}.
# What this makes carries the user property phoenix:stack; nothing without it is ever destroyed.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/disks.sh
source "$library/disks.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/zfs.sh
source "$library/zfs.sh"

disks=() devices=() pool_names=() fs_names=()

read_zfs() {
  local disk device
  command -v zpool >/dev/null || fail MISSING_PREREQUISITE "there is no zpool on this node" "install zfsutils-linux"
  kind=$(param kind)
  existing=$(param existing false)
  case $kind in
    pool)
      name=$(param name)
      target=$name
      level=$(param raidLevel)
      fs_parameter=filesystemProperties
      param_list disks disks
      param_keys properties pool_names
      for disk in "${disks[@]}"; do
        [[ $disk == /dev/* && $disk != *..* ]] || fail BAD_PARAMETERS "not the path of a disk: '$disk'"
        device=$(block_device "$disk") || device=$disk
        if [[ " ${devices[*]} " == *" $device "* ]]; then fail BAD_PARAMETERS "$disk is the same disk as another in the list"; fi
        devices+=("$device")
      done
      check_level
      ;;
    dataset)
      name=$(param pool)
      target=$(param path)
      fs_parameter=properties
      ;;
    *) fail BAD_PARAMETERS "unknown kind '$kind': pool or dataset" ;;
  esac
  param_keys "$fs_parameter" fs_names
  [[ $target =~ ^[A-Za-z][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-]+)*$ ]] || fail BAD_PARAMETERS "not a name for ZFS: '$target'"
  if [[ $kind == dataset && $target != "$name"/* ]]; then fail BAD_PARAMETERS "$target is not in pool $name"; fi
}

# The number of disks must make sense; an unknown word is an error, never a stripe.
check_level() {
  local least=1 count=${#disks[@]}
  case $level in
    single) if ((count > 1)); then fail BAD_PARAMETERS "raid level single takes one disk, got $count" "stripe puts several together without redundancy"; fi ;;
    stripe | mirror | raidz1 | draid | draid1) least=2 ;;
    raidz2 | draid2) least=3 ;;
    raidz3 | draid3 | raid10) least=4 ;;
    *) fail BAD_PARAMETERS "unknown raid level '$level'" "single, stripe, mirror, raid10, raidz1, raidz2, raidz3, draid1, draid2, draid3" ;;
  esac
  if [[ $level == raid10 ]] && ((count % 2 == 1)); then fail BAD_PARAMETERS "raid10 takes an even number of disks, got $count"; fi
  if [[ $existing != true ]] && ((count < least)); then
    fail BAD_PARAMETERS "raid level $level takes at least $least disks, got $count"
  fi
}

pool_is_imported() { zpool list -H -o name 2>/dev/null | grep -qxF "$1"; }

dataset_is_there() { zfs list -H -o name "$1" >/dev/null 2>&1; }

status_of_pool() { zpool status -P "$name" 2>/dev/null || ask zpool status "$name"; }

# The section of `zpool import` about the pool; empty where no exported pool has its name.
find_exported() {
  local text found
  text=$(zpool import -d /dev/disk/by-id 2>/dev/null || true)
  found=$(awk -v pool="$name" '/^ *pool:/ { ours = ($2 == pool) } ours' <<<"$text")
  if [[ $(awk '/^ *pool:/' <<<"$found" | wc -l) -gt 1 ]]; then
    fail MISMATCH "several exported pools are called $name" "import the right one by hand: zpool import shows their ids"
  fi
  printf '%s' "$found"
}

# Prints how the members differ from the configured ones; nothing if they do not.
member_differences() {
  local text=$1 members now wanted layout
  if ((${#disks[@]} == 0)); then return 0; fi
  members=$(parse_members "$name" <<<"$text")
  now=$(member_devices "${devices[*]}" <<<"$members" | paste -sd ' ')
  wanted=$(printf '%s\n' "${devices[@]}" | sort | paste -sd ' ')
  layout=$(sed -nE 's/^vdev ([a-z0-9]+).*/\1/p' <<<"$members" | paste -sd ' ')
  if [[ $now != "$wanted" ]]; then
    printf 'pool %s consists of [%s], configured are [%s] = [%s]\n' "$name" "$now" "${disks[*]}" "$wanted"
  elif [[ $layout != "$(layout_of "$level" "${#disks[@]}")" ]]; then
    printf 'pool %s is [%s], configured is %s\n' "$name" "$layout" "$level"
  fi
}

# Which pool or dataset is this: absent, exported, ours, other (another stack's), unowned.
find_state() {
  exported=''
  if [[ $kind == pool ]] && ! pool_is_imported "$name"; then
    exported=$(find_exported)
    if [[ -n $exported ]]; then state=exported; else state=absent; fi
    return 0
  fi
  if [[ $kind == dataset ]] && ! dataset_is_there "$target"; then
    state=absent
    return 0
  fi
  read_properties fs: zfs get -Hp -o property,value,source all "$target"
  owner=''
  if set_here fs:phoenix:stack; then owner=$(property fs:phoenix:stack); fi
  case $owner in
    "$STACK") state=ours ;;
    '') state=unowned ;;
    *) state=other ;;
  esac
}

# What is inside: child datasets, volumes and snapshots, one a line.
descendants() { ask zfs list -H -r -t filesystem,volume,snapshot -o name "$target" | grep -vxF "$target" || true; }

# --- what differs: each line is "set|inherit|fixed|mount NAME NOW WANTED", tab-separated ------------------------------

cannot_change() { [[ " ashift casesensitivity encryption keyformat normalization utf8only " == *" $1 "* ]]; }

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
  # What an earlier configuration set and this one does not mention any more goes back to its default.
  IFS=, read -ra managed <<<"$(property fs:phoenix:properties)"
  for property in "${managed[@]}"; do
    if [[ " - ${fs_names[*]} " != *" $property "* ]] && set_here "fs:$property"; then
      printf 'inherit\t%s\t%s\t%s\n' "$property" "$(property "fs:$property")" "the default"
    fi
  done
  if [[ $(property fs:mounted) == no && $(property fs:canmount) == on && $(property fs:mountpoint) == /* ]]; then
    printf 'mount\tmounted\tno\tyes\n'
  fi
}

pool_differences() {
  local property
  if ((${#pool_names[@]} == 0)); then return 0; fi
  read_properties pool: zpool get -Hp -o property,value,source all "$name"
  for property in "${pool_names[@]}"; do difference pool: "$property" "$(param "properties/$property")"; done
}

say_differences() {
  local property now wanted
  while IFS=$'\t' read -r _ property now wanted; do
    if [[ -n $property ]]; then reason "$target: $property is '$now', wanted '$wanted'"; fi
  done <<<"$1"
}

# --- verbs ---------------------------------------------------------------------------------------------------------

do_check() {
  local text found disk
  read_zfs
  find_state
  case $state in
    absent)
      if [[ $existing == true ]]; then
        reason "$kind $target is declared existing and is not there"
        return 0
      fi
      reason "$kind $target is not there"
      for disk in "${disks[@]}"; do
        found=$(disk_findings "$disk" | paste -sd ';')
        if [[ -n $found ]]; then reason "$(describe_disk "$disk") is not empty: $found"; fi
      done
      return 0
      ;;
    exported)
      reason "pool $name is not imported"
      text=$(member_differences "$exported")
      ;;
    other)
      reason "$kind $target belongs to stack '$owner'"
      return 0
      ;;
    *) if [[ $kind == pool ]]; then text=$(member_differences "$(status_of_pool)"); else text=''; fi ;;
  esac
  if [[ -n $text ]]; then reason "$text"; fi
  if [[ $existing == true || $state == exported ]]; then return 0; fi
  if [[ $kind == dataset && $state == unowned ]]; then
    reason "dataset $target was not made by this stack and is not declared existing"
    return 0
  fi
  if [[ $kind == pool ]]; then say_differences "$(pool_differences)"; fi
  say_differences "$(filesystem_differences)"
}

do_apply() {
  local text
  read_zfs
  find_state
  if [[ $existing == true ]]; then
    if [[ $state == absent || $state == exported ]]; then
      fail MISSING_PREREQUISITE "$kind $target is declared existing and is not there" "bring it (zpool import), or let Phoenix make it"
    fi
    if [[ $kind == pool ]]; then refuse_differences "$(member_differences "$(status_of_pool)")"; fi
    return 0
  fi
  case $state in
    absent)
      if [[ $kind == pool ]]; then create_pool; else create_dataset; fi
      return 0
      ;;
    exported)
      refuse_differences "$(member_differences "$exported")"
      step "Importing pool $name" FAILED zpool import -d /dev/disk/by-id "$name"
      note "imported pool $name"
      find_state
      ;;
  esac
  if [[ $state == other ]]; then fail NOT_OURS "$kind $target belongs to stack '$owner'; nothing was changed"; fi
  if [[ $kind == dataset && $state == unowned ]]; then
    fail NOT_OURS "dataset $target was not made by this stack; nothing was changed" "declare it existing to use it as it is"
  fi
  if [[ $kind == pool ]]; then
    refuse_differences "$(member_differences "$(status_of_pool)")"
    text=$(pool_differences)
    change zpool "$text"
  fi
  text=$(filesystem_differences)
  change zfs "$text"
  if [[ $state == ours ]]; then remember_properties; fi
}

refuse_differences() {
  if [[ -n $1 ]]; then fail MISMATCH "$1" "correct the list of disks, or give the pool another name; nothing was changed"; fi
}

change() {
  local tool=$1 verb property now wanted
  if grep -q '^fixed' <<<"$2"; then
    fail MISMATCH "$target: $(sed -nE 's/^fixed\t([^\t]*)\t([^\t]*)\t(.*)$/\1 is \2, wanted \3/p' <<<"$2" | paste -sd ';')" \
      "ZFS cannot change that on what exists; correct the configuration"
  fi
  while IFS=$'\t' read -r verb property now wanted; do
    case $verb:$property in
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

managed_properties() { if ((${#fs_names[@]} > 0)); then printf '%s\n' "${fs_names[@]}" | paste -sd ,; else echo -; fi; }

remember_properties() {
  if [[ $(property fs:phoenix:properties) != "$(managed_properties)" ]]; then
    step "Remembering the properties of $target" FAILED zfs set "phoenix:properties=$(managed_properties)" "$target"
  fi
}

create_pool() {
  local disk found property options=() vdev_words=() refused=0
  finish_wiping
  for disk in "${disks[@]}"; do
    found=$(disk_findings "$disk" | paste -sd ';')
    if [[ -n $found ]]; then
      note "$(describe_disk "$disk"): $found"
      refused=$((refused + 1))
    fi
  done
  if ((refused > 0)); then
    fail REFUSED "pool $name is not made: $refused of ${#disks[@]} disks are not verifiably empty; nothing was touched" \
      "take other disks, or empty these by hand when you are sure of each (wipefs -a)"
  fi
  for property in "${pool_names[@]}"; do options+=(-o "$property=$(param "properties/$property")"); done
  for property in "${fs_names[@]}"; do options+=(-O "$property=$(param "$fs_parameter/$property")"); done
  options+=(-O "phoenix:stack=$STACK" -O "phoenix:properties=$(managed_properties)")
  mapfile -t vdev_words < <(vdev_arguments "$level" "${disks[@]}")
  step "Creating pool $name" FAILED zpool create "${options[@]}" "$name" "${vdev_words[@]}"
  note "created pool $name ($level) on ${disks[*]}"
}

create_dataset() {
  local property options=() parent=${target%/*}
  dataset_is_there "$parent" || fail MISSING_PREREQUISITE "$parent, where dataset $target belongs, is not there"
  for property in "${fs_names[@]}"; do options+=(-o "$property=$(param "$fs_parameter/$property")"); done
  options+=(-o "phoenix:stack=$STACK" -o "phoenix:properties=$(managed_properties)")
  step "Creating dataset $target" FAILED zfs create "${options[@]}" "$target"
  note "created dataset $target"
}

do_remove() {
  local inside
  read_zfs
  find_state
  if [[ $state == absent ]]; then
    if [[ $kind == pool ]]; then finish_wiping; fi
    return 0
  fi
  if [[ $existing == true ]] || ! allowed destroy; then
    note "$kind $target is forgotten; it and its data stay"
    return 0
  fi
  case $state in
    exported) fail REFUSED "pool $name is exported and cannot be looked at; it stays" "import it, or take the pool out of 'allow: destroy'" ;;
    other) fail NOT_OURS "$kind $target belongs to stack '$owner'; it stays" ;;
    unowned) fail NOT_OURS "$kind $target was not made by this stack; it stays" "destroy it by hand, or take 'destroy' out of its allow" ;;
  esac
  inside=$(descendants)
  if [[ -n $inside ]]; then
    quote_text "$(head -n 10 <<<"$inside")"
    fail REFUSED "$kind $target holds $(wc -l <<<"$inside") datasets, volumes or snapshots that nothing allows to be destroyed; it stays" \
      "allow destroy on each dataset of the configuration, and remove what others made by hand"
  fi
  if [[ $kind == dataset ]]; then
    wait_until 15 zfs destroy "$target" 2>/dev/null || step "Destroying dataset $target" FAILED zfs destroy "$target"
    note "destroyed dataset $target"
  else
    destroy_pool
  fi
}

# A destroyed pool leaves its labels on the disks, and then they would not count as empty. The note of what was
# destroyed is written first, so that a cut run can finish the job, on exactly these disks.
destroy_pool() {
  local text guid
  text=$(status_of_pool)
  refuse_differences "$(member_differences "$text")"
  guid=$(ask zpool get -Hp -o value guid "$name")
  wipe_note=/var/lib/phoenix/$STACK/wipe-$name
  mkdir -p -- "${wipe_note%/*}"
  put_file "$wipe_note" "$guid"$'\n' 0600 || true
  wait_until 15 zpool destroy "$name" 2>/dev/null || step "Destroying pool $name" FAILED zpool destroy "$name"
  note "destroyed pool $name"
  finish_wiping
}

finish_wiping() {
  local guid device part
  wipe_note=/var/lib/phoenix/$STACK/wipe-$name
  if [[ ! -f $wipe_note ]]; then return 0; fi
  guid=$(<"$wipe_note")
  for device in "${devices[@]}"; do
    [[ -b $device ]] || continue
    wipe_labels "$device" "$guid"
    for part in $(partitions_of "$device"); do wipe_labels "$part" "$guid"; done
    wipe_own_partitions "$device"
  done
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

phoenix_main host "$@"
