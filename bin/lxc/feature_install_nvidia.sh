#!/usr/bin/env bash
# The NVIDIA driver's user space in a container, at exactly the version of the host's kernel module; no module is built.
# Parameters: packages; nvidia {version, source, repository, runfile, cudaVersion}, filled in from the configuration.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/nvidia.sh
source "$library/nvidia.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/nvidia_host.sh
source "$library/nvidia_host.sh"

packages=()

# What is wanted, as arguments for the functions that run in the guest.
read_user_space() {
  version=$(param nvidia/version)
  [[ $version =~ ^[0-9]{3}\.[0-9]{1,3}(\.[0-9]{1,3})?$ ]] || fail BAD_PARAMETERS "not a driver's version: '$version'"
  origin=$(param nvidia/source)
  [[ $origin =~ ^(distribution|vendor-repository|runfile)$ ]] || fail BAD_PARAMETERS "unknown source '$origin'"
  uri=$(param nvidia/repository/uri '')
  key_url=$(param nvidia/repository/keyUrl '')
  key_sum=$(param nvidia/repository/keySha256 '')
  runfile_url=$(param nvidia/runfile/url '')
  runfile_sum=$(param nvidia/runfile/sha256 '')
  cuda=$(param nvidia/cudaVersion '')
  param_list packages packages
  place=("$version" "$origin" "$uri" "$key_url" "$key_sum" "$runfile_url" "$runfile_sum" "$cuda")
}

# Which devices a container has is the settings' affair; a clone of a template with the driver may have none.
gpu_is_assigned() {
  local key
  for key in "${!GUEST_CONFIG[@]}"; do
    if [[ $key == dev[0-9]* && ${GUEST_CONFIG[$key]} == */dev/nvidia* ]]; then
      echo true
      return 0
    fi
  done
  echo false
}

do_check() {
  local host
  read_user_space
  host=$(loaded_version)
  if [[ -z $host ]]; then
    reason "the host has no NVIDIA driver loaded"
  elif [[ $host != "$version" ]]; then
    reason "the host's kernel module is $host, the container's user space shall be $version"
  fi
  guest_run inside_check "${REASONS:-0}" "$(gpu_is_assigned)" "${place[@]}" "${packages[@]}"
}

do_apply() {
  local host
  read_user_space
  host=$(loaded_version)
  [[ -n $host ]] || fail MISSING_PREREQUISITE "the host has no NVIDIA driver loaded" "look at: bin/phoenix drift, nvidia-smi on the node"
  [[ $host == "$version" ]] || fail MISMATCH "the host's kernel module is $host, the container's user space shall be $version" \
    "both must be one version: nvidia_driver.version and nvidia_driver_version"
  guest_run inside_apply "${place[@]}" "${packages[@]}"
}

do_remove() {
  read_user_space
  guest_run inside_remove "${place[@]}" "${packages[@]}"
}

# --- in the guest ----------------------------------------------------------------------------------------------------

# Fills the variables of the functions below from their arguments.
inside_read() {
  version=$1 origin=$2 uri=$3 key_url=$4 key_sum=$5 runfile_url=$6 runfile_sum=$7 cuda=$8
  shift 8
  packages=("$@")
  source_file=/etc/apt/sources.list.d/phoenix-nvidia.sources
  vendor_file=/etc/apt/sources.list.d/phoenix-nvidia-vendor.sources
  key_file=/usr/share/keyrings/phoenix-nvidia.asc
  pin_file=/etc/apt/preferences.d/phoenix-nvidia
  if ((${#packages[@]} == 0)); then mapfile -t packages < <(inside_usual_packages); fi
  cuda_package=${cuda:+cuda-toolkit-${cuda/./-}}
}

inside_usual_packages() {
  local major=${version%%.*}
  case $origin:$(sed -n 's/^ID=//p' /etc/os-release) in
    runfile:*) ;;
    *:ubuntu) printf '%s\n' "libnvidia-compute-$major" "nvidia-utils-$major" ;;
    *) printf '%s\n' libcuda1 libnvidia-ml1 nvidia-smi ;;
  esac
}

# Whether the guest sees a GPU at all: a template is built without.
inside_has_devices() { [[ -c /dev/nvidiactl ]]; }

inside_check() {
  REASONS=$1
  local assigned=$2
  shift 2
  inside_read "$@"
  local line shared said code=0
  if [[ $origin != runfile ]]; then
    while IFS= read -r line; do
      if [[ -n $line ]]; then reason "package $line, wanted $version"; fi
    done < <(inside_wrong_packages "$version" "${packages[@]}")
    if ! same_file "$pin_file" "$(inside_pin_text "$version")"$'\n'; then reason "the driver's version is not pinned in $pin_file"; fi
  fi
  shared=$(inside_library_version)
  if [[ -z $shared ]]; then
    reason "the library libnvidia-ml.so.1 is missing"
  elif [[ $shared != "$version" ]]; then
    reason "the library libnvidia-ml.so.1 is $shared, wanted $version"
  fi
  if [[ -n $cuda_package && -n $(packages_missing "$cuda_package") ]]; then reason "package $cuda_package is missing"; fi
  if ((REASONS == 0)); then
    if inside_has_devices; then
      said=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>&1) || code=$?
      if ((code != 0)); then
        reason "nvidia-smi fails: ${said%%$'\n'*}"
      elif [[ ${said%%$'\n'*} != "$version" ]]; then
        reason "nvidia-smi says driver ${said%%$'\n'*}, wanted $version"
      fi
    elif [[ $assigned == true ]]; then
      reason "there is no /dev/nvidiactl, though a GPU is assigned"
    fi
  fi
  finish_check
}

inside_apply() {
  inside_read "$@"
  local said
  wait_for_init
  if [[ $origin == vendor-repository || -n $cuda_package ]]; then
    inside_fetch "$key_url" "$key_sum" "$key_file"
    chmod 0644 "$key_file"
    put_file "$vendor_file" "$(inside_source_text vendor-repository "$uri" "$key_file" "$vendor_file")"$'\n' || true
  fi
  if [[ $origin == runfile ]]; then inside_apply_runfile; else inside_apply_packages; fi
  if [[ -n $cuda_package ]]; then
    if [[ -n $(packages_missing "$cuda_package") ]]; then refresh_package_lists; fi
    install_packages "$cuda_package"
  fi
  said=$(inside_library_version)
  [[ $said == "$version" ]] || fail MISMATCH "the library libnvidia-ml.so.1 is ${said:-missing} after the installation of $version"
  if inside_has_devices; then
    said=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>&1) ||
      fail MISMATCH "nvidia-smi fails: ${said%%$'\n'*}" "compare the versions on the node: nvidia-smi there, and bin/phoenix drift"
  fi
}

inside_apply_packages() {
  local text changed=false
  if [[ $origin == distribution ]]; then
    text=$(inside_source_text distribution '' '' "$source_file")
    if [[ -n $text ]] && put_file "$source_file" "$text"$'\n'; then changed=true; fi
  fi
  if put_file "$pin_file" "$(inside_pin_text "$version")"$'\n'; then changed=true; fi
  if [[ $changed == true || -n $(inside_wrong_packages "$version" "${packages[@]}") ]]; then
    inside_install_driver "$version" "${packages[@]}"
  fi
}

inside_apply_runfile() {
  local file=/var/cache/phoenix/NVIDIA-$version.run
  if [[ $(inside_library_version) == "$version" ]]; then return 0; fi
  inside_fetch "$runfile_url" "$runfile_sum" "$file"
  install_packages kmod
  step "Installing the user space of driver $version (runfile)" FAILED \
    sh "$file" --silent --no-questions --ui=none --no-kernel-module --no-x-check --no-nouveau-check
  rm -f -- "$file"
}

inside_remove() {
  inside_read "$@"
  local package installed=() missing
  if [[ -n $cuda_package ]]; then packages+=("$cuda_package"); fi
  missing=" $(packages_missing "${packages[@]}" | tr '\n' ' ')"
  for package in "${packages[@]}"; do
    if [[ $missing != *" $package "* ]]; then installed+=("$package"); fi
  done
  if ((${#installed[@]} > 0)); then
    step "Removing ${installed[*]}" PACKAGES apt-get -y -o DPkg::Lock::Timeout=300 --autoremove remove "${installed[@]}"
  fi
  if [[ $origin == runfile ]] && command -v nvidia-uninstall >/dev/null; then
    step "Removing the user space of driver $version" FAILED nvidia-uninstall --silent
  fi
  rm -f -- "$pin_file" "$source_file" "$vendor_file" "$key_file"
}

phoenix_main guest "$@"
