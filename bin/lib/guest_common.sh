# shellcheck shell=bash
# Functions that run on the node and, sent along by guest_run, inside guests alike. No state of their own beyond
# PHOENIX_LOG; bash, coreutils and apt are all they need.

note() { printf '%s\n' "$*" >&2; }

# fail NAME MESSAGE [HINT]: NAME as in exit_codes.json; its own hint is used where none is given.
fail() {
  local code hint
  code=$(exit_code_of "$1")
  hint=${3:-$(exit_hint_of "$1")}
  printf 'error %s (%s): %s\n' "$1" "$code" "$2" >&2
  if [[ -n $hint ]]; then printf '  hint: %s\n' "$hint" >&2; fi
  exit "$code"
}

# The trap on ERR: whoever failed with one of our own codes has said why already. The command is quoted as it stands
# in the script, before values are put in: it cannot show a secret.
unexpected() {
  if (($1 >= 10 && $1 <= 63)); then exit "$1"; fi
  fail FAILED "unexpected exit $1 of: ${2%%$'\n'*}"
}

quote_text() {
  if [[ -n $1 ]]; then printf '%s\n' "$1" | sed 's/^/  | /' >&2; fi
}

# reason TEXT: one thing that a check found to differ.
reason() {
  REASONS=$((${REASONS:-0} + 1))
  printf '%s\n' "$*"
}

finish_check() {
  if ((${REASONS:-0} > 0)); then exit "$(exit_code_of WOULD_CHANGE)"; fi
}

cannot_check() {
  printf '%s\n' "$*"
  exit "$(exit_code_of CANNOT_CHECK)"
}

# step WHAT NAME COMMAND…: runs a command with its output in the log; a failure quotes what it wrote last and fails
# with exit code NAME.
step() {
  local what=$1 name=$2 code=0 offset log=${PHOENIX_LOG:-}
  shift 2
  if [[ -z $log ]]; then log=$(mktemp); fi
  touch "$log"
  offset=$(stat -c %s "$log")
  "$@" >>"$log" 2>&1 </dev/null || code=$?
  if ((code != 0)); then quote_text "$(tail -c "+$((offset + 1))" "$log" | tail -n 15)"; fi
  if [[ -z ${PHOENIX_LOG:-} ]]; then rm -f -- "$log"; fi
  if ((code != 0)); then fail "$name" "$what failed (exit $code)${PHOENIX_LOG:+; whole log on ${HOSTNAME}: $PHOENIX_LOG}"; fi
}

# ask COMMAND…: prints what a command says; if it fails, quotes that and fails.
ask() {
  local text code=0
  text=$("$@" 2>&1) || code=$?
  if ((code != 0)); then
    quote_text "$text"
    fail FAILED "${*:1:2} failed (exit $code)"
  fi
  printf '%s\n' "$text"
}

# wait_until SECONDS COMMAND…: looks five times a second, since there is no event for everything; false when too late.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    if ((SECONDS >= deadline)); then return 1; fi
    sleep 0.2
  done
}

# wait_for_init [SECONDS]. A unit that failed in the guest ("degraded") does not make it less usable.
wait_for_init() {
  local state='' limit=${1:-120} deadline
  deadline=$((SECONDS + limit))
  if [[ $(readlink -f /sbin/init) != */systemd ]]; then return 0; fi
  while ((SECONDS < deadline)); do
    state=$(timeout $((deadline - SECONDS)) systemctl is-system-running --wait 2>/dev/null) || true
    if [[ $state == running || $state == degraded ]]; then return 0; fi
    sleep 0.2
  done
  fail GUEST_NOT_RUNNING "time-out 'init': it is '${state:-silent}' after $limit s on $HOSTNAME"
}

has_address() { [[ $(hostname -I) =~ [0-9a-f] ]]; }

# wait_for_address [SECONDS]
wait_for_address() {
  wait_until "${1:-60}" has_address ||
    fail NETWORK "time-out 'network': no address after ${1:-60} s on $HOSTNAME"
}

# Any answer of any name server counts, also that it knows no names: asked for the root's own servers, which needs
# no program but the shell.
dns_answers() {
  local word server connection answered
  while read -r word server _; do
    if [[ $word != nameserver ]]; then continue; fi
    exec {connection}<>"/dev/udp/$server/53" || continue
    answered=true
    printf 'PH\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1' >&"$connection" || answered=false
    if [[ $answered == true ]] && IFS= read -r -t 1 -N 1 _ <&"$connection"; then return 0; fi
    exec {connection}>&-
  done 2>/dev/null </etc/resolv.conf
  return 1
}

# wait_for_dns SECONDS
wait_for_dns() {
  wait_until "$1" dns_answers ||
    fail NETWORK "time-out 'dns': no name server answers after $1 s on $HOSTNAME: $(grep -s '^nameserver' /etc/resolv.conf | sed 's/^nameserver *//' | paste -sd ' ')" \
      "check \`nameserver\`, the bridge and the gateway; ready_timeouts.dns 0 does not wait for it"
}

# Up to 60 s until the host that packages come from has an address; a proxy or a bare address needs no names.
wait_for_names() {
  local host
  if apt-config dump 2>/dev/null | grep -qi '^Acquire::https\?::Proxy "'; then return 0; fi
  host=$(grep -rhoE '^[^#]*https?://[^/ :]+' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
    sed 's|.*://||' | head -n 1) || true
  if [[ -z $host || $host =~ ^[0-9.]+$ || $host == localhost ]]; then return 0; fi
  wait_until 60 getent ahosts "$host" >/dev/null ||
    fail NETWORK "'$host' cannot be resolved after 60 s on $HOSTNAME"
}

packages_missing() {
  local package state
  for package in "$@"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || true
    if [[ $state != installed ]]; then printf '%s\n' "$package"; fi
  done
}

refresh_package_lists() {
  local try
  for try in 1 2; do
    if apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o APT::Update::Error-Mode=any update \
      >>"${PHOENIX_LOG:-/dev/null}" 2>&1; then return 0; fi
    sleep $((try * 3))
  done
  step "Reading the package lists" PACKAGES \
    apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o APT::Update::Error-Mode=any update
}

# install_packages PACKAGE…: only what is missing; finishes an installation that was cut off.
install_packages() {
  local missing=() install=(apt-get -y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install)
  mapfile -t missing < <(packages_missing "$@")
  if ((${#missing[@]} == 0)); then return 0; fi
  wait_for_names
  if [[ -n $(dpkg --audit) ]]; then
    step "Finishing an interrupted installation" PACKAGES dpkg --configure -a
  fi
  # Lists of the last hour are good enough; should a package have moved meanwhile, they are read again.
  if [[ -n $(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -cmin -60 -print -quit 2>/dev/null) ]]; then
    if "${install[@]}" "${missing[@]}" >>"${PHOENIX_LOG:-/dev/null}" 2>&1 </dev/null; then return 0; fi
  fi
  refresh_package_lists
  step "Installing ${missing[*]}" PACKAGES "${install[@]}" "${missing[@]}"
}

# same_file FILE TEXT: the file holds exactly this text.
same_file() { [[ -f $1 ]] && cmp -s -- "$1" <(printf '%s' "$2"); }

# put_file FILE TEXT [MODE]: writes it whole or not at all; false if it was so already.
put_file() {
  if same_file "$1" "$2"; then return 1; fi
  if ! { mkdir -p -- "$(dirname -- "$1")" && printf '%s' "$2" >"$1.phoenix-new" &&
    chmod "${3:-0644}" "$1.phoenix-new" && mv -f -- "$1.phoenix-new" "$1"; }; then
    fail FAILED "$1 could not be written"
  fi
}
