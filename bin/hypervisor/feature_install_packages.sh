#!/usr/bin/env bash
# Packages of the node itself; they are never removed again, since other things may have come to need them.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/platform.sh
source "$library/platform.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/host_packages.sh
source "$library/host_packages.sh"

read_packages() {
  local package
  packages=()
  param_list packages packages
  for package in "${packages[@]}"; do
    [[ $package =~ ^[a-z0-9][a-z0-9+.-]+$ ]] || fail BAD_PARAMETERS "not the name of a package: '$package'"
  done
  node_release >/dev/null
}

do_check() {
  read_packages
  check_packages "${packages[@]}"
}

do_apply() {
  read_packages
  install_on_host "${packages[@]}"
}

phoenix_main host "$@"
