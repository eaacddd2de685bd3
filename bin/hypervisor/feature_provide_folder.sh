#!/usr/bin/env bash
# A folder of the host that containers share. Parameters: path, within, uid, gid.
# One that is absent is made with that owner; one that is there keeps its owner unless `chown` is allowed, which then
# is about the folder alone. Nothing is ever removed.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"

read_folder() {
  path=$(param path)
  uid=$(param uid)
  gid=$(param gid)
  within=$(param within '')
  [[ $path == /* && "$path/" != */../* && "$path/" != *//* ]] || fail BAD_PARAMETERS "not an absolute path: '$path'"
  [[ $uid =~ ^[0-9]+$ && $gid =~ ^[0-9]+$ ]] || fail BAD_PARAMETERS "ids are numbers"
}

is_folder() { [[ -d $path ]]; }

# A folder made while its dataset is not mounted would be hidden as soon as it is.
dataset_is_ready() { [[ -z $within ]] || dataset_is_mounted "$within"; }

owner_differs() { allowed chown && [[ $(stat -c %u:%g -- "$path") != "$uid:$gid" ]]; }

do_check() {
  read_folder
  if ! dataset_is_ready; then reason "dataset $within is not mounted"; fi
  if ! is_folder; then
    reason "$path is not there"
  elif owner_differs; then
    reason "$path belongs to $(stat -c %u:%g -- "$path"), wanted $uid:$gid"
  fi
}

do_apply() {
  local missing=() folder
  read_folder
  dataset_is_ready || fail MISSING_PREREQUISITE "dataset $within, in which $path lies, is not mounted" "zfs mount $within"
  if is_folder; then
    if owner_differs; then
      step "Giving $path to its owner" FAILED chown "$uid:$gid" -- "$path"
      note "$path belongs to $uid:$gid now"
    fi
    return 0
  fi
  if [[ -e $path || -L $path ]]; then fail MISMATCH "$path is there and is no folder" "choose another path"; fi
  # The folders on the way are the host's own; the last one is the containers'.
  folder=${path%/*}
  while [[ -n $folder && ! -d $folder ]]; do
    missing=("$folder" "${missing[@]}")
    folder=${folder%/*}
  done
  for folder in "${missing[@]}"; do step "Creating $folder" FAILED mkdir -m 0755 -- "$folder"; done
  step "Creating $path" FAILED install -d -m 0755 -o "$uid" -g "$gid" -- "$path"
  note "created $path for $uid:$gid"
}

do_remove() {
  read_folder
  note "$path is forgotten; it and its data stay"
}

phoenix_main host "$@"
