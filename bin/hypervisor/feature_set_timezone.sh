#!/usr/bin/env bash
# Time zone of the node.
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

timezone_now() { readlink -f /etc/localtime | sed 's|^/usr/share/zoneinfo/||'; }

read_timezone() {
  timezone=$(param timezone)
  [[ $timezone =~ ^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$ ]] || fail BAD_PARAMETERS "not a time zone: '$timezone'"
  # Names that mean the same lead to one file.
  wanted=$(readlink -m -- "/usr/share/zoneinfo/$timezone" | sed 's|^/usr/share/zoneinfo/||')
}

do_check() {
  read_timezone
  node_release >/dev/null
  if [[ $(timezone_now) != "$wanted" ]]; then reason "the time zone is '$(timezone_now)', wanted '$timezone'"; fi
}

do_apply() {
  read_timezone
  node_release >/dev/null
  [[ -f /usr/share/zoneinfo/$timezone ]] || fail BAD_PARAMETERS "this node knows no time zone '$timezone'" "timedatectl list-timezones on the node shows them"
  if [[ $(timezone_now) == "$wanted" ]]; then return 0; fi
  remember_value timezone "$(timezone_now)" "$wanted"
  set_timezone "$timezone"
}

set_timezone() {
  ln -sfn -- "/usr/share/zoneinfo/$1" /etc/localtime.phoenix-new
  mv -fT -- /etc/localtime.phoenix-new /etc/localtime
  printf '%s\n' "$1" >/etc/timezone
  note "time zone $1"
}

do_remove() {
  local before
  if before=$(value_before timezone "$(timezone_now)"); then set_timezone "$before"; fi
  forget_value timezone
}

phoenix_main host "$@"
