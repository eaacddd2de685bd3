#!/usr/bin/env bash
# Upgrades all packages of the node once for each word that the configuration gives, never by itself.
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

# A kernel's files are named by its release; the newest one is what the next boot takes.
newest_kernel() { find /boot -maxdepth 1 -name 'vmlinuz-*' -printf '%f\n' 2>/dev/null | sed 's/^vmlinuz-//' | sort -V | tail -n 1; }

read_upgrade() {
  mark=$(param mark)
  [[ $mark =~ ^[A-Za-z0-9][A-Za-z0-9_.-]*$ ]] || fail BAD_PARAMETERS "not a word to mark an upgrade: '$mark'"
  done_file=${PHOENIX_STATE:-/var/lib/phoenix}/$STACK/upgraded
  node_release >/dev/null
}

upgraded() { [[ -f $done_file && $(<"$done_file") == "$mark" ]]; }

do_check() {
  read_upgrade
  if ! upgraded; then reason "the upgrade '$mark' was not made yet"; fi
}

do_apply() {
  local before plan
  read_upgrade
  if upgraded; then
    stop_where_reboot_is_due
    return 0
  fi
  if [[ -n $(dpkg --audit) ]]; then
    DEBIAN_FRONTEND=noninteractive step "Finishing an interrupted installation" PACKAGES dpkg --configure -a
  fi
  wait_for_names
  refresh_package_lists
  refuse_lost_parts dist-upgrade
  plan=$(ask apt-get -s -y dist-upgrade)
  before=$(grep -c '^Inst ' <<<"$plan") || true
  DEBIAN_FRONTEND=noninteractive step "Upgrading $before packages" PACKAGES apt-get -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold dist-upgrade
  note "upgraded $before packages"
  mkdir -p -- "${done_file%/*}"
  put_file "$done_file" "$mark" 0600 || true
  stop_where_reboot_is_due
}

stop_where_reboot_is_due() {
  local newest
  newest=$(newest_kernel)
  if [[ -n $newest && $newest != "$(uname -r)" ]]; then stop_for_reboot "kernel $newest is installed, $(uname -r) is running"; fi
  if [[ -e /run/reboot-required ]]; then stop_for_reboot "an upgraded package asks for a reboot (/run/reboot-required)"; fi
}

phoenix_main host "$@"
