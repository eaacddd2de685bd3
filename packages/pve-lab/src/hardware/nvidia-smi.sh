#!/bin/sh
# nvidia-smi of the Phoenix lab: SIMULATED. It stands where the installed package has its own, which cannot talk to a
# card that does not exist; the real one lies beside it as nvidia-smi.machine. Versions are read from what is really
# there: the loaded module (/proc/driver/nvidia/version) and the installed library (libnvidia-ml.so.<version>).
set -eu

proc=/proc/driver/nvidia

fail() {
  status=$1
  shift
  printf '%s\n' "$@"
  exit "$status"
}

library_version() {
  for link in /usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1 /usr/lib/x86_64-linux-gnu/nvidia/*/libnvidia-ml.so.1; do
    [ -e "$link" ] || continue
    file=$(readlink -f "$link")
    printf '%s\n' "${file##*/libnvidia-ml.so.}"
    return 0
  done
  return 1
}

# Value of a line "Name: value" in a card's information file.
information() {
  sed -n "s/^$2:[[:space:]]*//p" "$1/information"
}

# The cards whose device nodes are here, one directory of /proc per line.
cards() {
  for directory in "$proc"/gpus/*; do
    [ -e "$directory/information" ] || continue
    [ -e "/dev/nvidia$(information "$directory" 'Device Minor')" ] || continue
    [ -z "$only" ] || chosen "$directory" || continue
    printf '%s\n' "$directory"
  done
}

# Whether -i names this card: by its place among those that are here, its UUID or its bus address.
chosen() {
  place=0
  for candidate in "$proc"/gpus/*; do
    [ -e "/dev/nvidia$(information "$candidate" 'Device Minor')" ] || continue
    [ "$candidate" != "$1" ] || break
    place=$((place + 1))
  done
  case ",$only," in
    *",$place,"* | *",$(information "$1" 'GPU UUID'),"* | *",0000$(information "$1" 'Bus Location'),"* | *",$(information "$1" 'Bus Location'),"*) return 0 ;;
    *) return 1 ;;
  esac
}

value_of() {
  case $1 in
    index) printf '%s' "$3" ;;
    uuid | gpu_uuid) information "$2" 'GPU UUID' ;;
    name | gpu_name) information "$2" Model ;;
    pci.bus_id | gpu_bus_id) printf '0000%s' "$(information "$2" 'Bus Location')" ;;
    driver_version) printf '%s' "$library" ;;
    count) cards | wc -l ;;
    persistence_mode) cat "$2/lab-persistence-mode" ;;
    memory.total) printf '%s%s' "$(cat "$2/lab-memory-mib")" "$mebibytes" ;;
    memory.used) printf '0%s' "$mebibytes" ;;
    memory.free) printf '%s%s' "$(cat "$2/lab-memory-mib")" "$mebibytes" ;;
    utilization.gpu) if [ -n "$mebibytes" ]; then printf '0 %%'; else printf '0'; fi ;;
    *) return 1 ;;
  esac
}

heading_of() {
  case $1 in
    memory.*) printf '%s [MiB]' "$1" ;;
    utilization.gpu) printf 'utilization.gpu [%%]' ;;
    *) printf '%s' "$1" ;;
  esac
}

query() {
  case ",$format," in *,csv,*) ;; *) fail 2 '"--format=" switch is missing or does not name "csv". ' ;; esac
  mebibytes=' MiB'
  case ",$format," in *,nounits,*) mebibytes= ;; esac
  names=$(printf '%s' "$fields" | tr ',' ' ')
  first=$(cards | head -n 1)
  for field in $names; do
    value_of "$field" "$first" 0 >/dev/null || fail 2 "Field \"$field\" is not a valid field to query."
  done
  case ",$format," in
    *,noheader,*) ;;
    *)
      line=
      for field in $names; do line="$line${line:+, }$(heading_of "$field")"; done
      printf '%s\n' "$line"
      ;;
  esac
  place=0
  cards | while read -r directory; do
    line=
    for field in $names; do line="$line${line:+, }$(value_of "$field" "$directory" "$place")"; done
    printf '%s\n' "$line"
    place=$((place + 1))
  done
}

list() {
  place=0
  cards | while read -r directory; do
    printf 'GPU %s: %s (UUID: %s)\n' "$place" "$(information "$directory" Model)" "$(information "$directory" 'GPU UUID')"
    place=$((place + 1))
  done
}

table() {
  rule='+---------------------------------------------------------------------------------------+'
  printf '%s\n%s\n' "$(date '+%a %b %e %H:%M:%S %Y')       " "$rule"
  printf '| NVIDIA-SMI %-22s Driver Version: %-14s CUDA Version: %-8s |\n' "$library" "$library" N/A
  printf '%s\n' "$rule"
  place=0
  cards | while read -r directory; do
    printf '| %3s  %-40s %-16s %8sMiB          |\n' "$place" "$(information "$directory" Model)" \
      "$(value_of pci.bus_id "$directory" 0)" "$(cat "$directory/lab-memory-mib")"
    place=$((place + 1))
  done
  printf '%s\n| %-85s |\n%s\n' "$rule" 'Simulated by the Phoenix lab: there is no card and nothing can be computed.' "$rule"
}

mode=table
format=
fields=
only=
persistence=
while [ $# -gt 0 ]; do
  case $1 in
    -L | --list-gpus) mode=list ;;
    --query-gpu=*) mode=query fields=${1#*=} ;;
    --format=*) format=${1#*=} ;;
    -i | --id) [ $# -gt 1 ] || fail 2 'Option "-i" needs a value.' && only=$2 && shift ;;
    --id=*) only=${1#*=} ;;
    -pm | --persistence-mode) [ $# -gt 1 ] || fail 2 'Option "-pm" needs a value.' && mode=persistence && persistence=$2 && shift ;;
    -pm=* | --persistence-mode=*) mode=persistence persistence=${1#*=} ;;
    -h | --help) fail 0 'NVIDIA-SMI, simulated by the Phoenix lab: -L, -i, -pm, --query-gpu=… --format=csv[,noheader][,nounits], and the plain table.' ;;
    *) fail 2 "Invalid combination of input arguments (the lab's nvidia-smi is simulated and does not know $1). Please run 'nvidia-smi -h' for help." ;;
  esac
  shift
done

library=$(library_version) || fail 12 \
  "NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make sure that the NVIDIA Display Driver is properly installed and present in your system." \
  'Please also try adding directory that contains libnvidia-ml.so to your system PATH.'
if ! [ -r "$proc/version" ] || ! [ -e /dev/nvidiactl ]; then
  fail 9 "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running." ''
fi
module=$(sed -n 's/^NVRM version:.*Kernel Module  *\([0-9.]*\) .*/\1/p' "$proc/version")
if [ "$module" != "$library" ]; then
  fail 18 'Failed to initialize NVML: Driver/library version mismatch' "NVML library version: ${library%.*}"
fi
[ -n "$(cards)" ] || fail 6 'No devices were found'

case $mode in
  list) list ;;
  query) query ;;
  persistence)
    case $persistence in 0 | 1 | DISABLED | ENABLED) ;; *) fail 2 "\"$persistence\" is not a valid persistence mode." ;; esac
    word=Enabled
    case $persistence in 0 | DISABLED) word=Disabled ;; esac
    cards | while read -r directory; do
      # A guest's root may not change the node's cards.
      if ! [ -w "$directory/lab-persistence-mode" ]; then
        printf 'Unable to set persistence mode for GPU 0000%s: Insufficient Permissions\n' "$(information "$directory" 'Bus Location')"
        exit 4
      fi
      printf '%s\n' "$word" >"$directory/lab-persistence-mode"
      printf '%s persistence mode for GPU 0000%s.\n' "$word" "$(information "$directory" 'Bus Location')"
    done
    printf 'All done.\n'
    ;;
  *) table ;;
esac
