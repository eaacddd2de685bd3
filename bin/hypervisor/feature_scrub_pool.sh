#!/usr/bin/env bash
# Reads a whole pool through at fixed times, by a timer of systemd.
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

read_timer() {
  pool=$(param pool)
  calendar=$(param schedule)
  [[ $pool =~ ^[A-Za-z][A-Za-z0-9_.:-]*$ ]] || fail BAD_PARAMETERS "not a name for a pool: '$pool'"
  [[ $calendar =~ ^[A-Za-z0-9*.,:/~\ -]+$ ]] || fail BAD_PARAMETERS "not a calendar event: '$calendar'"
  unit=phoenix-scrub-$pool
  timer=/etc/systemd/system/$unit.timer
  service=/etc/systemd/system/$unit.service
  timer_text="# Written by Phoenix, stack $STACK.
[Unit]
Description=Scrub of ZFS pool $pool

[Timer]
OnCalendar=$calendar
RandomizedDelaySec=1h
Persistent=true

[Install]
WantedBy=timers.target
"
  service_text="# Written by Phoenix, stack $STACK.
[Unit]
Description=Scrub of ZFS pool $pool

[Service]
Type=oneshot
ExecStart=$(command -v zpool) scrub $pool
"
}

do_check() {
  node_release >/dev/null
  read_timer
  check_file "$timer" "$timer_text"
  check_file "$service" "$service_text"
  if ! systemctl is-active --quiet "$unit.timer" || ! systemctl is-enabled --quiet "$unit.timer"; then
    reason "the timer $unit does not run"
  fi
}

do_apply() {
  local changed=''
  node_release >/dev/null
  command -v zpool >/dev/null || fail MISSING_PREREQUISITE "there is no zpool on this node" "install zfsutils-linux"
  read_timer
  systemd-analyze calendar "$calendar" >/dev/null 2>&1 ||
    fail BAD_PARAMETERS "systemd knows no such time: '$calendar'" "weekly, monthly, quarterly, or as in systemd.time(7)"
  if own_file "$service" "$service_text"; then changed=1; fi
  if own_file "$timer" "$timer_text"; then changed=1; fi
  if [[ -n $changed ]]; then
    step "Reading the units" FAILED systemctl daemon-reload
    note "pool $pool is scrubbed: $calendar"
  fi
  step "Starting the timer" FAILED systemctl enable --now "$unit.timer"
  if [[ -n $changed ]]; then step "Starting the timer anew" FAILED systemctl restart "$unit.timer"; fi
}

do_remove() {
  read_timer
  if [[ $(owned_state "$timer") == ours ]]; then step "Stopping the timer" FAILED systemctl disable --now "$unit.timer"; fi
  disown_file "$timer" || true
  if disown_file "$service"; then step "Reading the units" FAILED systemctl daemon-reload; fi
}

phoenix_main host "$@"
