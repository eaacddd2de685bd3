#!/usr/bin/env bash
# Turns a configured guest into a template, and records what it was made of.
# Parameters: record {recipe, vmid, parent, features}: the generation, read by `bin/phoenix drift` for containers
# that were cloned from this template.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"

# A template is what this makes, so the common entry must let it see one.
export SEES_TEMPLATES=1
shutdown_timeout=120

read_seal() {
  local recipe
  recipe=$(param record/recipe)
  [[ $recipe =~ ^[0-9a-zA-Z]+$ ]] || fail BAD_PARAMETERS "not a recipe's digest: '$recipe'"
  [[ $recipe == "$RECIPE" ]] || fail BAD_PARAMETERS "the record is of recipe $recipe, the template's is '$RECIPE'"
  made_from=$(recipe_in_mark)
  generations=/var/lib/phoenix/$STACK/generations
  record_file=$generations/$recipe.json
  record=$(param record)
}

do_check() {
  read_seal
  if ! is_template; then
    reason "guest $CTID is not sealed yet"
  elif [[ $made_from != "$RECIPE" ]]; then
    reason "guest $CTID is sealed with recipe $made_from, wanted $RECIPE"
  fi
  if ! same_file "$record_file" "$record"; then reason "the generation is not recorded in $record_file"; fi
}

do_apply() {
  read_seal
  if is_template && [[ $made_from != "$RECIPE" ]]; then
    fail SEALED "guest $CTID is sealed with recipe $made_from, and cannot become $RECIPE"
  fi
  # Recorded first: no clone of a sealed template may lack its record.
  mkdir -p -- "$generations"
  if put_file "$record_file" "$record" 0600; then note "recorded generation $RECIPE"; fi
  if is_template; then return 0; fi
  status=$(ask pct status "$CTID")
  if [[ $status == *running* ]]; then
    guest_run inside_clean
    step "Shutting the guest down" FAILED pct shutdown "$CTID" --timeout "$shutdown_timeout" --forceStop 1
  fi
  # PVE copies devices to clones, which bring their own.
  devices=$(printf '%s\n' "${!GUEST_CONFIG[@]}" | grep -E '^dev[0-9]+$' | sort | paste -sd ,) || true
  if [[ -n $devices ]]; then
    step "Taking the devices out of the template" FAILED pct set "$CTID" --delete "$devices"
  fi
  step "Sealing the guest" FAILED pct template "$CTID"
}

# What no clone should share or carry along.
inside_clean() {
  wait_for_init
  if command -v apt-get >/dev/null; then apt-get clean; fi
  if [[ -f /etc/machine-id ]]; then : >/etc/machine-id; fi
}

phoenix_main guest "$@"
