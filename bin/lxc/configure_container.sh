#!/usr/bin/env bash
# Settings of one container that its provider resource does not own, and whether it runs.
# Parameters: features {nesting, keyctl, fuse}; rootfsGb, to which the root disk may grow; started.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"

# Seconds for an orderly shutdown before PVE ends the guest.
shutdown_timeout=60

# The feature flags as PVE writes them: ours as wanted, all others as they are. A pure function of its arguments.
wanted_features() {
  local current=$1 flag name parts=()
  local -A ours=([nesting]=$2 [keyctl]=$3 [fuse]=$4)
  IFS=, read -ra parts <<<"$current"
  local kept=()
  for flag in "${parts[@]}"; do
    if [[ -z ${ours[${flag%%=*}]+ours} ]]; then kept+=("$flag"); fi
  done
  for name in fuse keyctl nesting; do
    if [[ ${ours[$name]} == true ]]; then kept+=("$name=1"); fi
  done
  if ((${#kept[@]} > 0)); then printf '%s\n' "${kept[@]}" | sort | paste -sd ,; fi
}

# Sorted and without flags that are off, so that two spellings of one setting are equal.
plain_features() { tr , '\n' <<<"$1" | grep -v '=0$' | sort | paste -sd , || true; }

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

compare() {
  local flag wanted=()
  for flag in nesting keyctl fuse; do wanted+=("$(param "features/$flag" false)"); done
  started=$(param started true)
  features_now=$(plain_features "${GUEST_CONFIG[features]:-}")
  features_wanted=$(plain_features "$(wanted_features "$features_now" "${wanted[@]}")")
  disk_now=$(size_in_mib "${GUEST_CONFIG[rootfs]:-}")
  disk_wanted=$(($(param rootfsGb 0) * 1024))
  if is_template; then running=false; else running=$(is_running); fi
  pending=''
  if [[ $running == true ]]; then pending=$(pending_changes); fi
}

is_running() {
  local status
  status=$(ask pct status "$CTID")
  if [[ $status == *running* ]]; then echo true; else echo false; fi
}

# Names of settings that take effect with the next start.
pending_changes() { ask pct pending "$CTID" | sed -nE 's/^(new|del) ([^:]+):.*/\2/p' | sort -u | paste -sd ' '; }

disk_grows() { [[ -n $disk_now ]] && ((disk_wanted > disk_now)); }

do_check() {
  compare
  if [[ $features_now != "$features_wanted" ]]; then
    reason "feature flags are '$features_now', wanted '$features_wanted'"
  fi
  if disk_grows; then reason "the root disk has $disk_now MiB, wanted $disk_wanted MiB"; fi
  if [[ -n $pending ]]; then reason "changes wait for a restart: $pending"; fi
  if [[ $running != "$started" ]]; then
    if [[ $started == true ]]; then reason "the guest is stopped"; else reason "the guest is running"; fi
  fi
}

do_apply() {
  compare
  if [[ $features_now != "$features_wanted" ]]; then
    if [[ -n $features_wanted ]]; then
      step "Setting feature flags" FAILED pct set "$CTID" --features "$features_wanted"
    else
      step "Clearing feature flags" FAILED pct set "$CTID" --delete features
    fi
  fi
  if disk_grows; then
    step "Growing the root disk" FAILED pct resize "$CTID" rootfs "$((disk_wanted / 1024))G"
  fi
  if [[ $running == true ]]; then
    pending=$(pending_changes)
    if [[ $started != true || -n $pending ]]; then
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

phoenix_main guest "$@"
