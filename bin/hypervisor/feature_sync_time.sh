#!/usr/bin/env bash
# Time servers that chrony on the node asks, beside those of the distribution.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/platform.sh
source "$library/platform.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/owned_files.sh
source "$library/owned_files.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/host_packages.sh
source "$library/host_packages.sh"

file=/etc/chrony/sources.d/phoenix.sources

read_servers() {
  local server
  servers=()
  param_list servers servers
  text=''
  for server in "${servers[@]}"; do
    [[ $server =~ ^[A-Za-z0-9][A-Za-z0-9.:-]*$ ]] || fail BAD_PARAMETERS "not a time server: '$server'"
    text+="server $server iburst"$'\n'
  done
}

# A machine that may not set its clock (a container) has the unit's own condition unmet: nothing to ask for then.
chrony_is_idle() {
  systemctl is-active --quiet chrony && return 1
  [[ $(systemctl show -p ConditionResult --value chrony) != no ]]
}

do_check() {
  node_release >/dev/null
  read_servers
  check_packages chrony
  check_file "$file" "$text"
  if [[ -z $(packages_missing chrony) ]] && chrony_is_idle; then reason "chrony does not run"; fi
}

do_apply() {
  node_release >/dev/null
  read_servers
  install_on_host chrony
  if own_file "$file" "$text"; then
    note "wrote $file"
    if systemctl is-active --quiet chrony; then step "Reading the time servers" FAILED chronyc reload sources; fi
  fi
  if chrony_is_idle; then step "Starting chrony" FAILED systemctl enable --now chrony; fi
}

do_remove() {
  if ! disown_file "$file"; then return 0; fi
  note "removed $file; chrony stays, with the distribution's servers"
  if systemctl is-active --quiet chrony; then step "Reading the time servers" FAILED chronyc reload sources; fi
}

phoenix_main host "$@"
