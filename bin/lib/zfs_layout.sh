# shellcheck shell=bash
# How a pool is made up, how it shall be, and the steps between: growth, attached and replaced disks. Needs zfs.sh.

name=''

# Groups of disks, one index for each; devices and paths are lists separated by blanks, in step.
declare -a WANTED_CLASS=() WANTED_KIND=() WANTED_DEVICES=() WANTED_PATHS=()
declare -a NOW_CLASS=() NOW_KIND=() NOW_NAME=() NOW_DEVICES=() NOW_NAMES=()
# What compare_layout found: WRONG is text; each step is "add|attach|expand|replace|remove" with its words.
WRONG='' LAYOUT_STEPS=()

# Reads the parameter vdevs.
read_wanted_layout() {
  local i disk device count=${PHOENIX_DOCUMENT[":size:/parameters/vdevs"]:-0} paths=() devices=() seen=' '
  for ((i = 0; i < count; i++)); do
    WANTED_CLASS[i]=$(param "vdevs/$i/class")
    WANTED_KIND[i]=$(param "vdevs/$i/kind")
    param_list "vdevs/$i/disks" paths
    devices=()
    for disk in "${paths[@]}"; do
      [[ $disk =~ ^/dev/[A-Za-z0-9._:+@/-]+$ && $disk != *..* ]] || fail BAD_PARAMETERS "not the path of a disk: '$disk'"
      device=$(block_device "$disk") || device=$disk
      if [[ $seen == *" $device "* ]]; then fail BAD_PARAMETERS "$disk is the same disk as another in the list"; fi
      seen+="$device "
      devices+=("$device")
    done
    WANTED_DEVICES[i]="${devices[*]}"
    WANTED_PATHS[i]="${paths[*]}"
    check_kind "$i" "${#paths[@]}"
  done
}

# An unknown word is an error, never a stripe; and the number of disks must make sense.
check_kind() {
  local kind=${WANTED_KIND[$1]} least
  [[ ${WANTED_CLASS[$1]} =~ ^(data|special|log|cache|spare)$ ]] ||
    fail BAD_PARAMETERS "unknown kind of group '${WANTED_CLASS[$1]}'" "data, special, log, cache or spare"
  least=$(least_disks "$kind") ||
    fail BAD_PARAMETERS "unknown raid level '$kind'" "disk, mirror, raidz1, raidz2, raidz3, draid1, draid2, draid3"
  if [[ $kind == disk ]] && (($2 != 1)); then fail BAD_PARAMETERS "a single disk is one disk, got $2"; fi
  if (($2 < least)); then fail BAD_PARAMETERS "$kind takes at least $least disks, got $2"; fi
}

# words TEXT…: the words of all texts, one a line.
words() {
  local -a list=()
  read -ra list <<<"$*"
  if ((${#list[@]} > 0)); then printf '%s\n' "${list[@]}"; fi
}

wanted_paths() { words "${WANTED_PATHS[@]}"; }

wanted_devices() { words "${WANTED_DEVICES[@]}"; }

# read_layout POOL TEXT: NOW_… become what `zpool status -P` or `zpool import` says.
read_layout() {
  local word first second third i=-1 known members
  NOW_CLASS=() NOW_KIND=() NOW_NAME=() NOW_DEVICES=() NOW_NAMES=()
  known=$(wanted_devices | paste -sd ' ')
  members=$(parse_members "$1" <<<"$2")
  while read -r word first second third; do
    case $word in
      vdev)
        i=$((i + 1))
        NOW_CLASS[i]=$first NOW_KIND[i]=$second NOW_NAME[i]=$third NOW_DEVICES[i]='' NOW_NAMES[i]=''
        ;;
      disk)
        NOW_DEVICES[i]+="${NOW_DEVICES[i]:+ }$(member_device "$second" "$known")"
        NOW_NAMES[i]+="${NOW_NAMES[i]:+ }$(member_name "$first" "$known")"
        ;;
    esac
  done <<<"$members"
}

# Words of the first list that are not in the second, one a line.
without() {
  local word
  while read -r word; do
    if [[ -n $word && " $2 " != *" $word "* ]]; then printf '%s\n' "$word"; fi
  done < <(words "$1")
}

# Whether two lists have a word in common.
share_word() { [[ $(without "$1" "$2") != "$(words "$1")" ]]; }

describe_layout() {
  local -n classes=$1 kinds=$2 lists=$3
  local i text=''
  for ((i = 0; i < ${#classes[@]}; i++)); do
    if [[ ${classes[i]} != data ]]; then text+="${classes[i]} "; fi
    text+="${kinds[i]} ${lists[i]}, "
  done
  printf '%s' "${text%, }"
}

# wrong REASON: the first one counts.
wrong() {
  if [[ -n $WRONG ]]; then return 0; fi
  WRONG="pool $name consists of [$(describe_layout NOW_CLASS NOW_KIND NOW_DEVICES)], configured are"
  WRONG+=" [$(describe_layout WANTED_CLASS WANTED_KIND WANTED_PATHS)] = [$(wanted_devices | paste -sd ' ')]: $1"
}

# The item of list $2 at the place where $1 stands in list $3.
beside() {
  local -a items=() places=()
  local i
  read -ra items <<<"$2"
  read -ra places <<<"$3"
  for ((i = 0; i < ${#places[@]}; i++)); do
    if [[ ${places[i]} == "$1" ]]; then printf '%s' "${items[i]}"; fi
  done
}

# compare_layout POOL TEXT OURS: fills WRONG and LAYOUT_STEPS. A group is the same one if it shares a disk; a group that
# shares none can only be an exchanged one where the pool is known to be ours otherwise.
compare_layout() {
  local ours=$3 w n taken=' ' matched=0
  local -a partner=() fresh=() left=()
  WRONG='' LAYOUT_STEPS=()
  read_layout "$1" "$2"
  if ((${#WANTED_CLASS[@]} == 0)); then return 0; fi
  for ((w = 0; w < ${#WANTED_CLASS[@]}; w++)); do
    for ((n = 0; n < ${#NOW_CLASS[@]}; n++)); do
      if ! share_word "${WANTED_DEVICES[w]}" "${NOW_DEVICES[n]}"; then continue; fi
      if [[ $taken == *" $n "* || -n ${partner[w]:-} || ${NOW_CLASS[n]} != "${WANTED_CLASS[w]}" ]]; then
        wrong "the disks are grouped in another way"
        return 0
      fi
      taken+="$n "
      partner[w]=$n
    done
  done
  for ((w = 0; w < ${#WANTED_CLASS[@]}; w++)); do
    if [[ -z ${partner[w]:-} ]]; then
      fresh+=("$w")
      continue
    fi
    if [[ ${WANTED_CLASS[w]} == data ]]; then matched=$((matched + 1)); fi
    compare_group "$w" "${partner[w]}"
  done
  for ((n = 0; n < ${#NOW_CLASS[@]}; n++)); do
    if [[ $taken != *" $n "* ]]; then left+=("$n"); fi
  done
  if ((matched == 0)) && [[ $ours != true ]]; then
    wrong "none of its disks is a configured one"
    return 0
  fi
  compare_rest
}

# What no group was found for: exchanged as a whole, to be added, to be taken out.
compare_rest() {
  local n w used=' ' successor
  for n in "${left[@]}"; do
    successor=''
    case ${NOW_CLASS[n]} in
      log | cache | spare)
        LAYOUT_STEPS+=("remove ${NOW_CLASS[n]} $(group_name "$n")")
        continue
        ;;
    esac
    for w in "${fresh[@]}"; do
      if [[ $used != *" $w "* && ${WANTED_CLASS[w]} == "${NOW_CLASS[n]}" ]]; then
        successor=$w
        break
      fi
    done
    if [[ -z $successor ]]; then
      wrong "${NOW_KIND[n]} ${NOW_DEVICES[n]} would be taken out, and pools are never shrunk"
      return 0
    fi
    used+="$successor "
    compare_group "$successor" "$n"
  done
  for w in "${fresh[@]}"; do
    if [[ $used != *" $w "* ]]; then LAYOUT_STEPS+=("add ${WANTED_CLASS[w]} ${WANTED_KIND[w]} ${WANTED_PATHS[w]}"); fi
  done
}

# A group of several disks goes by its own name, a single disk by the disk's.
group_name() {
  if [[ ${NOW_KIND[$1]} == disk ]]; then printf '%s' "${NOW_NAMES[$1]}"; else printf '%s' "${NOW_NAME[$1]}"; fi
}

compare_group() {
  local w=$1 n=$2 i
  local -a gone=() more=()
  mapfile -t gone < <(without "${NOW_DEVICES[n]}" "${WANTED_DEVICES[w]}")
  mapfile -t more < <(without "${WANTED_DEVICES[w]}" "${NOW_DEVICES[n]}")
  local kind=${WANTED_KIND[w]} was=${NOW_KIND[n]}
  if ((${#gone[@]} > ${#more[@]})); then
    wrong "${gone[*]} would be taken out, and pools are never shrunk"
  elif ((${#gone[@]} > 0)) && { [[ $kind != "$was" ]] || ((${#gone[@]} < ${#more[@]})); }; then
    wrong "replace disks first, then add"
  elif ((${#gone[@]} > 0)); then
    for i in "${!gone[@]}"; do
      LAYOUT_STEPS+=("replace $(beside "${gone[i]}" "${NOW_NAMES[n]}" "${NOW_DEVICES[n]}") $(beside "${more[i]}" "${WANTED_PATHS[w]}" "${WANTED_DEVICES[w]}")")
    done
  elif [[ $kind != "$was" && ! ($kind == mirror && $was == disk && ${#more[@]} -gt 0) ]]; then
    wrong "it is [$was], configured is $kind"
  elif ((${#more[@]} > 0)); then
    for i in "${!more[@]}"; do
      case $kind in
        mirror) LAYOUT_STEPS+=("attach ${NOW_NAMES[n]%% *} $(beside "${more[i]}" "${WANTED_PATHS[w]}" "${WANTED_DEVICES[w]}")") ;;
        raidz?) LAYOUT_STEPS+=("expand ${NOW_NAME[n]} $(beside "${more[i]}" "${WANTED_PATHS[w]}" "${WANTED_DEVICES[w]}")") ;;
        *) wrong "a group of kind $kind cannot be widened" ;;
      esac
    done
  fi
}

# The word in `allow` that a step needs; empty if it can be undone.
word_for() {
  case $1 in
    add\ data* | add\ special* | expand*) printf grow ;;
    replace*) printf replace ;;
  esac
}

# The disks that a step takes, one a line.
disks_of_step() {
  local verb rest
  read -r verb _ rest <<<"$1"
  case $verb in
    add)
      read -r _ rest <<<"$rest"
      words "$rest"
      ;;
    attach | expand | replace) printf '%s\n' "$rest" ;;
  esac
}

describe_step() {
  local verb first rest
  read -r verb first rest <<<"$1"
  case $verb in
    add) printf 'add %s %s' "$first" "$rest" ;;
    attach) printf 'attach %s to %s as a mirror' "$rest" "$first" ;;
    expand) printf 'widen %s by %s' "$first" "$rest" ;;
    replace) printf 'replace %s by %s' "$first" "$rest" ;;
    remove) printf 'take the %s %s out' "$first" "$rest" ;;
  esac
}

# The words of `zpool create` or `zpool add` for groups "CLASS KIND DISK…", one group an argument; one word a line.
vdev_words() {
  local class group group_class kind disks started
  for class in data special log cache spare; do
    started=''
    for group in "$@"; do
      read -r group_class kind disks <<<"$group"
      if [[ $group_class != "$class" ]]; then continue; fi
      if [[ $class != data && -z $started ]]; then printf '%s\n' "$class"; fi
      started=yes
      if [[ $kind != disk ]]; then printf '%s\n' "$kind"; fi
      words "$disks"
    done
  done
}
