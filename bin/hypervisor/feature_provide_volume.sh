#!/usr/bin/env bash
# A volume that outlives its containers: a dataset with a quota. Parameters: volume, dataset, sizeGb, uid, gid.
# It carries the user properties phoenix:stack and phoenix:volume; nothing without them is ever used or destroyed. The
# owner is given to the empty volume alone: later it is the containers' own business, as all that lies in it.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"

read_volume() {
  local pattern='^[A-Za-z][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-]+)+$' size
  volume=$(param volume)
  dataset=$(param dataset)
  size=$(param sizeGb)
  uid=$(param uid)
  gid=$(param gid)
  [[ $dataset =~ $pattern ]] || fail BAD_PARAMETERS "not a name for ZFS: '$dataset'"
  [[ $size =~ ^[1-9][0-9]*$ && $uid =~ ^[0-9]+$ && $gid =~ ^[0-9]+$ ]] || fail BAD_PARAMETERS "size and ids are numbers"
  bytes=$((size * 1024 * 1024 * 1024))
  place=/$dataset
  state=absent
  if zfs list -H -o name "$dataset" >/dev/null 2>&1; then
    case $(own_property phoenix:stack) in
      "$STACK") if [[ $(own_property phoenix:volume) == "$volume" ]]; then state=ours; else state=other; fi ;;
      *) state=other ;;
    esac
  fi
}

value_of() { ask zfs get -Hp -o value "$1" "$dataset"; }

# A property that was set on the dataset itself, and not on one above it.
own_property() { zfs get -Hp -s local -o value "$1" "$dataset" 2>/dev/null || true; }

# Where the volume of that name lies, if it lies elsewhere.
elsewhere() {
  local name value
  while IFS=$'\t' read -r name value; do
    if [[ $value == "$volume" && $name != "$dataset" && $(zfs get -H -s local -o value phoenix:stack "$name" 2>/dev/null) == "$STACK" ]]; then
      printf '%s\n' "$name"
    fi
  done < <(zfs get -H -s local -t filesystem -o name,value phoenix:volume 2>/dev/null)
}

do_check() {
  local found
  read_volume
  case $state in
    absent)
      reason "volume $volume ($dataset) is not there"
      found=$(elsewhere)
      if [[ -n $found ]]; then reason "volume $volume lies in $found"; fi
      return 0
      ;;
    other)
      reason "dataset $dataset is there and is not volume $volume of stack '$STACK'"
      return 0
      ;;
  esac
  if [[ $(value_of quota) != "$bytes" ]]; then reason "the quota of $dataset is $(value_of quota), wanted $bytes bytes"; fi
  if [[ $(value_of mountpoint) != "$place" ]]; then reason "$dataset is mounted at $(value_of mountpoint), wanted $place"; fi
  if ! dataset_is_mounted "$dataset"; then reason "$dataset is not mounted"; fi
}

do_apply() {
  local found used parent
  read_volume
  case $state in
    absent)
      found=$(elsewhere)
      if [[ -n $found ]]; then
        fail REFUSED "volume $volume lies in $found; an empty one in $dataset would hide its data; nothing was changed" \
          "stop the container and move it (zfs rename, or zfs send and receive), or say its old pool again"
      fi
      parent=${dataset%/*}
      zfs list -H -o name "$parent" >/dev/null 2>&1 || fail MISSING_PREREQUISITE "$parent, where volume $volume belongs, is not there"
      step "Creating volume $volume" FAILED zfs create -o quota="$bytes" -o mountpoint="$place" \
        -o phoenix:stack="$STACK" -o phoenix:volume="$volume" "$dataset"
      note "created volume $volume: $dataset"
      ;;
    other)
      fail NOT_OURS "dataset $dataset is there and is not volume $volume of stack '$STACK'; nothing was changed" \
        "give the volume another name, or adopt it: zfs set phoenix:stack=$STACK phoenix:volume=$volume $dataset"
      ;;
    ours)
      if [[ $(value_of quota) != "$bytes" ]]; then
        used=$(value_of used)
        if ((bytes < used)); then
          fail REFUSED "volume $volume holds $used bytes, more than the $bytes that it is to have" "make room in it, or leave its size"
        fi
        step "Setting the quota of $dataset" FAILED zfs set "quota=$bytes" "$dataset"
        note "volume $volume: quota $bytes bytes"
      fi
      if [[ $(value_of mountpoint) != "$place" ]]; then
        step "Setting the mount point of $dataset" FAILED zfs set "mountpoint=$place" "$dataset"
      fi
      ;;
  esac
  if ! dataset_is_mounted "$dataset"; then step "Mounting $dataset" FAILED zfs mount "$dataset"; fi
  if [[ -z $(find "$place" -mindepth 1 -print -quit) && $(stat -c %u:%g "$place") == 0:0 ]]; then
    step "Giving $place to its owner" FAILED chown "$uid:$gid" "$place"
  fi
}

do_remove() {
  local inside
  read_volume
  if [[ $state == absent ]]; then return 0; fi
  if ! allowed destroy; then
    note "volume $volume is forgotten; $dataset and its data stay"
    return 0
  fi
  if [[ $state == other ]]; then
    fail NOT_OURS "dataset $dataset is not volume $volume of stack '$STACK'; it stays" "take 'destroy' out of its allow"
  fi
  inside=$(ask zfs list -H -r -t filesystem,volume,snapshot -o name "$dataset" | grep -vxF "$dataset" || true)
  if [[ -n $inside ]]; then
    quote_text "$(head -n 10 <<<"$inside")"
    fail REFUSED "volume $volume holds datasets or snapshots that somebody made by hand; it stays" "remove those by hand first"
  fi
  wait_until 15 zfs destroy "$dataset" 2>/dev/null || step "Destroying volume $volume" FAILED zfs destroy "$dataset"
  note "destroyed volume $volume: $dataset"
}

phoenix_main host "$@"
