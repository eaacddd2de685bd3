#!/usr/bin/env bash
# Base packages, locale and time zone of a container.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"

read_base() {
  packages=()
  param_list packages packages
  locale=$(param locale '')
  timezone=$(param timezone '')
  [[ $locale =~ ^([A-Za-z]{2,3}(_[A-Z]{2})?\.UTF-8|C\.UTF-8)?$ ]] || fail BAD_PARAMETERS "not a UTF-8 locale: '$locale'"
  [[ $timezone =~ ^[A-Za-z0-9_+/-]*$ ]] || fail BAD_PARAMETERS "not a time zone: '$timezone'"
}

do_check() {
  read_base
  guest_run inside_check "$locale" "$timezone" "${packages[@]}"
}

do_apply() {
  read_base
  guest_run inside_apply "$locale" "$timezone" "${packages[@]}"
}

# The name under which `locale -a` lists a locale.
inside_listed() { printf '%s' "${1/.UTF-8/.utf8}"; }

inside_locale_missing() {
  [[ -n $1 ]] && ! locale -a 2>/dev/null | grep -qxF "$(inside_listed "$1")"
}

inside_default_locale() { sed -nE 's/^LANG="?([^"]*)"?$/\1/p' /etc/default/locale 2>/dev/null | tail -n 1; }

inside_timezone() { readlink -f /etc/localtime | sed 's|^/usr/share/zoneinfo/||'; }

inside_check() {
  local locale=$1 timezone=$2 package now
  shift 2
  for package in $(packages_missing "$@"); do reason "package $package is missing"; done
  if inside_locale_missing "$locale"; then reason "locale $locale is not generated"; fi
  if [[ -n $locale ]]; then
    now=$(inside_default_locale) || true
    if [[ $now != "$locale" ]]; then reason "the default locale is '$now', wanted '$locale'"; fi
  fi
  if [[ -n $timezone && $(inside_timezone) != "$timezone" ]]; then
    reason "the time zone is '$(inside_timezone)', wanted '$timezone'"
  fi
  finish_check
}

inside_apply() {
  local locale=$1 timezone=$2 now
  shift 2
  wait_for_init
  if [[ -n $locale ]]; then set -- locales "$@"; fi
  if [[ -n $timezone ]]; then set -- tzdata "$@"; fi
  install_packages "$@"
  if inside_locale_missing "$locale"; then
    if ! grep -qxE "$locale UTF-8 *" /etc/locale.gen; then printf '%s UTF-8\n' "$locale" >>/etc/locale.gen; fi
    step "Generating locale $locale" FAILED locale-gen
  fi
  now=$(inside_default_locale) || true
  if [[ -n $locale && $now != "$locale" ]]; then
    step "Setting the default locale" FAILED update-locale --reset "LANG=$locale"
  fi
  if [[ -n $timezone && $(inside_timezone) != "$timezone" ]]; then
    [[ -f /usr/share/zoneinfo/$timezone ]] || fail BAD_PARAMETERS "no such time zone: '$timezone'"
    ln -sf -- "/usr/share/zoneinfo/$timezone" /etc/localtime
    printf '%s\n' "$timezone" >/etc/timezone
  fi
}

phoenix_main guest "$@"
