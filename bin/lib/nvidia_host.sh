# shellcheck shell=bash
# GPUs, kernels and modules of the node, as the kernel itself shows them. Needs phoenix_common.sh.

# PCI addresses of NVIDIA's display controllers, in the order of the bus: the order of nvidia-smi.
gpu_addresses() {
  local device class vendor
  for device in "${PHOENIX_PCI:-/sys/bus/pci/devices}"/*; do
    if [[ ! -r $device/vendor || ! -r $device/class ]]; then continue; fi
    vendor=$(<"$device/vendor")
    class=$(<"$device/class")
    if [[ $vendor == 0x10de && $class == 0x03* ]]; then printf '%s\n' "${device##*/}"; fi
  done
}

is_loaded() { lsmod | awk -v name="$1" '$1 == name { found = 1 } END { exit !found }'; }

# The version of the module that runs; empty if none does.
loaded_version() {
  local file=${PHOENIX_PROC_NVIDIA:-/proc/driver/nvidia}/version
  if [[ -r $file ]]; then sed -nE 's/^NVRM version:.* ([0-9]{3}\.[0-9]+(\.[0-9]+)?) .*/\1/p' "$file" | head -n 1; fi
}

# The version of the module that kernel $1 would load; empty if it has none. Debian's is called nvidia-current.
module_version() {
  local name found
  for name in nvidia nvidia-current; do
    found=$(modinfo -k "$1" -F version "$name" 2>/dev/null | head -n 1) || true
    if [[ -n $found ]]; then
      printf '%s' "$found"
      return 0
    fi
  done
}

installed_kernels() {
  local file
  {
    uname -r
    for file in "${PHOENIX_BOOT:-/boot}"/vmlinuz-*; do
      if [[ -e $file ]]; then printf '%s\n' "${file##*/vmlinuz-}"; fi
    done
  } | sort -V -u
}

newest_kernel() { installed_kernels | tail -n 1; }

# The names that a kernel's headers may have, likeliest first.
header_packages() {
  case $1 in
    *-pve) printf '%s\n' "proxmox-headers-$1" "pve-headers-$1" ;;
    *) printf '%s\n' "linux-headers-$1" ;;
  esac
}

# The package that brings the headers of kernels to come.
headers_to_come() {
  case $1 in
    *-pve) printf '%s\n' proxmox-default-headers pve-headers ;;
    *) printf 'linux-headers-%s\n' "${1##*[0-9]-}" ;;
  esac
}

# Prints the first of the packages that is installed or can be had.
first_known() {
  local package
  for package in "$@"; do
    if [[ -z $(packages_missing "$package") || -n $(apt-cache madison "$package" 2>/dev/null) ]]; then
      printf '%s' "$package"
      return 0
    fi
  done
}

# The kernels that must have a module: the running one, and every other one for which one can be built. An old kernel
# whose headers have left the archives cannot be helped, and is not what the node starts next.
kernels_to_serve() {
  local kernel names=()
  while IFS= read -r kernel; do
    mapfile -t names < <(header_packages "$kernel")
    if [[ $kernel == "$(uname -r)" || $kernel == "$(newest_kernel)" || -e /lib/modules/$kernel/build || -n $(first_known "${names[@]}") ]]; then
      printf '%s\n' "$kernel"
    fi
  done < <(installed_kernels)
}

install_headers() {
  local kernel package names=() wanted=()
  if ! headers_missing; then return 0; fi
  wait_for_names
  refresh_package_lists
  while IFS= read -r kernel; do
    mapfile -t names < <(header_packages "$kernel")
    package=$(first_known "${names[@]}")
    if [[ -n $package ]]; then
      wanted+=("$package")
    elif [[ ! -e /lib/modules/$kernel/build ]]; then
      if [[ $kernel == "$(newest_kernel)" ]]; then
        fail MISSING_PREREQUISITE "the headers of kernel $kernel cannot be had (${names[*]})" "install the node's newest kernel and reboot, then run again"
      fi
      note "the headers of kernel $kernel cannot be had: it gets no module"
    fi
  done < <(kernels_to_serve)
  mapfile -t names < <(headers_to_come "$(newest_kernel)")
  package=$(first_known "${names[@]}")
  if [[ -n $package ]]; then wanted+=("$package"); fi
  install_packages "${wanted[@]}"
}

headers_missing() {
  local kernel
  while IFS= read -r kernel; do
    if [[ ! -e /lib/modules/$kernel/build ]]; then return 0; fi
  done < <(kernels_to_serve)
  return 1
}

# The name under which DKMS has version $1 of the driver (nvidia, nvidia-current, nvidia-open…).
dkms_name() { dkms status 2>/dev/null | sed -nE "s|^(nvidia[a-z-]*)/${1//./\\.}[,:].*|\\1|p" | head -n 1; }

# build_modules VERSION, for each kernel that lacks it: what DKMS did not do by itself when kernel or driver came.
build_modules() {
  local version=$1 kernel name
  while IFS= read -r kernel; do
    if [[ ! -e /lib/modules/$kernel/build || $(module_version "$kernel") == "$version" ]]; then continue; fi
    name=$(dkms_name "$version")
    [[ -n $name ]] || fail FAILED "DKMS does not know driver $version" "dkms status shows what it knows"
    step "Building module $name $version for kernel $kernel" FAILED dkms install --force -m "$name" -v "$version" -k "$kernel"
    note "built the module for kernel $kernel"
  done < <(kernels_to_serve)
}

# False if something uses it.
unload_modules() {
  local name
  for name in nvidia_uvm nvidia_drm nvidia_modeset nvidia_peermem nvidia; do
    if is_loaded "$name"; then rmmod "$name" 2>/dev/null || return 1; fi
  done
}

# One GPU as the running driver knows it: a line of /proc/driver/nvidia/gpus/ADDRESS/information.
gpu_information() {
  sed -nE "s/^$2:[[:space:]]*//p" "${PHOENIX_PROC_NVIDIA:-/proc/driver/nvidia}/gpus/$1/information"
}

# Device nodes that every user of a GPU needs, then one for each GPU, by its minor and not by its place.
common_devices() { printf '%s\n' /dev/nvidiactl /dev/nvidia-uvm /dev/nvidia-uvm-tools; }

expected_devices() {
  local address minor
  common_devices
  while IFS= read -r address; do
    minor=$(gpu_information "$address" 'Device Minor' 2>/dev/null) || continue
    if [[ -n $minor ]]; then printf '/dev/nvidia%s\n' "$minor"; fi
  done < <(gpu_addresses)
}

# "MAJOR:MINOR" of a device node, as numbers.
device_numbers() {
  local numbers
  numbers=$(stat -c '%t %T' -- "$1")
  printf '%d:%d' "0x${numbers% *}" "0x${numbers#* }"
}

# A text as JSON; names of cards have no control characters.
json_text() {
  local text=${1//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

# JSON lists of {path, numbers}.
json_devices() {
  local node parts=()
  for node in "$@"; do
    if [[ -c $node ]]; then parts+=("{\"path\":$(json_text "$node"),\"numbers\":$(json_text "$(device_numbers "$node")")}"); fi
  done
  (
    IFS=,
    printf '[%s]' "${parts[*]}"
  )
}

# describe_gpus VERSION: the document that apply ends with; what containers are given is taken from it.
describe_gpus() {
  local version=$1 index uuid address name bus parts=() common=()
  while IFS=, read -r index uuid address name; do
    uuid=${uuid# }
    name=${name# }
    # nvidia-smi writes an eight-digit domain in capitals, the kernel a four-digit one.
    address=${address# }
    address=${address,,}
    bus=$(printf '%04x:%s' "0x${address%%:*}" "${address#*:}")
    parts+=("{\"index\":$index,\"uuid\":$(json_text "$uuid"),\"pci\":$(json_text "$bus"),\"name\":$(json_text "$name"),\"devices\":$(json_devices "/dev/nvidia$(gpu_information "$bus" 'Device Minor')")}")
  done < <(ask nvidia-smi --query-gpu=index,uuid,pci.bus_id,name --format=csv,noheader)
  mapfile -t common < <(common_devices)
  (
    IFS=,
    printf '{"version":%s,"gpus":[%s],"devices":%s}\n' "$(json_text "$version")" "${parts[*]}" "$(json_devices "${common[@]}")"
  )
}
