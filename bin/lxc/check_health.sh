#!/usr/bin/env bash
# Whether a container does what it is there for: a command, a page, a port, all asked inside it.
# Parameters: command; http {port, path, status}; tcp {port} (each may be missing); retries, interval, timeout (seconds).
# `check` tries once, `apply` as often as configured: it changes nothing, and what depends on the container waits for it.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"

# Fills `tried` with the arguments of inside_try.
read_health() {
  local name value
  tried=("$(param timeout 30)" "$(param command '')" "$(param http/port 0)" "$(param http/path /)"
  "$(param http/status 0)" "$(param tcp/port 0)")
  for name in timeout http/port http/status tcp/port retries interval; do
    value=$(param "$name" 1)
    [[ $value =~ ^[0-9]+$ ]] || fail BAD_PARAMETERS "$name is not a number: '$value'"
  done
}

do_check() {
  read_health
  guest_run inside_check "${tried[@]}"
}

do_apply() {
  read_health
  guest_run inside_wait "$(param retries 3)" "$(param interval 5)" "${tried[@]}"
}

# Prints why the page is not as wanted; false then.
inside_page() {
  local limit=$1 port=$2 path=$3 wanted=$4 connection status=''
  exec {connection}<>"/dev/tcp/localhost/$port" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$path" >&"$connection" || return 1
  read -r -t "$limit" _ status _ <&"$connection" || {
    printf 'no answer within %s s\n' "$limit"
    return 1
  }
  if [[ $status == "$wanted" || ($wanted == 0 && $status =~ ^[23][0-9][0-9]$) ]]; then return 0; fi
  printf 'the answer is %s\n' "${status%$'\r'}"
  return 1
}

inside_port() {
  local connection
  exec {connection}<>"/dev/tcp/localhost/$1"
}

# One try; prints a line for each thing that fails.
inside_try() {
  local limit=$1 command=$2 port=$3 path=$4 status=$5 tcp=$6 said code=0
  if [[ -n $command ]]; then
    said=$(timeout "$limit" /bin/sh -c "$command" 2>&1 </dev/null) || code=$?
    said=$(tail -n 3 <<<"$said" | cut -c -300 | paste -sd ' ')
    if ((code == 124)); then
      printf 'health: the command did not end within %s s\n' "$limit"
    elif ((code != 0)); then
      printf 'health: the command ends with %s%s\n' "$code" "${said:+: $said}"
    fi
  fi
  if ((port > 0)); then
    said=$( (inside_page "$limit" "$port" "$path" "$status") 2>&1) ||
      printf 'health: http port %s, %s: %s\n' "$port" "$path" "$(tail -n 1 <<<"$said")"
  fi
  if ((tcp > 0)); then
    said=$( (inside_port "$tcp") 2>&1) || printf 'health: tcp port %s: %s\n' "$tcp" "$(tail -n 1 <<<"$said")"
  fi
}

inside_check() {
  local said
  said=$(inside_try "$@")
  if [[ -n $said ]]; then reason "$said"; fi
  finish_check
}

inside_wait() {
  local tries=$1 pause=$2 try said
  shift 2
  for ((try = 1; try <= tries; try++)); do
    said=$(inside_try "$@")
    if [[ -z $said ]]; then return 0; fi
    if ((try < tries)); then sleep "$pause"; fi
  done
  quote_text "$said"
  fail UNHEALTHY "$HOSTNAME is not healthy after $tries tries, $pause s apart"
}

phoenix_main guest "$@"
