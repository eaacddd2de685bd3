#!/usr/bin/env bash
# Settings of one container that its provider resource does not own, and whether it runs. What is to be set is a pure
# function of what is there, what is wanted and what this guest was given earlier: lib/guest_settings.pl.
# Parameters: features {nesting, keyctl, fuse, mknod, force_rw_sys, mount[]}; devices [{path, mode, uid, gid,
# denyWrite}]; mounts [{source, path, dataset, readOnly}]; raw [[key, value]]; subordinateIds [{kind, first, count}]; options
# {name: value}; description, a person's own text below the mark; rootfsGb, to which the root disk may grow; started.
# Whatever else stands in `parameters` only makes this step run again, as settings of the provider that take a restart.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"

# Seconds for an orderly shutdown before PVE ends the guest.
shutdown_timeout=60

# A size as in `rootfs: …,size=4G`, in MiB; empty where PVE does not say.
size_in_mib() {
  if [[ $1 =~ (^|,)size=([0-9]+)([MGT]) ]]; then
    case ${BASH_REMATCH[3]} in
      M) echo "${BASH_REMATCH[2]}" ;;
      G) echo $((BASH_REMATCH[2] * 1024)) ;;
      T) echo $((BASH_REMATCH[2] * 1024 * 1024)) ;;
    esac
  fi
}

# What this very guest was given earlier, one item a line; the record of an earlier guest of that number says nothing.
given_earlier() {
  local first=''
  if [[ -f $record_file ]]; then
    read -r first <"$record_file" || true
    if [[ $first == "$mark" ]]; then tail -n +2 -- "$record_file"; fi
  fi
}

compare() {
  local pairs=() i kind value planned
  mark=$(percent_decode "${GUEST_CONFIG[description]:-}")
  mark=${mark%%$'\n'*}
  record_file=${PHOENIX_STATE:-/var/lib/phoenix}/$STACK/settings/$CTID
  started=$(param started true)
  disk_now=$(size_in_mib "${GUEST_CONFIG[rootfs]:-}")
  disk_wanted=$(($(param rootfsGb 0) * 1024))
  differences=() conflicts=() changes=() raw_lines=() owned=() raw_changed=false
  planned=$(mktemp)
  printf '%s\0%s\0%s' "$(document /parameters)" "$GUEST_TEXT" "$(given_earlier)" |
    perl "$PHOENIX_LIBRARY/guest_settings.pl" >"$planned" || fail BAD_PARAMETERS "the settings make no sense"
  mapfile -d '' pairs <"$planned"
  rm -f -- "$planned"
  for ((i = 0; i < ${#pairs[@]}; i += 2)); do
    kind=${pairs[i]} value=${pairs[i + 1]}
    case $kind in
      reason) differences+=("$value") ;;
      conflict) conflicts+=("$value") ;;
      set) changes+=("$value") ;;
      raw) raw_lines+=("$value") ;;
      raw-changed) raw_changed=true ;;
      owned) owned+=("$value") ;;
    esac
  done
  if is_template; then running=false; else running=$(is_running); fi
  pending=''
  if [[ $running == true ]]; then pending=$(pending_changes); fi
}

is_running() {
  local status
  status=$(ask pct status "$CTID")
  if [[ $status == *running* ]]; then echo true; else echo false; fi
}

# Names of settings that take effect with the next start; raw lines are not among those that Proxmox VE tells.
pending_changes() {
  {
    ask pct pending "$CTID" | sed -nE 's/^(new|del) ([^:]+):.*/\2/p'
    raw_lines_not_in_force
    if name_is_old; then echo hostname; fi
  } | sort -u | paste -sd ' '
}

# Proxmox VE writes a new host name at once, and the guest goes on under its old one until it starts again.
name_is_old() {
  local inside
  if [[ -z ${GUEST_CONFIG[hostname]:-} ]]; then return 1; fi
  inside=$(pct exec "$CTID" -- cat /proc/sys/kernel/hostname 2>/dev/null) || return 1
  [[ -n $inside && ${inside%%.*} != "${GUEST_CONFIG[hostname]%%.*}" ]]
}

raw_lines_not_in_force() {
  local line rendered=${PHOENIX_LXC:-/var/lib/lxc}/$CTID/config
  if [[ ! -f $rendered ]]; then return 0; fi
  for line in "${raw_lines[@]}"; do
    if ! grep -qxF -- "${line/: / = }" "$rendered"; then printf '%s\n' "${line%%:*}"; fi
  done
}

disk_grows() { [[ -n $disk_now ]] && ((disk_wanted > disk_now)); }

# Ids of the node that the node's root may give to guests, as `root:FIRST:COUNT`, that are not listed in FILE yet.
missing_subordinate_ids() {
  local file=$1 kind=$2 i size=${PHOENIX_DOCUMENT[":size:/parameters/subordinateIds"]:-0}
  for ((i = 0; i < size; i++)); do
    if [[ $(param "subordinateIds/$i/kind") != "$kind" ]]; then continue; fi
    line="root:$(param "subordinateIds/$i/first"):$(param "subordinateIds/$i/count")"
    if ! grep -qxF -- "$line" "$file" 2>/dev/null; then printf '%s\n' "$line"; fi
  done
}

# Sources of mounts that a guest cannot be given, and why: what it wrote into the empty folder of a dataset that is not
# mounted would be hidden as soon as it is.
missing_sources() {
  local i source dataset size=${PHOENIX_DOCUMENT[":size:/parameters/mounts"]:-0}
  for ((i = 0; i < size; i++)); do
    source=$(param "mounts/$i/source")
    dataset=$(param "mounts/$i/dataset" '')
    if [[ -n $dataset ]] && ! dataset_is_mounted "$dataset"; then
      printf 'dataset %s, in which %s lies, is not mounted\n' "$dataset" "$source"
    elif [[ ! -d $source ]]; then
      printf '%s is not there\n' "$source"
    fi
  done
}

do_check() {
  local difference line missing
  compare
  missing=$(missing_sources)
  while IFS= read -r line; do
    if [[ -n $line ]]; then reason "$line"; fi
  done <<<"$missing"
  for difference in "${differences[@]}"; do reason "$difference"; done
  for line in $(missing_subordinate_ids /etc/subuid u); do reason "/etc/subuid lacks '$line'"; done
  for line in $(missing_subordinate_ids /etc/subgid g); do reason "/etc/subgid lacks '$line'"; done
  if disk_grows; then reason "the root disk has $disk_now MiB, wanted $disk_wanted MiB"; fi
  if [[ -n $pending ]]; then reason "changes wait for a restart: $pending"; fi
  if [[ $running != "$started" ]]; then
    if [[ $started == true ]]; then reason "the guest is stopped"; else reason "the guest is running"; fi
  fi
}

do_apply() {
  local line restart=false missing
  compare
  if ((${#conflicts[@]} > 0)); then
    quote_text "$(printf '%s\n' "${conflicts[@]}")"
    fail NOT_OURS "guest $CTID has something of somebody else's where the configuration wants to put its own; nothing was changed" \
      "take it away by hand (pct set $CTID --delete …), or choose another place in the configuration"
  fi
  missing=$(missing_sources)
  if [[ -n $missing ]]; then
    quote_text "$missing"
    fail MISSING_PREREQUISITE "guest $CTID cannot be given what it is to see; nothing was changed" \
      "mount what is named above (zfs mount -a) or make it again ('bin/phoenix repair'), then run 'pulumi up' again"
  fi
  # Written first: what a cut run has set already must still count as ours.
  mkdir -p -- "${record_file%/*}"
  put_file "$record_file" "$(printf '%s\n' "$mark" "${owned[@]}")"$'\n' 0600 || true
  for line in $(missing_subordinate_ids /etc/subuid u); do printf '%s\n' "$line" >>/etc/subuid; done
  for line in $(missing_subordinate_ids /etc/subgid g); do printf '%s\n' "$line" >>/etc/subgid; done
  if ((${#changes[@]} > 0)); then step "Changing the settings of guest $CTID" FAILED pct set "$CTID" "${changes[@]}"; fi
  if [[ $raw_changed == true ]]; then
    write_raw_lines
    restart=true
  fi
  for line in "${differences[@]}"; do note "guest $CTID: $line"; done
  if disk_grows; then
    step "Growing the root disk" FAILED pct resize "$CTID" rootfs "$((disk_wanted / 1024))G"
  fi
  if [[ $running == true ]]; then
    pending=$(pending_changes)
    if [[ $started != true || -n $pending || $restart == true ]]; then
      step "Shutting the guest down" FAILED \
        pct shutdown "$CTID" --timeout "$shutdown_timeout" --forceStop 1
      running=false
    fi
  fi
  if [[ $started == true ]]; then
    if [[ $running != true ]]; then step "Starting the guest" FAILED pct start "$CTID"; fi
    guest_wait_ready
  fi
}

write_raw_lines() {
  local text='' message
  if ((${#raw_lines[@]} > 0)); then text=$(printf '%s\n' "${raw_lines[@]}"); fi
  message=$(perl "$PHOENIX_LIBRARY/edit_raw_lines.pl" "$CTID" <<<"$text" 2>&1) || {
    quote_text "$message"
    fail FAILED "the raw lines of guest $CTID could not be written"
  }
}

phoenix_main guest "$@"
