# shellcheck shell=bash
# Packages of the node itself. Needs guest_common.sh.

# Refuses what apt would do with these words (as in "install chrony") when it would take parts of Proxmox VE away.
refuse_lost_parts() {
  local plan lost
  plan=$(ask apt-get -s -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@")
  lost=$(sed -nE 's/^Remv ((proxmox-ve|pve-[^ ]*|qemu-server|lxc-pve|zfsutils-linux|zfs-[^ ]*)) .*/\1/p' <<<"$plan" | paste -sd ' ')
  if [[ -n $lost ]]; then
    fail REFUSED "apt would remove $lost; nothing was changed" "look at: apt-get -s $*; mostly a repository of another release is in use, or one is missing"
  fi
}

# install_on_host PACKAGE…: only what is missing.
install_on_host() {
  local missing=()
  mapfile -t missing < <(packages_missing "$@")
  if ((${#missing[@]} == 0)); then return 0; fi
  # Fresh lists may be those of one new repository alone: what counts is whether apt finds the packages in them.
  if [[ -z $(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -cmin -60 -print -quit 2>/dev/null) ]] ||
    ! apt-get -s -y --no-install-recommends install "${missing[@]}" >/dev/null 2>&1; then
    wait_for_names
    refresh_package_lists
  fi
  refuse_lost_parts install "${missing[@]}"
  DEBIAN_FRONTEND=noninteractive install_packages "${missing[@]}"
  note "installed ${missing[*]}"
}

check_packages() {
  local package
  for package in $(packages_missing "$@"); do reason "package $package is missing"; done
}
