#!/usr/bin/env bash
# A note on the node that a storage, or an image in one, is about to be made by this stack. Parameters: storage, image.
# A run that is cut between the making and Pulumi's state leaves a thing that looks like anybody's: by this note the
# next run knows it for its own. What was there before the note was written is noted as foreign; but a registration of a
# dataset that carries this stack's property is its own, also where notes or state were lost.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"

read_claim() {
  storage=$(param storage)
  image=$(param image '')
  [[ $storage =~ ^[A-Za-z][A-Za-z0-9_.-]*$ ]] || fail BAD_PARAMETERS "not a storage's id: '$storage'"
  [[ $image =~ ^[^/[:space:]]*$ ]] || fail BAD_PARAMETERS "not a file's name: '$image'"
  registry=${PHOENIX_STORAGES:-/etc/pve/storage.cfg}
  note_file=${PHOENIX_STATE:-/var/lib/phoenix}/$STACK/claims/$storage${image:+:$image}
}

# The registration, or the image's file.
is_there() {
  local path
  if [[ -z $image ]]; then
    # A section begins with "type: id"; a node that has registered nothing yet has no such file.
    grep -qxE "[a-z0-9]+: ${storage//./\\.}[[:space:]]*" "$registry" 2>/dev/null
  else
    # A storage that cannot be asked holds nothing yet.
    path=$(pvesm path "$storage:vztmpl/$image" 2>/dev/null) && [[ -e $path ]]
  fi
}

# The dataset that the registration is of, by its name or by its mount point, was made by this stack.
is_of_our_dataset() {
  local section dataset path
  if [[ -n $image ]]; then return 1; fi
  section=$(awk -v id="$storage" '/^[a-z]/ { ours = ($2 == id) } ours && /^[ \t]/' "$registry")
  dataset=$(awk '$1 == "pool" { print $2 }' <<<"$section")
  path=$(awk '$1 == "path" { print $2 }' <<<"$section")
  if [[ -n $path ]]; then dataset=$(zfs list -H -o mountpoint,name 2>/dev/null | awk -F '\t' -v path="$path" '$1 == path { print $2; exit }'); fi
  [[ -n $dataset && $(zfs get -H -o value -s local phoenix:stack "$dataset" 2>/dev/null) == "$STACK" ]]
}

do_check() {
  read_claim
  [[ -e $note_file ]] || reason "nothing on the node says that $storage${image:+:vztmpl/$image} is this stack's"
}

do_apply() {
  read_claim
  if [[ -e $note_file ]]; then return 0; fi
  if is_there && ! is_of_our_dataset; then
    put_file "$note_file" $'foreign\n' 0600 || true
    note "$storage${image:+:vztmpl/$image} is there already"
  else
    put_file "$note_file" $'ours\n' 0600 || true
    note "$storage${image:+:vztmpl/$image} is this stack's"
  fi
}

do_remove() {
  read_claim
  rm -f -- "$note_file"
  rmdir --ignore-fail-on-non-empty -- "${note_file%/*}" 2>/dev/null || true
}

phoenix_main host "$@"
