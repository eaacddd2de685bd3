#!/usr/bin/env bash
# A page of plain text, answered by systemd itself: a socket, and per request a shell that writes the file. Needs no
# package, so it works in a guest without a way out.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"

read_page() {
  port=$(param port)
  text=$(param text)
  if [[ ! $port =~ ^[1-9][0-9]{0,4}$ ]] || ((port > 65535)); then fail BAD_PARAMETERS "not a port: '$port'"; fi
}

do_check() {
  read_page
  guest_run inside_check "$port" "$text"
}

do_apply() {
  read_page
  guest_run inside_apply "$port" "$text"
}

do_remove() { guest_run inside_remove; }

inside_names() {
  socket=/etc/systemd/system/phoenix-page.socket
  service=/etc/systemd/system/phoenix-page@.service
  answer=/usr/local/lib/phoenix/answer-page
  page=/var/lib/phoenix-page/page.txt
}

inside_socket_text() {
  cat <<UNIT
[Unit]
Description=Page of Phoenix

[Socket]
ListenStream=$1
Accept=yes
MaxConnections=64

[Install]
WantedBy=sockets.target
UNIT
}

inside_service_text() {
  cat <<UNIT
[Unit]
Description=One answer of the page of Phoenix
CollectMode=inactive-or-failed

[Service]
ExecStart=/bin/sh $answer
StandardInput=socket
StandardOutput=socket
StandardError=journal
User=nobody
RuntimeMaxSec=10
UNIT
}

# Reads the request to its end first: closing with unread input would cut the answer off.
inside_answer_text() {
  cat <<'ANSWER'
read -r method _
while read -r line && [ "$line" != "$(printf '\r')" ] && [ -n "$line" ]; do :; done
ANSWER
  cat <<ANSWER
printf 'HTTP/1.0 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %s\r\nConnection: close\r\n\r\n' \\
  "\$(wc -c <$page)"
[ "\$method" = HEAD ] || cat $page
ANSWER
}

# Fetched as any visitor does; false where nothing answers.
inside_fetch() {
  local connection status
  exec {connection}<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET / HTTP/1.0\r\n\r\n' >&"$connection"
  read -r -t 5 status <&"$connection" || return 1
  [[ $status == *" 200 "* ]] || return 1
  timeout 5 sed '1,/^\r$/d' <&"$connection"
}

inside_check() {
  local port=$1 text=$2 socket service answer page
  inside_names
  if ! same_file "$page" "$text"$'\n'; then reason "the page's text is not as configured"; fi
  if ! same_file "$socket" "$(inside_socket_text "$port")"$'\n' ||
    ! same_file "$service" "$(inside_service_text)"$'\n' || ! same_file "$answer" "$(inside_answer_text)"$'\n'; then
    reason "the page's units are not as configured"
  fi
  if [[ $(systemctl is-enabled phoenix-page.socket 2>/dev/null) != enabled ]]; then
    reason "phoenix-page.socket is not enabled"
  fi
  if [[ $(systemctl is-active phoenix-page.socket 2>/dev/null) != active ]]; then
    reason "phoenix-page.socket is not running"
  fi
  finish_check
  if [[ $( (inside_fetch "$port") 2>/dev/null) != "$text" ]]; then reason "port $port does not answer with the page"; fi
  finish_check
}

inside_apply() {
  local port=$1 text=$2 socket service answer page changed=false
  inside_names
  wait_for_init
  put_file "$page" "$text"$'\n' || true
  if put_file "$answer" "$(inside_answer_text)"$'\n'; then changed=true; fi
  if put_file "$service" "$(inside_service_text)"$'\n'; then changed=true; fi
  if put_file "$socket" "$(inside_socket_text "$port")"$'\n'; then changed=true; fi
  if [[ $(systemctl is-enabled phoenix-page.socket 2>/dev/null) == masked* ]]; then
    step "Unmasking the page's socket" FAILED systemctl unmask phoenix-page.socket
  fi
  if [[ $changed == true ]]; then
    step "Reading the units" FAILED systemctl daemon-reload
    step "Stopping the page" FAILED systemctl stop phoenix-page.socket
  fi
  if [[ $(systemctl is-active phoenix-page.socket) != active ]]; then
    systemctl reset-failed phoenix-page.socket 2>/dev/null || true
  fi
  step "Starting the page" FAILED systemctl --quiet enable --now phoenix-page.socket
  [[ $( (inside_fetch "$port") 2>/dev/null) == "$text" ]] ||
    fail FAILED "port $port does not answer with the page" "journalctl -u 'phoenix-page*' in the guest"
}

inside_remove() {
  local socket service answer page
  inside_names
  if [[ -f $socket ]]; then
    step "Stopping the page" FAILED systemctl --quiet disable --now phoenix-page.socket
  fi
  rm -f -- "$socket" "$service" "$answer" "$page"
  rmdir --ignore-fail-on-non-empty -- "$(dirname -- "$answer")" "$(dirname -- "$page")" 2>/dev/null || true
  step "Reading the units" FAILED systemctl daemon-reload
}

phoenix_main guest "$@"
