#!/usr/bin/env bash
# The Docker engine from the distribution: installed, enabled and running on a real storage driver.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"

read_docker() {
  packages=()
  param_list packages packages
  driver=$(param storage_driver '')
  [[ $driver =~ ^[a-z0-9-]*$ ]] || fail BAD_PARAMETERS "not a storage driver: '$driver'"
  settings=''
  if [[ $(param daemon '{}') != '{}' ]]; then settings="$(param daemon)"$'\n'; fi
}

do_check() {
  read_docker
  guest_run inside_check "$driver" "$settings" "${packages[@]}"
}

do_apply() {
  read_docker
  guest_run inside_apply "$driver" "$settings" "${packages[@]}"
}

# Images and volumes are somebody's data: they stay.
do_remove() {
  read_docker
  guest_run inside_remove "${packages[@]}"
}

inside_running_driver() { timeout 20 docker info --format '{{.Driver}}' 2>/dev/null || true; }

inside_check() {
  local wanted=$1 settings=$2 package unit driver
  shift 2
  for package in $(packages_missing "$@"); do reason "package $package is missing"; done
  if ! command -v dockerd >/dev/null; then
    reason "the Docker engine is not installed"
    finish_check
  fi
  for unit in docker.service containerd.service; do
    if [[ $(systemctl is-enabled "$unit" 2>/dev/null) != enabled ]]; then reason "$unit is not enabled"; fi
    if [[ $(systemctl is-active "$unit" 2>/dev/null) != active ]]; then reason "$unit is not running"; fi
  done
  if [[ -n $settings ]] && ! same_file /etc/docker/daemon.json "$settings"; then
    reason "/etc/docker/daemon.json is not as configured"
  fi
  finish_check
  driver=$(inside_running_driver)
  if [[ -z $driver ]]; then
    reason "the Docker engine does not answer"
  elif [[ -n $wanted && $driver != "$wanted" ]]; then
    reason "Docker's storage driver is $driver, wanted $wanted"
  elif [[ -z $wanted && $driver == vfs ]]; then
    reason "Docker's storage driver is vfs, which copies every layer: the guest's file system offers no overlay"
  fi
  finish_check
}

inside_apply() {
  local wanted=$1 settings=$2 changed=false unit driver units=(containerd.service docker.socket docker.service)
  shift 2
  wait_for_init
  if [[ -n $settings ]] && put_file /etc/docker/daemon.json "$settings"; then changed=true; fi
  install_packages "$@"
  command -v dockerd >/dev/null || fail MISSING_PREREQUISITE "the packages ($*) bring no dockerd"
  for unit in "${units[@]}"; do
    if [[ $(systemctl is-enabled "$unit" 2>/dev/null) == masked* ]]; then
      step "Unmasking $unit" FAILED systemctl unmask "$unit"
    fi
  done
  step "Enabling the Docker engine" FAILED systemctl --quiet enable "${units[@]}"
  if [[ $changed == true ]]; then step "Stopping the Docker engine" FAILED systemctl stop docker.service; fi
  if [[ $(systemctl is-active containerd.service docker.service | sort -u) != active ]]; then
    systemctl reset-failed "${units[@]}" 2>/dev/null || true
    step "Starting the Docker engine" FAILED systemctl start "${units[@]}"
  fi
  driver=$(inside_running_driver)
  [[ -n $driver ]] || fail FAILED "the Docker engine does not answer" "journalctl -u docker in the guest"
  if [[ -n $wanted && $driver != "$wanted" ]]; then
    fail MISMATCH "Docker runs on storage driver $driver, wanted $wanted" "set daemon {\"storage-driver\": …} as well"
  fi
  if [[ -z $wanted && $driver == vfs ]]; then
    fail MISSING_PREREQUISITE "Docker fell back to the storage driver vfs" "the guest's root needs a file system that overlayfs can use"
  fi
}

inside_remove() {
  local installed=() package missing
  missing=" $(packages_missing "$@" | tr '\n' ' ')"
  for package in "$@"; do
    if [[ $missing != *" $package "* ]]; then installed+=("$package"); fi
  done
  if ((${#installed[@]} == 0)); then return 0; fi
  step "Stopping the Docker engine" FAILED systemctl disable --now docker.service docker.socket
  step "Removing ${installed[*]}" PACKAGES apt-get -y -o DPkg::Lock::Timeout=300 remove "${installed[@]}"
}

phoenix_main guest "$@"
