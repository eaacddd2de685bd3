#!/usr/bin/env bash
# How one set of log files on the node is rotated.
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

read_rotation() {
  local path
  name=$(param name)
  [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9_-]*$ ]] || fail BAD_PARAMETERS "not a name for a rotation: '$name'"
  file=/etc/logrotate.d/phoenix-$name
  paths=()
  param_list files paths
  frequency=$(param frequency)
  keep=$(param keep)
  max_size=$(param maxSize '')
  if ((${#paths[@]} == 0)); then fail BAD_PARAMETERS "rotation $name names no files"; fi
  for path in "${paths[@]}"; do
    [[ $path =~ ^/[A-Za-z0-9_.*?/@:+-]+$ ]] || fail BAD_PARAMETERS "not a path of log files: '$path'"
  done
  [[ $frequency =~ ^(daily|weekly|monthly)$ && $keep =~ ^[0-9]{1,4}$ && $max_size =~ ^([0-9]+[kMG]?)?$ ]] ||
    fail BAD_PARAMETERS "rotation $name: '$frequency', '$keep', '$max_size'"
  text=$(rendered)
  text=$text$'\n'
}

rendered() {
  printf '# Written by Phoenix, stack %s.\n' "$STACK"
  printf '%s\n' "${paths[@]}"
  printf '{\n    %s\n    rotate %s\n' "$frequency" "$keep"
  if [[ -n $max_size ]]; then printf '    maxsize %s\n' "$max_size"; fi
  printf '    missingok\n    notifempty\n'
  if [[ $(param compress) == true ]]; then printf '    compress\n    delaycompress\n'; fi
  printf '}\n'
}

do_check() {
  node_release >/dev/null
  read_rotation
  check_packages logrotate
  check_file "$file" "$text"
}

do_apply() {
  local code=0 said
  node_release >/dev/null
  read_rotation
  install_on_host logrotate
  if ! own_file "$file" "$text"; then return 0; fi
  said=$(logrotate --debug "$file" 2>&1) || code=$?
  if ((code != 0)) || grep -q '^error:' <<<"$said"; then
    disown_file "$file" || true
    quote_text "$(grep '^error:' <<<"$said")"
    fail FAILED "logrotate does not take the rotation $name; its file is taken away again"
  fi
  note "wrote $file"
}

do_remove() {
  read_rotation
  if disown_file "$file"; then note "removed $file; the logs stay"; fi
}

phoenix_main host "$@"
