#!/usr/bin/env bash
# The Docker engine from the distribution: installed, enabled and running on a real storage driver. In a container with a
# GPU it gets the NVIDIA runtime: nvidia_container_toolkit {version, repository}, filled in from the configuration.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/nvidia.sh
source "$library/nvidia.sh"

read_docker() {
  packages=()
  param_list packages packages
  driver=$(param storage_driver '')
  [[ $driver =~ ^[a-z0-9-]*$ ]] || fail BAD_PARAMETERS "not a storage driver: '$driver'"
  settings=''
  if [[ $(param daemon '{}') != '{}' ]]; then settings="$(param daemon)"$'\n'; fi
  # What stands in the file where only the runtime was asked for: without it nobody needs the file.
  retired=$(with_runtime '{}')$'\n'
  toolkit=$(param nvidia_container_toolkit/version '')
  uri='' key_url='' key_sum=''
  if [[ -n $toolkit ]]; then
    uri=$(param nvidia_container_toolkit/repository/uri)
    key_url=$(param nvidia_container_toolkit/repository/keyUrl)
    key_sum=$(param nvidia_container_toolkit/repository/keySha256)
    settings=$(with_runtime "$(param daemon '{}')")$'\n'
    retired=''
  fi
  place=("$driver" "$settings" "$retired" "$toolkit" "$uri" "$key_url" "$key_sum")
}

# daemon.json with the NVIDIA runtime, which is the default one where nothing else is said.
with_runtime() {
  perl -MJSON::PP -e '
    local $/;
    my $json = JSON::PP->new->utf8->canonical;
    my $daemon = $json->decode(<STDIN>);
    $daemon->{runtimes}{nvidia} //= { args => [], path => "nvidia-container-runtime" };
    $daemon->{"default-runtime"} //= "nvidia";
    print $json->encode($daemon);' <<<"$1"
}

do_check() {
  read_docker
  guest_run inside_check "${place[@]}" "${packages[@]}"
}

do_apply() {
  read_docker
  guest_run inside_apply "${place[@]}" "${packages[@]}"
}

# Images and volumes are somebody's data: they stay.
do_remove() {
  read_docker
  guest_run inside_remove "${packages[@]}"
}

inside_toolkit_packages() { printf '%s\n' nvidia-container-toolkit nvidia-container-toolkit-base libnvidia-container-tools libnvidia-container1; }

inside_running_driver() { timeout 20 docker info --format '{{.Driver}}' 2>/dev/null || true; }

inside_check() {
  local wanted=$1 settings=$2 retired=$3 toolkit=$4 package unit driver
  shift 7
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
  if [[ -n $retired ]] && same_file /etc/docker/daemon.json "$retired"; then
    reason "/etc/docker/daemon.json has the NVIDIA runtime, and no GPU is assigned"
  fi
  if [[ -n $toolkit ]]; then inside_check_toolkit "$toolkit"; fi
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
  local wanted=$1 settings=$2 retired=$3 toolkit=$4 uri=$5 key_url=$6 key_sum=$7 changed=false
  local unit driver units=(containerd.service docker.socket docker.service)
  shift 7
  wait_for_init
  if [[ -n $toolkit ]]; then inside_install_toolkit; fi
  if [[ -n $retired ]] && same_file /etc/docker/daemon.json "$retired"; then
    rm -f /etc/docker/daemon.json
    changed=true
  fi
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

# Docker's own check comes later: the runtime is what the toolkit brings and what daemon.json names.
inside_check_toolkit() {
  local package now
  while IFS= read -r package; do
    now=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$package" 2>/dev/null) || true
    if [[ $now != "installed $1" ]]; then reason "package $package is '${now#installed }', wanted $1"; fi
  done < <(inside_toolkit_packages)
  if ! grep -qs '^no-cgroups = true' /etc/nvidia-container-runtime/config.toml; then
    reason "the NVIDIA runtime would set device cgroups, which a container may not"
  fi
}

inside_install_toolkit() {
  local package words=() key=/usr/share/keyrings/phoenix-nvidia-toolkit.asc text
  while IFS= read -r package; do words+=("$package=$toolkit"); done < <(inside_toolkit_packages)
  if [[ $(dpkg-query -W -f '${Version}\n' "${words[@]%%=*}" 2>/dev/null | sort -u) != "$toolkit" ]]; then
    inside_fetch "$key_url" "$key_sum" "$key"
    chmod 0644 "$key"
    text=$(inside_source_text vendor-repository "$uri" "$key" '')
    put_file /etc/apt/sources.list.d/phoenix-nvidia-toolkit.sources "$text"$'\n' || true
    wait_for_names
    refresh_package_lists
    step "Installing the NVIDIA container toolkit $toolkit" PACKAGES apt-get -y --no-install-recommends --allow-downgrades \
      -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install "${words[@]}"
  fi
  # In a container the outer one rules the device cgroups; they already allow what is assigned.
  step "Setting up the NVIDIA runtime" FAILED nvidia-ctk config --in-place --set nvidia-container-cli.no-cgroups=true
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
