#!/usr/bin/env bash
# ZFS pools and datasets: made on empty disks only, recognised, imported, grown, set as configured; never forced.
# Parameters: kind pool {name, vdevs [{class, kind, disks}], properties, filesystemProperties, existing}
#          or kind dataset {name, pool, path, properties, owner, mode, existing}.
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
# shellcheck source-path=SCRIPTDIR source=../lib/zfs_layout.sh
source "$library/zfs_layout.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/zfs_properties.sh
source "$library/zfs_properties.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/zfs_wipe.sh
source "$library/zfs_wipe.sh"

read_zfs() {
  command -v zpool >/dev/null || fail MISSING_PREREQUISITE "there is no zpool on this node" "install zfsutils-linux"
  kind=$(param kind)
  existing=$(param existing false)
  case $kind in
    pool)
      name=$(param name)
      target=$name
      fs_parameter=filesystemProperties
      param_keys properties pool_names
      read_wanted_layout
      if ((${#WANTED_CLASS[@]} == 0)) && [[ $existing != true ]]; then fail BAD_PARAMETERS "pool $name has no disks"; fi
      ;;
    dataset)
      name=$(param pool)
      target=$(param path)
      fs_parameter=properties
      read_folder
      ;;
    *) fail BAD_PARAMETERS "unknown kind '$kind': pool or dataset" ;;
  esac
  param_keys "$fs_parameter" fs_names
  [[ $target =~ ^[A-Za-z][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-]+)*$ ]] || fail BAD_PARAMETERS "not a name for ZFS: '$target'"
  if [[ $kind == dataset && $target != "$name"/* ]]; then fail BAD_PARAMETERS "$target is not in pool $name"; fi
}

pool_is_imported() { zpool list -H -o name 2>/dev/null | grep -qxF "$1"; }

dataset_is_there() { zfs list -H -o name "$1" >/dev/null 2>&1; }

status_of_pool() { zpool status -P "$name" 2>/dev/null || ask zpool status "$name"; }

# What could be imported under the pool's name, several pools perhaps: their ids, one a line.
exported_ids() {
  awk -v pool="$name" '/^ *pool:/ { ours = ($2 == pool) } ours && /^ *id:/ { print $2 }' <<<"$1"
}

section_of_id() {
  awk -v id="$2" '/^ *pool:/ { text = ""; found = 0 } { text = text $0 "\n" } /^ *id:/ && $2 == id { found = 1 } found { all = text } END { printf "%s", all }' <<<"$1"
}

# Finds the exported pool of the name; where there are several, the one that has the configured disks.
find_exported() {
  local text id
  local -a ids=() fitting=()
  exported='' exported_id=''
  text=$(zpool import -d /dev/disk/by-id 2>/dev/null || true)
  mapfile -t ids < <(exported_ids "$text")
  for id in "${ids[@]}"; do
    exported=$(section_of_id "$text" "$id")
    exported_id=$id
    compare_layout "$name" "$exported" false
    if [[ -z $WRONG && ${#LAYOUT_STEPS[@]} -eq 0 ]]; then fitting+=("$id"); fi
  done
  if ((${#ids[@]} > 1 && ${#fitting[@]} != 1)); then
    fail MISMATCH "${#ids[@]} exported pools are called $name (${ids[*]}), and ${#fitting[@]} of them have the configured disks" \
      "import the right one by hand, by its id"
  fi
  if ((${#fitting[@]} == 1)); then
    exported_id=${fitting[0]}
    exported=$(section_of_id "$text" "$exported_id")
    compare_layout "$name" "$exported" false
  fi
}

# Which pool or dataset is this: absent, exported, ours, other (another stack's), unowned.
find_state() {
  local ours=false
  exported=''
  if [[ $kind == pool ]] && ! pool_is_imported "$name"; then
    find_exported
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
    "$STACK")
      state=ours
      ours=true
      ;;
    '') state=unowned ;;
    *) state=other ;;
  esac
  if [[ $kind == pool ]]; then compare_layout "$name" "$(status_of_pool)" "$ours"; fi
}

# What is inside: child datasets, volumes and snapshots, one a line.
descendants() { ask zfs list -H -r -t filesystem,volume,snapshot -o name "$target" | grep -vxF "$target" || true; }

# --- verbs ---------------------------------------------------------------------------------------------------------

do_check() {
  read_zfs
  find_state
  case $state in
    absent)
      if [[ $existing == true ]]; then
        reason "$kind $target is declared existing and is not there"
        return 0
      fi
      reason "$kind $target is not there"
      say_occupied "$(wanted_paths)"
      return 0
      ;;
    exported) reason "pool $name is not imported" ;;
    other)
      reason "$kind $target belongs to stack '$owner'"
      return 0
      ;;
  esac
  if [[ $kind == pool ]]; then say_layout; fi
  if [[ $existing == true || $state == exported ]]; then return 0; fi
  if [[ $kind == dataset && $state == unowned ]]; then
    reason "dataset $target was not made by this stack and is not declared existing"
    return 0
  fi
  if [[ $kind == pool ]]; then say_differences "$(pool_differences)"; fi
  say_differences "$(filesystem_differences)"
  say_differences "$(folder_differences)"
}

say_occupied() {
  local disk found
  while read -r disk; do
    if [[ -z $disk ]]; then continue; fi
    found=$(disk_findings "$disk" | paste -sd ';')
    if [[ -n $found ]]; then reason "$(describe_disk "$disk") is not empty: $found"; fi
  done <<<"$1"
}

say_layout() {
  local step word
  if [[ -n $WRONG ]]; then
    reason "$WRONG"
    return 0
  fi
  for step in "${LAYOUT_STEPS[@]}"; do
    word=$(word_for "$step")
    if [[ -n $word ]] && ! allowed "$word"; then word=" (needs allow: $word)"; else word=''; fi
    reason "pool $name: $(describe_step "$step")$word"
    say_occupied "$(disks_of_step "$step")"
  done
}

do_apply() {
  read_zfs
  find_state
  if [[ $existing == true ]]; then
    if [[ $state == absent || $state == exported ]]; then
      fail MISSING_PREREQUISITE "$kind $target is declared existing and is not there" "bring it (zpool import), or let Phoenix make it"
    fi
    refuse_wrong
    if ((${#LAYOUT_STEPS[@]} > 0)); then fail MISMATCH "pool $name is declared existing, but: $(describe_step "${LAYOUT_STEPS[0]}")"; fi
    return 0
  fi
  case $state in
    absent)
      if [[ $kind == pool ]]; then create_pool; else create_dataset; fi
      return 0
      ;;
    exported)
      # Only the very pool is imported; it can be grown once it is there.
      if ((${#LAYOUT_STEPS[@]} > 0)); then wrong "exported, and to $(describe_step "${LAYOUT_STEPS[0]}")"; fi
      refuse_wrong
      step "Importing pool $name" FAILED zpool import -d /dev/disk/by-id "$exported_id"
      note "imported pool $name"
      find_state
      ;;
  esac
  if [[ $state == other ]]; then fail NOT_OURS "$kind $target belongs to stack '$owner'; nothing was changed"; fi
  if [[ $kind == dataset && $state == unowned ]]; then
    fail NOT_OURS "dataset $target was not made by this stack; nothing was changed" "declare it existing to use it as it is"
  fi
  if [[ $kind == pool ]]; then apply_pool; else apply_dataset; fi
}

refuse_wrong() {
  if [[ -n $WRONG ]]; then
    fail MISMATCH "$WRONG" "correct the list of disks, or give the pool another name; nothing was changed"
  fi
}

# Everything that cannot be is refused before the first change.
apply_pool() {
  local pool_text fs_text
  refuse_wrong
  refuse_steps
  pool_text=$(pool_differences)
  fs_text=$(filesystem_differences)
  refuse_fixed "$pool_text"$'\n'"$fs_text"
  change_layout
  change zpool "$pool_text"
  change zfs "$fs_text"
  if [[ $state == ours ]]; then remember_properties; fi
}

apply_dataset() {
  local text
  text=$(filesystem_differences)
  refuse_fixed "$text"
  change zfs "$text"
  read_properties fs: zfs get -Hp -o property,value,source all "$target"
  settle_folder
  remember_properties
}

# --- disks of a pool ---------------------------------------------------------------------------------------------------

refuse_occupied() {
  local what=$1 listed=$2 disk found refused=0 count=0
  while read -r disk; do
    count=$((count + 1))
    found=$(disk_findings "$disk" | paste -sd ';')
    if [[ -z $found ]]; then continue; fi
    note "$(describe_disk "$disk"): $found"
    refused=$((refused + 1))
  done <<<"$listed"
  if ((refused > 0)); then
    fail REFUSED "$what: $refused of $count disks are not verifiably empty; nothing was touched" \
      "take other disks, or empty these by hand when you are sure of each (zpool labelclear for a former member, else wipefs -a)"
  fi
}

refuse_steps() {
  local step word taken=''
  for step in "${LAYOUT_STEPS[@]}"; do
    word=$(word_for "$step")
    if [[ -n $word ]] && ! allowed "$word"; then
      fail MISMATCH "pool $name consists of [$(describe_layout NOW_CLASS NOW_KIND NOW_DEVICES)], configured are [$(describe_layout WANTED_CLASS WANTED_KIND WANTED_PATHS)]: to $(describe_step "$step") needs a word; nothing was changed" \
        "correct the list of disks, or say \"allow\": [\"$word\"] at the pool"
    fi
    if [[ $step == expand* && $(zpool get -H -o value feature@raidz_expansion "$name" 2>/dev/null) != @(enabled|active) ]]; then
      fail MISSING_PREREQUISITE "pool $name cannot $(describe_step "$step"): its ZFS has no raidz expansion, or the pool was not upgraded for it" \
        "OpenZFS 2.3 (Proxmox VE 9) has it; zpool upgrade $name, or add a whole group"
    fi
    taken+="$(disks_of_step "$step")"$'\n'
  done
  taken=$(sed '/^$/d' <<<"$taken")
  if [[ -n $taken ]]; then refuse_occupied "pool $name is not changed" "$taken"; fi
}

change_layout() {
  local step verb first rest
  local -a vdev=()
  for step in "${LAYOUT_STEPS[@]}"; do
    read -r verb first rest <<<"$step"
    case $verb in
      add)
        mapfile -t vdev < <(vdev_words "$first $rest")
        step "Adding to pool $name" FAILED zpool add "$name" "${vdev[@]}"
        ;;
      attach) step "Attaching $rest to pool $name" FAILED zpool attach "$name" "$first" "$rest" ;;
      replace) step "Replacing $first in pool $name" FAILED zpool replace "$name" "$first" "$rest" ;;
      expand)
        step "Widening $first of pool $name" FAILED zpool attach "$name" "$first" "$rest"
        # ZFS takes the next disk only when this one is in.
        step "Waiting for the expansion of $name" FAILED zpool wait -t raidz_expand "$name"
        ;;
      remove) step "Taking $rest out of pool $name" FAILED zpool remove "$name" "$rest" ;;
    esac
    note "pool $name: $(describe_step "$step")"
  done
}

create_pool() {
  local property i options=() groups=() vdev=()
  finish_wiping
  refuse_occupied "pool $name is not made" "$(wanted_paths)"
  refuse_hidden "$(default_mount_point "$name")"
  for property in "${pool_names[@]}"; do options+=(-o "$property=$(param "properties/$property")"); done
  for property in "${fs_names[@]}"; do options+=(-O "$property=$(param "$fs_parameter/$property")"); done
  options+=(-O "phoenix:stack=$STACK")
  while IFS= read -r property; do options+=(-O "$property"); done < <(remembered)
  for i in "${!WANTED_CLASS[@]}"; do groups+=("${WANTED_CLASS[i]} ${WANTED_KIND[i]} ${WANTED_PATHS[i]}"); done
  mapfile -t vdev < <(vdev_words "${groups[@]}")
  step "Creating pool $name" FAILED zpool create "${options[@]}" "$name" "${vdev[@]}"
  note "created pool $name: ${vdev[*]}"
}

create_dataset() {
  local property options=() parent=${target%/*}
  dataset_is_there "$parent" || fail MISSING_PREREQUISITE "$parent, where dataset $target belongs, is not there"
  refuse_hidden "$(param properties/mountpoint "$(default_mount_point "$target")")"
  for property in "${fs_names[@]}"; do options+=(-o "$property=$(param "$fs_parameter/$property")"); done
  options+=(-o "phoenix:stack=$STACK")
  while IFS= read -r property; do options+=(-o "$property"); done < <(remembered)
  step "Creating dataset $target" FAILED zfs create "${options[@]}" "$target"
  note "created dataset $target"
  read_properties fs: zfs get -Hp -o property,value,source all "$target"
  settle_folder
}

# --- removal -----------------------------------------------------------------------------------------------------------

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
  local guid
  refuse_wrong
  if ((${#LAYOUT_STEPS[@]} > 0)); then
    fail MISMATCH "pool $name is not as configured ($(describe_step "${LAYOUT_STEPS[0]}")); it stays" "correct its list of disks first"
  fi
  guid=$(ask zpool get -Hp -o value guid "$name")
  wipe_note=/var/lib/phoenix/$STACK/wipe-$name
  mkdir -p -- "${wipe_note%/*}"
  put_file "$wipe_note" "$guid"$'\n' 0600 || true
  wait_until 15 zpool destroy "$name" 2>/dev/null || step "Destroying pool $name" FAILED zpool destroy "$name"
  note "destroyed pool $name"
  finish_wiping
}

phoenix_main host "$@"
