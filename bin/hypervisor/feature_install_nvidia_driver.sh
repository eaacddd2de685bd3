#!/usr/bin/env bash
# One pinned version of the NVIDIA driver on the host: packages or runfile with DKMS, so that every kernel has its module;
# loaded now and at boot, device nodes there before guests start.
# Parameters: version, source, kernelModule, packages, repository {uri, keyUrl, keySha256}, runfile {url, sha256},
# persistence. The last line that apply prints is a JSON document with the GPUs and their devices.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/owned_files.sh
source "$library/owned_files.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/nvidia.sh
source "$library/nvidia.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/nvidia_host.sh
source "$library/nvidia_host.sh"

source_file=/etc/apt/sources.list.d/phoenix-nvidia.sources
key_file=/usr/share/keyrings/phoenix-nvidia.asc
pin_file=/etc/apt/preferences.d/phoenix-nvidia
blacklist_file=/etc/modprobe.d/phoenix-nvidia.conf
modules_file=/etc/modules-load.d/phoenix-nvidia.conf
unit_file=/etc/systemd/system/phoenix-nvidia.service
unit=phoenix-nvidia.service
runfile_folder=/var/cache/phoenix

packages=()

read_driver() {
  version=$(param version)
  [[ $version =~ ^[0-9]{3}\.[0-9]{1,3}(\.[0-9]{1,3})?$ ]] || fail BAD_PARAMETERS "not a driver's version: '$version'"
  origin=$(param source)
  flavour=$(param kernelModule proprietary)
  persistence=$(param persistence true)
  uri=$(param repository/uri '')
  key_url=$(param repository/keyUrl '')
  key_sum=$(param repository/keySha256 '')
  keyring=${key_url:+$key_file}
  param_list packages packages
  case $origin in
    distribution)
      blacklist_text+=$debian_aliases
      if ((${#packages[@]} == 0)); then packages=("$(kernel_package nvidia-open-kernel-dkms)" nvidia-smi libnvidia-ml1 nvidia-modprobe); fi
      ;;
    vendor-repository)
      if ((${#packages[@]} == 0)); then packages=("$(kernel_package nvidia-kernel-open-dkms)" nvidia-driver-cuda libnvidia-ml1 nvidia-modprobe); fi
      [[ -n $uri && -n $key_url && -n $key_sum ]] || fail BAD_PARAMETERS "the vendor's repository needs uri, keyUrl and keySha256"
      ;;
    runfile)
      runfile_url=$(param runfile/url)
      runfile_sum=$(param runfile/sha256)
      runfile=$runfile_folder/NVIDIA-$version.run
      packages=(dkms make gcc)
      ;;
    *) fail BAD_PARAMETERS "unknown source '$origin': distribution, vendor-repository or runfile" ;;
  esac
}

kernel_package() { if [[ $flavour == open ]]; then printf '%s' "$1"; else printf nvidia-kernel-dkms; fi; }

blacklist_text=$'blacklist nouveau\noptions nouveau modeset=0\n'
# Debian's modules have names of their own, and the aliases for them come only with its packages for X.
debian_aliases=$'alias nvidia nvidia-current\nalias nvidia-uvm nvidia-current-uvm\nalias nvidia-modeset nvidia-current-modeset\nalias nvidia-drm nvidia-current-drm\n'
modules_text=$'nvidia\nnvidia-uvm\n'

# Debian's modprobe runs nvidia-modprobe by itself, others do not: asking twice does no harm. What counts is the nodes.
unit_text() {
  local mode=0
  if [[ $persistence == true ]]; then mode=1; fi
  cat <<UNIT
[Unit]
Description=NVIDIA driver and its device nodes, before guests start
After=systemd-modules-load.service
Before=pve-guests.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=modprobe --all nvidia nvidia-uvm
ExecStart=-nvidia-modprobe -u -c=0
ExecStart=nvidia-smi -pm $mode
ExecStart=test -c /dev/nvidiactl -a -c /dev/nvidia-uvm

[Install]
WantedBy=multi-user.target
UNIT
}

# --- check -----------------------------------------------------------------------------------------------------------

do_check() {
  local kernel now
  read_driver
  if [[ -z $(gpu_addresses) ]]; then reason "there is no NVIDIA GPU on the PCI bus"; fi
  check_sources
  check_file "$blacklist_file" "$blacklist_text"
  check_file "$modules_file" "$modules_text"
  check_file "$unit_file" "$(unit_text)"$'\n'
  if [[ $(systemctl is-enabled "$unit" 2>/dev/null) != enabled ]]; then reason "$unit is not enabled"; fi
  while IFS= read -r kernel; do
    now=$(module_version "$kernel")
    if [[ ! -e /lib/modules/$kernel/build ]]; then reason "kernel $kernel: its headers are missing, no module can be built for it"; fi
    if [[ -z $now ]]; then
      reason "kernel $kernel: there is no NVIDIA module for it"
    elif [[ $now != "$version" ]]; then
      reason "kernel $kernel: its NVIDIA module is $now, wanted $version"
    fi
  done < <(kernels_to_serve)
  check_loaded
  finish_check
}

check_sources() {
  local line
  if [[ $origin == runfile ]]; then
    for line in "$pin_file" "$source_file"; do
      if [[ $(owned_state "$line") == ours ]]; then reason "$line is there, and the driver comes from a runfile"; fi
    done
    return 0
  fi
  check_file "$pin_file" "$(inside_pin_text "$version")"$'\n'
  while IFS= read -r line; do
    if [[ -n $line ]]; then reason "package $line, wanted $version"; fi
  done < <(inside_wrong_packages "$version" "${packages[@]}")
}

# What runs must be what is installed, and both what is wanted: each of the three is named.
check_loaded() {
  local loaded shared said node code=0
  if is_loaded nouveau; then reason "the module nouveau is loaded and holds the GPUs"; fi
  loaded=$(loaded_version)
  shared=$(inside_library_version)
  if [[ -z $loaded ]]; then
    reason "the kernel module is not loaded"
  elif [[ $loaded != "$version" ]]; then
    reason "the loaded kernel module is $loaded, wanted $version"
  fi
  if [[ -z $shared ]]; then
    reason "the library libnvidia-ml.so.1 is missing"
  elif [[ $shared != "$version" ]]; then
    reason "the library libnvidia-ml.so.1 is $shared, wanted $version${loaded:+ (the kernel module is $loaded)}"
  fi
  if [[ -n $loaded ]] && ! is_loaded nvidia_uvm; then reason "the module nvidia_uvm is not loaded"; fi
  if ! command -v nvidia-smi >/dev/null; then
    reason "there is no nvidia-smi"
    return 0
  fi
  said=$(nvidia-smi --query-gpu=driver_version,persistence_mode --format=csv,noheader 2>&1) || code=$?
  if ((code != 0)); then
    reason "nvidia-smi fails: ${said%%$'\n'*}"
    return 0
  fi
  if [[ ${said%%,*} != "$version" ]]; then reason "nvidia-smi says driver ${said%%,*}, wanted $version"; fi
  if [[ $persistence == true && $said == *Disabled* ]]; then reason "persistence mode is off"; fi
  if [[ $persistence != true && $said == *Enabled* ]]; then reason "persistence mode is on"; fi
  while IFS= read -r node; do
    if [[ ! -c $node ]]; then reason "device $node is missing"; fi
  done < <(expected_devices)
}

# --- apply -----------------------------------------------------------------------------------------------------------

do_apply() {
  local initramfs=false
  read_driver
  [[ -n $(gpu_addresses) ]] || fail MISSING_PREREQUISITE "there is no NVIDIA GPU on the PCI bus of this node" \
    "look at lspci -d 10de:; or say \"nvidia_driver\": {\"install\": false}"
  if own_file "$blacklist_file" "$blacklist_text"; then initramfs=true; fi
  install_headers
  if [[ $origin == runfile ]]; then apply_runfile; else apply_packages; fi
  build_modules "$version"
  # Names are shown to the kernel early, too: without this nouveau would come back from the initial RAM disk.
  if [[ $initramfs == true ]] && command -v update-initramfs >/dev/null; then
    step "Rebuilding the initial RAM disks" FAILED update-initramfs -u -k all
  fi
  own_file "$modules_file" "$modules_text" || true
  if own_file "$unit_file" "$(unit_text)"$'\n'; then step "Reading the units" FAILED systemctl daemon-reload; fi
  step "Enabling $unit" FAILED systemctl --quiet enable "$unit"
  load_modules
  if [[ -n $(serving_problem) ]]; then
    step "Starting $unit" FAILED systemctl restart "$unit"
  fi
  verify
  describe_gpus "$version"
}

apply_packages() {
  local wrong changed=false text
  if [[ -n $key_url ]]; then inside_fetch "$key_url" "$key_sum" "$key_file"; fi
  text=$(inside_source_text "$origin" "$uri" "$keyring" "$source_file")
  if [[ -n $text ]] && own_file "$source_file" "$text"$'\n'; then changed=true; fi
  if own_file "$pin_file" "$(inside_pin_text "$version")"$'\n'; then changed=true; fi
  wrong=$(inside_wrong_packages "$version" "${packages[@]}")
  if [[ -n $wrong || $changed == true ]]; then inside_install_driver "$version" "${packages[@]}"; fi
}

# The installer itself registers with DKMS; without that a new kernel would have no module.
apply_runfile() {
  local options=(--silent --no-questions --ui=none --dkms --no-x-check --no-nouveau-check --disable-nouveau) file others
  others=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' libnvidia-ml1 'nvidia-kernel-*' 'nvidia-driver*' nvidia-smi 2>/dev/null |
    sed -n 's/^installed //p' | paste -sd ' ') || true
  [[ -z $others || $(inside_library_version) == "$version" ]] ||
    fail REFUSED "packages of another driver are installed ($others), and the vendor's installer does not mix with them" \
      "look at what they are for, then on the node: apt-get purge $others"
  for file in "$pin_file" "$source_file"; do
    if disown_file "$file"; then note "took away $file"; fi
  done
  rm -f -- "$key_file"
  if [[ $(inside_library_version) == "$version" && -n $(dkms_name "$version") ]]; then return 0; fi
  install_packages "${packages[@]}"
  inside_fetch "$runfile_url" "$runfile_sum" "$runfile"
  if [[ $flavour == open ]]; then options+=(--kernel-module-type=open); fi
  unload_modules || stop_for_reboot "the running driver $(loaded_version) is in use and cannot be replaced by $version"
  step "Installing driver $version (runfile)" FAILED sh "$runfile" "${options[@]}"
}

# Loading is the last word: what cannot be unloaded stays until the node is rebooted.
load_modules() {
  local running now
  running=$(uname -r)
  if is_loaded nouveau; then
    modprobe -r nouveau 2>/dev/null || true
    if is_loaded nouveau; then stop_for_reboot "the module nouveau holds the GPUs; it is blacklisted from the next start on"; fi
    note "unloaded nouveau"
  fi
  if [[ $(module_version "$running") != "$version" ]]; then
    stop_for_reboot "kernel $running is running and has no module of driver $version; $(newest_kernel) has"
  fi
  now=$(loaded_version)
  if [[ -n $now && $now != "$version" ]]; then
    unload_modules || stop_for_reboot "the loaded driver $now is in use; $version is installed"
    note "unloaded driver $now"
  fi
  if [[ -z $(loaded_version) ]] || ! is_loaded nvidia_uvm; then
    step "Loading the driver" FAILED modprobe --all nvidia nvidia-uvm
  fi
}

verify() {
  local problem
  problem=$(serving_problem)
  [[ -z $problem ]] || fail MISMATCH "driver $version is installed, but $problem" "look at: journalctl -k -g NVRM, dkms status, nvidia-smi"
}

# What check would say of the running driver, as one line.
serving_problem() { (check_loaded) | paste -sd ';'; }

# --- remove ----------------------------------------------------------------------------------------------------------

# A running driver may be in use by guests of others, and its packages by anybody: they stay and are named.
do_remove() {
  local file
  read_driver
  if [[ -e $unit_file ]]; then systemctl --quiet disable "$unit" 2>/dev/null || true; fi
  for file in "$unit_file" "$modules_file" "$blacklist_file" "$pin_file" "$source_file"; do
    if disown_file "$file"; then note "took away $file"; fi
  done
  rm -f -- "$key_file"
  if [[ $origin == runfile ]]; then
    rm -f -- "$runfile"
    note "driver $version stays installed: nvidia-uninstall removes it"
  else
    note "driver $version stays installed: apt-get purge ${packages[*]} removes it"
  fi
}

phoenix_main host "$@"
