#!/usr/bin/env bash
# The firewall of one container: on or off, and its rules in order. Parameters: enabled; rules [{type, action, iface,
# source, dest, proto, dport, comment}]. The list of rules is the configuration's alone. Removal turns it off and takes
# the rules away.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"

# plan PARAMETERS: how the firewall differs from them.
plan() {
  local pairs=() i kind value options rules planned
  base=/nodes/$(hostname -s)/lxc/$CTID/firewall
  options=$(ask pvesh get "$base/options" --output-format json)
  rules=$(ask pvesh get "$base/rules" --output-format json)
  reasons=() wanted_rules=() rules_now=-1
  planned=$(mktemp)
  printf '%s\0%s\0%s' "$1" "$options" "$rules" | perl "$PHOENIX_LIBRARY/firewall_plan.pl" >"$planned" ||
    fail BAD_PARAMETERS "the firewall makes no sense"
  mapfile -d '' pairs <"$planned"
  rm -f -- "$planned"
  for ((i = 0; i < ${#pairs[@]}; i += 2)); do
    kind=${pairs[i]} value=${pairs[i + 1]}
    case $kind in
      reason) reasons+=("$value") ;;
      rules-changed) rules_now=$value ;;
      rule) wanted_rules+=("$value") ;;
    esac
  done
}

# Rules before the switch when it goes on, the switch before the rules when it goes off: no moment shuts the owner out.
change() {
  local rule words i
  if [[ $1 == 0 ]]; then switch 0; fi
  if ((rules_now >= 0)); then
    # From the last to the first, each to the front, and then the old ones from behind: the list is never empty.
    for rule in "${wanted_rules[@]}"; do
      IFS=$'\x1f' read -ra words <<<"$rule"
      step "Adding a firewall rule" FAILED pvesh create "$base/rules" "${words[@]}"
    done
    for ((i = ${#wanted_rules[@]} + rules_now - 1; i >= ${#wanted_rules[@]}; i--)); do
      step "Removing a firewall rule" FAILED pvesh delete "$base/rules/$i"
    done
  fi
  if [[ $1 == 1 ]]; then switch 1; fi
  for rule in "${reasons[@]}"; do note "guest $CTID: $rule"; done
}

switch() { step "Switching the firewall" FAILED pvesh set "$base/options" --enable "$1"; }

do_check() {
  local text
  plan "$(document /parameters)"
  for text in "${reasons[@]}"; do reason "$text"; done
}

do_apply() {
  plan "$(document /parameters)"
  if ((${#reasons[@]} == 0)); then return 0; fi
  if [[ $(param enabled) == true ]]; then change 1; else change 0; fi
}

do_remove() {
  plan '{"enabled":false,"rules":[]}'
  if ((${#reasons[@]} > 0)); then change 0; fi
}

phoenix_main guest "$@"
