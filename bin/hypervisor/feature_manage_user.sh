#!/usr/bin/env bash
# The node's administrator: a Linux user with password hash, key and sudo, and the Proxmox VE user of the same name.
# A user may own files: none is ever deleted. What a removed user could do here (sudo, key, PVE rights) is taken back.
set -Eeuo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
library=$here/lib
[[ -d $library ]] || library=$here/../lib
# shellcheck source-path=SCRIPTDIR source=../lib/phoenix_common.sh
source "$library/phoenix_common.sh"

read_user() {
  username=$(param username)
  hash=$(param passwordHash '')
  key=$(param sshPublicKey '')
  sudo=$(param sudo false)
  [[ $username =~ ^[a-z_][a-z0-9_-]{0,31}$ && $username != root ]] || fail BAD_PARAMETERS "not a user to manage: '$username'"
  # The value is a secret: it is never quoted.
  [[ -z $hash || $hash =~ ^\$[0-9a-z]+\$[^[:space:]:]+$ ]] ||
    fail BAD_PARAMETERS "the password hash of $username is not in crypt(3)'s form" "make one: mkpasswd -m yescrypt"
  rule=/etc/sudoers.d/phoenix-$username
  mark_start="# phoenix $STACK: from here"
  mark_end="# phoenix $STACK: to here"
}

user_exists() { getent passwd "$username" >/dev/null; }

stored_hash() { getent shadow "$username" | cut -d: -f2; }

authorized_keys() { printf '%s/.ssh/authorized_keys' "$(getent passwd "$username" | cut -d: -f6)"; }

managed_key() {
  local file
  file=$(authorized_keys)
  if [[ -f $file ]]; then sed -n "\|^$mark_start\$|,\|^$mark_end\$|{//!p}" "$file"; fi
}

# Only between our own two lines; whatever else stands in the file is its owner's.
write_key() {
  local file others
  file=$(authorized_keys)
  if [[ $(managed_key) == "$key" ]]; then return 0; fi
  install -d -m 0700 -o "$username" -g "$(id -gn "$username")" -- "$(dirname -- "$file")"
  others=$(if [[ -f $file ]]; then sed "\|^$mark_start\$|,\|^$mark_end\$|d" "$file"; fi)
  if [[ -n $others ]]; then others+=$'\n'; fi
  if [[ -n $key ]]; then others+="$mark_start"$'\n'"$key"$'\n'"$mark_end"$'\n'; fi
  put_file "$file" "$others" 0600 || true
  chown "$username:$(id -gn "$username")" -- "$file"
}

rule_text() {
  printf '# Written by Phoenix for stack %s.\n%s ALL=(ALL:ALL) ALL\n' "$STACK" "$username"
}

rule_is_ours() { [[ -f $rule ]] && grep -qxF "# Written by Phoenix for stack $STACK." "$rule"; }

pve_user_exists() { ask pveum user list --output-format json | grep -qF "\"userid\":\"$username@pam\""; }

pve_is_administrator() {
  ask pveum acl list --output-format json |
    PHOENIX_USER=$username@pam perl -MJSON::PP -0e \
      'exit !grep { $_->{path} eq "/" && $_->{ugid} eq $ENV{PHOENIX_USER} && $_->{roleid} eq "Administrator" } @{ decode_json(<STDIN>) }'
}

do_check() {
  read_user
  if ! user_exists; then
    reason "user $username does not exist"
    return 0
  fi
  if [[ -n $hash && $(stored_hash) != "$hash" ]]; then reason "the password of $username is another one"; fi
  if [[ $(managed_key) != "$key" ]]; then reason "the key of $username is not as configured"; fi
  if ! pve_user_exists; then reason "user $username@pam is not known to Proxmox VE"; fi
  if [[ $sudo == true ]]; then
    if ! same_file "$rule" "$(rule_text)"$'\n'; then reason "$username may not use sudo"; fi
    if ! pve_is_administrator; then reason "$username@pam is not an administrator of Proxmox VE"; fi
  elif rule_is_ours; then
    reason "$username may use sudo"
  fi
}

do_apply() {
  read_user
  if [[ -f $rule ]] && ! rule_is_ours; then
    fail NOT_OURS "$rule was not written by this stack" "move it away, or manage the user elsewhere"
  fi
  if ! user_exists; then
    step "Creating user $username" FAILED useradd --create-home --shell /bin/bash -- "$username"
  fi
  if [[ -n $hash && $(stored_hash) != "$hash" ]]; then
    # On standard input, so that no process list shows it.
    printf '%s:%s\n' "$username" "$hash" | chpasswd -e 2>/dev/null ||
      fail FAILED "the password of $username could not be set"
  fi
  write_key
  if ! pve_user_exists; then step "Adding $username@pam" FAILED pveum user add "$username@pam"; fi
  if [[ $sudo == true ]]; then
    install_packages sudo
    if put_file "$rule" "$(rule_text)"$'\n' 0440; then
      if ! visudo -cqf "$rule"; then
        rm -f -- "$rule"
        fail FAILED "sudo does not take the rule for $username"
      fi
    fi
    if ! pve_is_administrator; then
      step "Making $username@pam an administrator" FAILED \
        pveum acl modify / --users "$username@pam" --roles Administrator
    fi
  else
    withdraw_rights
  fi
}

# Rights that an owner gave by hand have no rule file of ours beside them, and stay.
withdraw_rights() {
  if ! rule_is_ours; then return 0; fi
  if pve_is_administrator; then
    step "Taking back the rights of $username@pam" FAILED \
      pveum acl delete / --users "$username@pam" --roles Administrator
  fi
  rm -f -- "$rule"
}

do_remove() {
  read_user
  if ! user_exists; then return 0; fi
  key=''
  write_key
  withdraw_rights
  note "user $username and its files stay"
}

phoenix_main host "$@"
