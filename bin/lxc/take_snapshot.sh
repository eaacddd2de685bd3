#!/usr/bin/env bash
# A snapshot of one container, taken once and never again. Parameters: name; early, for one that only makes sense before
# the container was configured; whatever else stands there only makes this step run again.
# Proxmox VE takes none of a container that sees a folder of the host: those are taken out for the moment, which takes a
# stop, and written down first, so that a cut run brings them back.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"

shutdown_timeout=60

read_snapshot() {
  name=$(param name)
  [[ $name =~ ^[A-Za-z][A-Za-z0-9_-]+$ ]] || fail BAD_PARAMETERS "not a snapshot's name: '$name'"
  early=$(param early false)
  folder=${PHOENIX_STATE:-/var/lib/phoenix}/$STACK/settings
  mark=$(percent_decode "${GUEST_CONFIG[description]:-}")
  mark=${mark%%$'\n'*}
  record_file=$folder/$CTID.mounts
}

is_taken() { ask pct listsnapshot "$CTID" | awk -v name="$name" '$1 == "`->" && $2 == name { found = 1 } END { exit !found }'; }

# This very guest has been configured already: what is there now is not what an early snapshot is to hold.
is_too_late() {
  local first=''
  if [[ $early != true || ! -f $folder/$CTID ]]; then return 1; fi
  read -r first <"$folder/$CTID" || true
  [[ $first == "$mark" ]]
}

is_running() {
  local status
  status=$(ask pct status "$CTID")
  [[ $status == *running* ]]
}

# Entries whose source is a path of the host, as words for `pct set`.
mounts_of_host() {
  local key
  for key in "${!GUEST_CONFIG[@]}"; do
    if [[ $key =~ ^mp[0-9]+$ && ${GUEST_CONFIG[$key]} =~ ^(volume=)?/ ]]; then printf -- '--%s\n%s\n' "$key" "${GUEST_CONFIG[$key]}"; fi
  done
}

# What was written down before the guest was stopped: its mark, whether it ran, words for `pct set`.
bring_back() {
  local words=() missing=() i
  if [[ ! -f $record_file ]]; then return 0; fi
  mapfile -t words <"$record_file"
  if [[ ${words[0]:-} == "$mark" ]]; then
    read_guest_config || fail GUEST_NOT_RUNNING "guest $CTID is not there"
    for ((i = 2; i < ${#words[@]}; i += 2)); do
      # What has a place again has been put there by the settings meanwhile.
      if [[ -z ${GUEST_CONFIG[${words[i]#--}]:-} ]]; then missing+=("${words[i]}" "${words[i + 1]}"); fi
    done
    if ((${#missing[@]} > 0)); then
      step "Bringing the mounts of guest $CTID back" FAILED pct set "$CTID" "${missing[@]}"
    fi
    if [[ ${words[1]:-} == running ]]; then
      if ! is_running; then step "Starting the guest" FAILED pct start "$CTID"; fi
      guest_wait_ready
    fi
  fi
  rm -f -- "$record_file"
}

do_check() {
  local first=''
  read_snapshot
  if [[ -f $record_file ]]; then
    read -r first <"$record_file" || true
    if [[ $first == "$mark" ]]; then reason "what was taken out for a snapshot has not come back"; fi
  fi
  if is_too_late; then return 0; fi
  if ! is_taken; then reason "snapshot $name is not there"; fi
}

do_apply() {
  local words=() code=0
  read_snapshot
  bring_back
  if is_taken; then return 0; fi
  if is_too_late; then
    note "guest $CTID was configured before $name was asked for: it is not taken, since it could not hold what it says"
    return 0
  fi
  read_guest_config || fail GUEST_NOT_RUNNING "guest $CTID is not there"
  mapfile -t words < <(mounts_of_host)
  if ((${#words[@]} > 0)); then take_out "${words[@]}"; fi
  # Whatever comes of it, the guest gets back what it had.
  (step "Taking snapshot $name of guest $CTID" FAILED pct snapshot "$CTID" "$name" --description "Phoenix: $name") || code=$?
  bring_back
  if ((code != 0)); then exit "$code"; fi
  note "took snapshot $name of guest $CTID"
}

# take_out --mpN VALUE…
take_out() {
  local words=("$@") keys=() i state=stopped
  if is_running; then state=running; fi
  mkdir -p -- "$folder"
  put_file "$record_file" "$(printf '%s\n' "$mark" "$state" "${words[@]}")"$'\n' 0600 || true
  if [[ $state == running ]]; then
    step "Shutting the guest down for snapshot $name" FAILED pct shutdown "$CTID" --timeout "$shutdown_timeout" --forceStop 1
  fi
  for ((i = 0; i < ${#words[@]}; i += 2)); do keys+=("${words[i]#--}"); done
  step "Taking the mounts of guest $CTID out" FAILED pct set "$CTID" --delete "$(printf '%s\n' "${keys[@]}" | paste -sd ,)"
}

phoenix_main guest "$@"
