# shellcheck shell=bash
# Files of the node that a stack writes whole, and values that it sets. What was there before is kept on the node, so
# that removal undoes exactly what was done; what a person has edited since is never overwritten without a word.

owned_folder() { printf '%s/%s/files' "${PHOENIX_STATE:-/var/lib/phoenix}" "$STACK"; }

# The place where the record of a file or value lies.
owned_record() { printf '%s/%s' "$(owned_folder)" "${1//\//%2F}"; }

digest_of() { sha256sum -- "$1" | cut -d ' ' -f 1; }

# owned_state FILE: absent, ours (as this stack wrote it), edited (ours once) or foreign.
owned_state() {
  local record
  record=$(owned_record "$1")
  if [[ ! -e $1 && ! -L $1 ]]; then
    printf absent
  elif [[ ! -f $record/digests ]]; then
    printf foreign
  elif grep -qxF "$(digest_of "$1")" "$record/digests"; then
    printf ours
  else
    printf edited
  fi
}

# check_file FILE TEXT: reasons for which own_file would do something.
check_file() {
  if same_file "$1" "$2"; then return 0; fi
  case $(owned_state "$1") in
    absent) reason "$1 is not there" ;;
    ours) reason "$1 is not as configured" ;;
    edited) reason "$1 was edited by hand" ;;
    *) reason "$1 is there and was not written by this stack" ;;
  esac
}

# own_file FILE TEXT [MODE]: false if it was so already.
own_file() {
  local file=$1 text=$2 mode=${3:-0644} record state
  if same_file "$file" "$text"; then return 1; fi
  record=$(owned_record "$file")
  state=$(owned_state "$file")
  if [[ $state == edited || $state == foreign ]] && ! allowed replace; then
    fail REFUSED "$file $([[ $state == edited ]] && printf 'was edited by hand since this stack wrote it' || printf 'is there and was not written by this stack'); it stays as it is" \
      "take your edit into the configuration, move the file away, or say \"allow\": [\"replace\"] on the setting"
  fi
  mkdir -p -- "$record"
  if [[ $state != absent && ! -e $record/digests ]]; then
    cp -p -- "$file" "$record/before.new"
    mv -f -- "$record/before.new" "$record/before"
  fi
  # Both the old and the new digest count until the file is written: a run may be cut in between.
  printf '%s' "$text" | sha256sum | cut -d ' ' -f 1 >>"$record/digests"
  put_file "$file" "$text" "$mode"
  digest_of "$file" >"$record/digests.new"
  mv -f -- "$record/digests.new" "$record/digests"
}

# disown_file FILE: what was there before comes back; a file edited by hand stays unless destroy is allowed. False if
# there was nothing to do.
disown_file() {
  local file=$1 record
  record=$(owned_record "$file")
  if [[ ! -f $record/digests ]]; then return 1; fi
  if [[ $(owned_state "$file") == edited ]] && ! allowed destroy; then
    note "$file was edited by hand since this stack wrote it: it stays"
    rm -rf -- "$record"
    return 1
  fi
  if [[ -e $record/before ]]; then
    cp -p -- "$record/before" "$file.phoenix-new"
    mv -f -- "$file.phoenix-new" "$file"
  else
    rm -f -- "$file"
  fi
  rm -rf -- "$record"
}

# remember_value NAME OLD NEW: OLD is kept from the first time on; NEW is what this stack set last.
remember_value() {
  local record
  record=$(owned_record "value-$1")
  mkdir -p -- "$record"
  if [[ ! -e $record/before ]]; then put_file "$record/before" "$2" 0600 || true; fi
  put_file "$record/set" "$3" 0600 || true
}

# value_before NAME NOW prints what to go back to; false if nothing is remembered, or NOW is not what this stack set.
value_before() {
  local record
  record=$(owned_record "value-$1")
  [[ -e $record/before && -e $record/set && $(<"$record/set") == "$2" ]] || return 1
  cat -- "$record/before"
}

forget_value() { rm -rf -- "$(owned_record "value-$1")"; }

# edit_file FILE TEXT: turns a file of the distribution into TEXT, and keeps what it was for revert_edit.
edit_file() {
  local record
  if same_file "$1" "$2"; then return 1; fi
  record=$(owned_record "$1")
  rm -rf -- "$record"
  mkdir -p -- "$record"
  cp -p -- "$1" "$record/before"
  printf '%s' "$2" | sha256sum | cut -d ' ' -f 1 >"$record/digests"
  put_file "$1" "$2" "$(stat -c %a -- "$1")"
}
