# shellcheck shell=bash
# What every Phoenix script on the node starts with. Source it, define do_check, do_apply and (where undoing makes
# sense) do_remove, then call `phoenix_main host "$@"` or `phoenix_main guest "$@"`.
#
# The verb is the only argument; everything else comes as one JSON document on standard input:
#   { "stack": "dev", "ctid": 910, "recipe": "…", "parameters": {…}, "allow": ["destroy"] }
# ctid only for guests; recipe only on templates. Top-level defaults come from the manifest beside the script.
# Exit codes: exit_codes.json. Reasons of a check go to standard output, one a line; everything else to standard error.
set -Eeuo pipefail

# The node's own tools decode arguments by the locale; C.UTF-8 is part of every Debian.
export LC_ALL=C.UTF-8 PATH=${PATH:-}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

PHOENIX_LIBRARY=$(dirname -- "${BASH_SOURCE[0]}")
# shellcheck source-path=SCRIPTDIR source=exit_codes.sh
source "$PHOENIX_LIBRARY/exit_codes.sh"
# shellcheck source-path=SCRIPTDIR source=guest_common.sh
source "$PHOENIX_LIBRARY/guest_common.sh"
mapfile -t PHOENIX_SHARED < <(compgen -A function)
# shellcheck source-path=SCRIPTDIR source=reboot.sh
source "$PHOENIX_LIBRARY/reboot.sh"

# Seconds to wait for another run's step on the same guest, or on the host.
PHOENIX_LOCK_TIMEOUT=600

declare -A PHOENIX_DOCUMENT=() GUEST_CONFIG=()
STACK='' CTID='' RECIPE='' GUEST_TEXT=''

read_document() {
  local manifest=$1 pairs=() i flattened
  flattened=$(mktemp)
  if ! perl "$PHOENIX_LIBRARY/flatten_json.pl" "$manifest" >"$flattened"; then
    rm -f -- "$flattened"
    fail BAD_PARAMETERS "no usable JSON document on standard input"
  fi
  mapfile -d '' pairs <"$flattened"
  rm -f -- "$flattened"
  for ((i = 0; i < ${#pairs[@]}; i += 2)); do
    PHOENIX_DOCUMENT[":${pairs[i]}"]=${pairs[i + 1]}
  done
}

# document POINTER [DEFAULT] prints a value of the document; without a default a missing one is an error.
document() {
  if [[ -n ${PHOENIX_DOCUMENT[":$1"]+set} ]]; then
    printf '%s' "${PHOENIX_DOCUMENT[":$1"]}"
  elif (($# > 1)); then
    printf '%s' "$2"
  else
    fail BAD_PARAMETERS "missing in the document: $1"
  fi
}

# param NAME [DEFAULT]: a parameter; NAME may go deeper, as in properties/quota. Objects and lists come as JSON text.
param() { document "/parameters/$1" "${@:2}"; }

# param_list NAME ARRAY fills ARRAY with the items of a list, or leaves it empty.
param_list() {
  local -n list_out=$2
  local i size=${PHOENIX_DOCUMENT[":size:/parameters/$1"]:-0}
  list_out=()
  for ((i = 0; i < size; i++)); do list_out+=("$(param "$1/$i")"); done
}

# param_keys NAME ARRAY fills ARRAY with the names in an object, or leaves it empty.
param_keys() {
  local -n keys_out=$2
  local key
  keys_out=()
  while IFS= read -r key; do
    if [[ -n $key ]]; then keys_out+=("$key"); fi
  done <<<"${PHOENIX_DOCUMENT[":keys:/parameters/$1"]:-}"
}

# allowed WORD: the configuration permits what WORD names ("destroy", "replace").
allowed() {
  local place i
  for place in /allow /parameters/allow; do
    for ((i = 0; i < ${PHOENIX_DOCUMENT[":size:$place"]:-0}; i++)); do
      if [[ ${PHOENIX_DOCUMENT[":$place/$i"]} == "$1" ]]; then return 0; fi
    done
  done
  return 1
}

# --- guests --------------------------------------------------------------------------------------------------------

# Reads `pct config` into GUEST_CONFIG, and as it stands into GUEST_TEXT; false where there is no such guest.
read_guest_config() {
  local text line key
  GUEST_CONFIG=()
  text=$(pct config "$CTID" 2>&1) || {
    if [[ $text == *"does not exist"* ]]; then return 1; fi
    quote_text "$text"
    fail FAILED "pct config $CTID failed"
  }
  GUEST_TEXT=$text
  while IFS= read -r line; do
    key=${line%%:*}
    if [[ $line != *:* ]]; then continue; fi
    GUEST_CONFIG[$key]=${line#*: }
  done <<<"$GUEST_TEXT"
}

# PVE prints descriptions percent-encoded.
percent_decode() {
  local text=${1//\\/\\\\}
  printf '%b' "${text//%/\\x}"
}

# Prints the recipe in the guest's mark; false if the guest does not carry the mark of this stack for its own vmid.
recipe_in_mark() {
  local description first form='^phoenix stack=([^ ]+) vmid=([0-9]+) incarnation=[0-9a-f]{16} recipe=([^ ]+)$'
  description=$(percent_decode "${GUEST_CONFIG[description]:-}")
  first=${description%%$'\n'*}
  if [[ $first =~ $form && ${BASH_REMATCH[1]} == "$STACK" && ${BASH_REMATCH[2]} == "$CTID" ]]; then
    printf '%s' "${BASH_REMATCH[3]}"
  else
    return 1
  fi
}

is_template() { [[ ${GUEST_CONFIG[template]:-0} == 1 ]]; }

# What is decided before a script touches a guest: is it there, is it ours, is it sealed. Exits where that says enough.
enter_guest() {
  local verb=$1 made_from
  [[ $CTID =~ ^[1-9][0-9]{2,8}$ ]] || fail BAD_PARAMETERS "ctid is not a guest's number: '$CTID'"
  if ! read_guest_config; then
    case $verb in
      remove) exit 0 ;;
      check) cannot_check "guest $CTID is not there" ;;
      *) fail GUEST_NOT_RUNNING "guest $CTID is not there" "run 'pulumi refresh', then 'pulumi up': it will be made anew" ;;
    esac
  fi
  made_from=$(recipe_in_mark) ||
    fail NOT_OURS "guest $CTID does not carry the mark of stack '$STACK'; nothing was changed" \
      "adopt it, or give the container another CTID"
  if is_template && [[ -z ${SEES_TEMPLATES:-} ]]; then
    if [[ $verb == remove ]]; then
      note "guest $CTID is a sealed template, which is replaced and never changed: nothing to remove"
    elif [[ -n $RECIPE && $made_from == "$RECIPE" ]]; then
      note "guest $CTID is sealed with this recipe: nothing to do"
    elif [[ $verb == check ]]; then
      cannot_check "guest $CTID is a sealed template of another recipe ($made_from)"
    else
      fail SEALED "guest $CTID is a sealed template of recipe $made_from, and cannot be changed to ${RECIPE:-none}"
    fi
    exit 0
  fi
}

# False for a dataset that is not there, too.
dataset_is_mounted() { [[ $(zfs get -Hp -o value mounted "$1" 2>/dev/null) == yes ]]; }

# guest_run FUNCTION [VALUE…] runs one of the script's functions (named inside_…) in the guest, in one `pct exec`.
# The text that travels is static: values go as arguments. Functions of guest_common.sh may be called in it.
# A secret never goes as an argument, which any process list shows: set GUEST_INPUT, and the function reads it from its
# standard input.
guest_run() {
  local entry=$1 functions=() text code=0 errors status
  shift
  mapfile -t functions < <(compgen -A function inside_)
  text="set -Eeuo pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive
PHOENIX_LOG=/var/log/phoenix.log
$(declare -f "${PHOENIX_SHARED[@]}" "${functions[@]}")
trap 'unexpected \$? \"\$BASH_COMMAND\"' ERR
umask 022
cd /
$entry \"\$@\""
  errors=$(mktemp)
  pct exec "$CTID" -- /bin/bash -c "$text" phoenix "$@" < <(printf '%s' "${GUEST_INPUT:-}") 2>"$errors" || code=$?
  if ((code == 0 || (code >= 10 && code <= 63))); then
    cat -- "$errors" >&2
    rm -f -- "$errors"
    if ((code != 0)); then exit "$code"; fi
    return 0
  fi
  status=$(pct status "$CTID" 2>&1) || true
  quote_text "$(tail -n 15 -- "$errors")"
  rm -f -- "$errors"
  if [[ $status == *stopped* ]]; then
    if [[ $PHOENIX_VERB == check ]]; then cannot_check "guest $CTID is stopped"; fi
    fail GUEST_NOT_RUNNING "guest $CTID is stopped" "pct start $CTID"
  fi
  fail FAILED "pct exec in guest $CTID failed (exit $code, $status)"
}

# Waits until the guest's init is done, it has an address where it has a network, and a name server answers where one
# is configured for it. Parameters: ready {init, network, dns}, in seconds; 0 does not wait.
guest_wait_ready() {
  local key network=0 dns=0
  for key in "${!GUEST_CONFIG[@]}"; do
    if [[ $key =~ ^net[0-9]+$ && ${GUEST_CONFIG[$key]} =~ (ip|ip6)= ]]; then network=$(param ready/network 60); fi
  done
  if [[ -n ${GUEST_CONFIG[nameserver]:-} ]]; then dns=$(param ready/dns 60); fi
  guest_run inside_wait_ready "$(param ready/init 120)" "$network" "$dns"
}

inside_wait_ready() {
  wait_for_init "$1"
  if (($2 > 0)); then wait_for_address "$2"; fi
  if (($3 > 0)); then wait_for_dns "$3"; fi
}

# --- entry ---------------------------------------------------------------------------------------------------------

take_lock() {
  exec {PHOENIX_LOCK_FD}>"${PHOENIX_LOCKS:-/run/lock}/phoenix-$STACK-${CTID:-host}.lock"
  flock --wait "$PHOENIX_LOCK_TIMEOUT" "$PHOENIX_LOCK_FD" ||
    fail BUSY "another run has worked on ${CTID:-the host} for over $PHOENIX_LOCK_TIMEOUT s"
}

# phoenix_main host|guest|any VERB
phoenix_main() {
  local target=$1 script manifest state
  shift
  trap 'unexpected $? "$BASH_COMMAND"' ERR
  if (($# != 1)); then fail BAD_PARAMETERS "usage: $(basename -- "$0") check|apply|remove, with a JSON document on standard input"; fi
  case $1 in
    check | apply | remove) PHOENIX_VERB=$1 ;;
    *) fail BAD_PARAMETERS "unknown verb '$1': check, apply or remove" ;;
  esac
  script=$(readlink -f -- "$0")
  manifest=${script%.sh}.json
  read_document "$manifest"
  STACK=$(document /stack)
  [[ $STACK =~ ^[A-Za-z0-9][A-Za-z0-9_.-]*$ ]] || fail BAD_PARAMETERS "not a stack's name: '$STACK'"
  CTID=$(document /ctid '')
  RECIPE=$(document /recipe '')
  if [[ $target == any ]]; then target=${CTID:+guest}; fi
  if [[ $target == host && -n $CTID ]]; then fail BAD_PARAMETERS "a script for the host got a ctid"; fi
  if [[ $PHOENIX_VERB != check ]]; then
    take_lock
    state=${PHOENIX_STATE:-/var/lib/phoenix}/$STACK
    if [[ -d $state ]]; then
      mkdir -p -- "$state/log"
      PHOENIX_LOG=$state/log/$(basename -- "$script" .sh)${CTID:+-$CTID}.log
    fi
  fi
  if [[ $PHOENIX_VERB == apply ]]; then refuse_before_reboot; fi
  if [[ $target == guest ]]; then enter_guest "$PHOENIX_VERB"; fi
  if ! declare -F "do_$PHOENIX_VERB" >/dev/null; then
    note "there is nothing to undo"
    return 0
  fi
  "do_$PHOENIX_VERB"
  if [[ $PHOENIX_VERB == check ]]; then finish_check; fi
  if [[ $PHOENIX_VERB == apply ]]; then clear_reboot_note; fi
}
