#!/usr/bin/env bash
# Runs an executable that has no manifest ("level 0"): run_level0.sh NAME check|apply|remove, document on stdin.
# It gets the CTID as $1 (nothing on the host) and its parameters as JSON in PHOENIX_PARAMETERS; it cannot be checked.
set -Eeuo pipefail
# shellcheck source-path=SCRIPTDIR source=phoenix_common.sh
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/phoenix_common.sh"

name=${1:-}
[[ $name =~ ^[A-Za-z0-9][A-Za-z0-9_.-]*$ ]] || fail BAD_PARAMETERS "usage: run_level0.sh NAME check|apply|remove"
shift
# Uploaded versions carry the script beside lib/.
program=$(dirname -- "$(readlink -f -- "$PHOENIX_LIBRARY")")/$name

do_check() { cannot_check "$name has no manifest and cannot be checked"; }

do_apply() {
  [[ -x $program ]] || fail MISSING_PREREQUISITE "$program is not there or not executable"
  PHOENIX_PARAMETERS=$(document /parameters '{}')
  export PHOENIX_PARAMETERS
  step "$name" FAILED "$program" ${CTID:+"$CTID"}
}

do_remove() { note "$name has no manifest: what it did stays"; }

phoenix_main any "$@"
