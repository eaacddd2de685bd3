#!/usr/bin/env bash
# One package repository of the node, as a deb822 file with the key that signs it.
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

read_repository() {
  local release suite other
  name=$(param name)
  [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9_-]*$ ]] || fail BAD_PARAMETERS "not a name for a repository: '$name'"
  file=/etc/apt/sources.list.d/$name.sources
  key_file=/etc/apt/keyrings/$name.asc
  uris=() suites=() components=() types=()
  param_list uris uris
  param_list suites suites
  param_list components components
  param_list types types
  if ((${#uris[@]} == 0 || ${#suites[@]} == 0)); then fail BAD_PARAMETERS "repository $name has no address or no suite"; fi
  for suite in "${uris[@]}" "${suites[@]}" "${components[@]}" "${types[@]}"; do
    [[ $suite =~ ^[!-~]+$ ]] || fail BAD_PARAMETERS "repository $name: '$suite' is not one word"
  done
  key=$(param keyText '')
  key_path=$(param keyPath '')
  key_sha256=$(param keySha256 '')
  if [[ -n $key ]]; then
    [[ $key == "-----BEGIN PGP PUBLIC KEY BLOCK-----"* ]] || fail BAD_PARAMETERS "repository $name: the key is no armored PGP public key"
    key=${key%$'\n'}$'\n'
    key_path=$key_file
  elif [[ $key_path != /* ]]; then
    fail BAD_PARAMETERS "repository $name has no key"
  fi
  if [[ $PHOENIX_VERB == remove ]]; then return 0; fi
  release=$(node_release)
  for suite in "${suites[@]}"; do
    for other in stretch buster bullseye bookworm trixie forky duke sid; do
      if [[ $other != "$release" && ($suite == "$other" || $suite == "$other"[-/]*) ]]; then
        fail REFUSED "repository $name: suite $suite belongs to Debian $other, and this node is Debian $release; nothing was changed" \
          "packages of two releases break a node; name the suite for $release"
      fi
    done
  done
}

rendered() {
  printf '# Written by Phoenix, stack %s. What is edited here is kept, and stops the next run: edit the configuration.\n' "$STACK"
  printf 'Types: %s\nURIs: %s\nSuites: %s\n' "${types[*]}" "${uris[*]}" "${suites[*]}"
  if ((${#components[@]} > 0)); then printf 'Components: %s\n' "${components[*]}"; fi
  printf 'Signed-By: %s\n' "$key_path"
}

# A key that lies on the node counts when its checksum is right, or when a package brought it.
key_problem() {
  if [[ -n $key ]]; then return 0; fi
  if [[ ! -f $key_path ]]; then
    printf 'key %s is not there' "$key_path"
  elif [[ -n $key_sha256 ]]; then
    if [[ $(digest_of "$key_path") != "${key_sha256,,}" ]]; then printf 'key %s has another checksum: %s' "$key_path" "$(digest_of "$key_path")"; fi
  elif ! dpkg-query -S "$key_path" >/dev/null 2>&1; then
    printf 'key %s belongs to no package, and no checksum is given' "$key_path"
  fi
}

# $(…) loses the last newline.
text_of_file() {
  text=$(rendered)
  text=$text$'\n'
}

do_check() {
  local text problem
  read_repository
  text_of_file
  problem=$(key_problem)
  if [[ -n $problem ]]; then reason "$problem"; fi
  if [[ -n $key ]]; then check_file "$key_file" "$key"; fi
  check_file "$file" "$text"
}

do_apply() {
  local text problem changed=''
  read_repository
  text_of_file
  problem=$(key_problem)
  if [[ -n $problem ]]; then fail MISMATCH "repository $name: $problem; nothing was changed"; fi
  if [[ -n $key ]]; then
    if own_file "$key_file" "$key"; then changed=1; fi
  else
    disown_file "$key_file" || true
  fi
  if own_file "$file" "$text"; then changed=1; fi
  if [[ -z $changed ]]; then return 0; fi
  # Read alone: a fault of another repository is not this one's.
  if ! (step "Reading repository $name" PACKAGES apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    -o "Dir::Etc::sourcelist=$file" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any update); then
    disown_file "$file" || true
    disown_file "$key_file" || true
    fail PACKAGES "repository $name cannot be read with its key; its file is taken away again" "correct address, suites or key in the configuration"
  fi
  note "wrote $file"
}

do_remove() {
  read_repository
  if disown_file "$file"; then note "removed $file; packages that came from it stay"; fi
  if [[ ! -e $file ]]; then disown_file "$key_file" || true; fi
}

phoenix_main host "$@"
