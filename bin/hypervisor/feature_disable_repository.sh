#!/usr/bin/env bash
# Switches off a repository that came with the node, such as the one for subscribers.
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

read_files() {
  local name suffix
  name=$(param name)
  [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9_.-]*$ ]] || fail BAD_PARAMETERS "not a name for a repository: '$name'"
  # Proxmox VE 8 writes one-line files, 9 deb822 ones.
  files=()
  for suffix in sources list; do
    if [[ -f /etc/apt/sources.list.d/$name.$suffix ]]; then files+=("/etc/apt/sources.list.d/$name.$suffix"); fi
  done
}

# The text of a file with every entry of it switched off.
switched_off() {
  if [[ $1 == *.list ]]; then
    sed -E 's/^[[:space:]]*deb(-src)?[[:space:]]/# &/' -- "$1"
  else
    awk '
      function flush() { if (entry && !done) print "Enabled: no"; entry = 0; done = 0 }
      /^[[:space:]]*$/ { flush(); print; next }
      /^#/ { print; next }
      tolower($0) ~ /^enabled:/ { print "Enabled: no"; entry = 1; done = 1; next }
      { entry = 1; print }
      END { flush() }' "$1"
  fi
}

do_check() {
  local file
  node_release >/dev/null
  read_files
  for file in "${files[@]}"; do
    if ! same_file "$file" "$(switched_off "$file")"$'\n'; then reason "$file is in use"; fi
  done
}

do_apply() {
  local file
  node_release >/dev/null
  read_files
  for file in "${files[@]}"; do
    if edit_file "$file" "$(switched_off "$file")"$'\n'; then note "switched off $file"; fi
  done
}

do_remove() {
  local file
  read_files
  for file in "${files[@]}"; do
    if disown_file "$file"; then note "$file is as it was before"; fi
  done
}

phoenix_main host "$@"
