# shellcheck shell=bash
# The node has to be rebooted before anything else is done. Sourced by phoenix_common.sh.
#
# A script that finds so calls `stop_for_reboot WHY`: it ends with REBOOT_NEEDED, and until the node has been rebooted no
# other step of the stack applies anything. The same script may run again: once it ends well, the way is free, too.
# The note lies where a reboot clears it by itself.

reboot_note() { printf '%s/phoenix-%s.reboot' "${PHOENIX_LOCKS:-/run/lock}" "$STACK"; }

# stop_for_reboot WHY, as in "kernel 6.8.12-9 is installed, 6.8.12-4 is running".
stop_for_reboot() {
  printf '%s\t%s\n' "$(basename -- "$0")" "$1" >"$(reboot_note)"
  fail REBOOT_NEEDED "$1: reboot the node; nothing behind this step was started" \
    "reboot it when its guests can bear it, then run the same command again: it goes on here"
}

# Whether a step waits for the reboot of another script's work.
refuse_before_reboot() {
  local script why
  if [[ ! -e $(reboot_note) ]]; then return 0; fi
  IFS=$'\t' read -r script why <"$(reboot_note)" || true
  if [[ $script == "$(basename -- "$0")" ]]; then return 0; fi
  fail REBOOT_NEEDED "$why (said by $script): this step was not started" \
    "reboot the node, then run the same command again"
}

# The script that asked for the reboot has ended well.
clear_reboot_note() {
  local script=''
  if [[ ! -e $(reboot_note) ]]; then return 0; fi
  IFS=$'\t' read -r script _ <"$(reboot_note)" || true
  if [[ $script == "$(basename -- "$0")" ]]; then rm -f -- "$(reboot_note)"; fi
}
