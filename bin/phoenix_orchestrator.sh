#!/usr/bin/env bash
# The old name of `bin/phoenix up` and `bin/phoenix preview`: translates its arguments to Pulumi targets.
set -Eeuo pipefail

phoenix=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/phoenix

usage() {
  cat <<'USAGE'
usage: bin/phoenix_orchestrator.sh [--dry-run] --setup-hypervisor | CTID…

  --setup-hypervisor  pools, datasets, storages and OS templates of the node
  CTID…               these templates and containers, with all that they need
  --dry-run           show what would change and change nothing; without a target, of everything
  --help              this text
USAGE
}

verb=up
wanted=()
for argument in "$@"; do
  case $argument in
    --dry-run) verb=preview ;;
    --help | -h) usage && exit 0 ;;
    --setup-hypervisor) wanted+=("$argument") ;;
    *[!0-9]* | '') echo "unknown argument '$argument'" >&2 && usage >&2 && exit 2 ;;
    *) wanted+=("$argument") ;;
  esac
done
if ((${#wanted[@]} == 0)) && [[ $verb == up ]]; then usage >&2 && exit 2; fi

targets=()
if ((${#wanted[@]} > 0)); then
  urns=$("$phoenix" urns "${wanted[@]}")
  while IFS= read -r urn; do targets+=(--target "$urn"); done <<<"$urns"
fi
exec "$phoenix" "$verb" "${targets[@]}"
