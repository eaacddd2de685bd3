#!/usr/bin/env bash
# Name of the node, and the entry in /etc/hosts that Proxmox VE finds the node's own address by.
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

read_hostname() {
  name=$(param hostname)
  address=$(param address)
  [[ $name =~ ^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$ ]] || fail BAD_PARAMETERS "not a host name: '$name'"
  [[ $address =~ ^[0-9.]+$ ]] || fail BAD_PARAMETERS "not an address: '$address'"
  now=$(hostname --short)
}

# The domain that the node's full name has now, with its dot; empty if it has none.
domain_now() {
  awk -v host="$now" '{ sub(/#.*/, "") } { for (i = 2; i <= NF; i++) if (index($i, host ".") == 1) { print substr($i, length(host) + 1); exit } }' /etc/hosts
}

# /etc/hosts with one line for the name: the node's own address, never a loopback one.
hosts_text() {
  awk -v host="$name" -v old="$now" -v address="$address" -v domain="$(domain_now)" '
    BEGIN { line = address " " (domain == "" ? "" : host domain " ") host }
    /^[[:space:]]*(#|$)/ { print; next }
    {
      kept = ""; hit = 0
      for (i = 2; i <= NF; i++) {
        if ($i ~ /^#/) break
        if ($i == host || $i == old || (domain != "" && ($i == host domain || $i == old domain))) hit = 1
        else kept = kept " " $i
      }
      if (!hit) { print; next }
      if ($1 == address && !written) { print line kept; written = 1 }
      else if (kept != "") print $1 kept
    }
    END { if (!written) print line }' /etc/hosts
}

guests_of_node() {
  local config
  for config in /etc/pve/lxc/*.conf /etc/pve/qemu-server/*.conf; do
    if [[ -e $config ]]; then basename -- "$config" .conf; fi
  done | sort -n | paste -sd ' '
}

do_check() {
  node_release >/dev/null
  read_hostname
  if [[ $now != "$name" ]]; then reason "the node's name is '$now', wanted '$name'"; fi
  if [[ $(</etc/hostname) != "$name" ]]; then reason "/etc/hostname says '$(</etc/hostname)', wanted '$name'"; fi
  if ! same_file /etc/hosts "$(hosts_text)"$'\n'; then reason "/etc/hosts does not give $name the address $address alone"; fi
}

do_apply() {
  local guests
  node_release >/dev/null
  read_hostname
  ip -o -4 address show | grep -qF " $address/" ||
    fail MISMATCH "this node does not have the address $address that its name is to lead to; nothing was changed" "correct network.interfaces.address"
  if [[ $now != "$name" ]]; then
    # Proxmox VE keeps guests under the node's name: behind a new one they would be gone from sight.
    guests=$(guests_of_node)
    if [[ -n $guests ]]; then
      fail REFUSED "the node is called $now and has guests ($guests): under another name Proxmox VE would not find them; nothing was changed" \
        "keep the name, or rename a node that is empty"
    fi
  fi
  if edit_file /etc/hosts "$(hosts_text)"$'\n'; then note "/etc/hosts: $name is $address"; fi
  if [[ $(</etc/hostname) != "$name" ]]; then
    remember_value hostname "$(</etc/hostname)" "$name"
    put_file /etc/hostname "$name"$'\n' || true
  fi
  if [[ $now != "$name" ]]; then stop_for_reboot "the node's name becomes $name at its next boot"; fi
}

do_remove() {
  local before
  if before=$(value_before hostname "$(</etc/hostname)"); then
    if [[ -n $(guests_of_node) && $(hostname --short) != "$before" ]]; then
      note "the node has guests: it keeps its name $(</etc/hostname)"
      forget_value hostname
      return 0
    fi
    put_file /etc/hostname "$before"$'\n' || true
    note "the node's name is $before again, at the latest after its next boot"
  fi
  forget_value hostname
  if disown_file /etc/hosts; then note "/etc/hosts is as it was before"; fi
}

phoenix_main host "$@"
