# shellcheck shell=bash
# Generated from exit_codes.json by tests/scripts/generate-exit-codes.ts; edit the table, not this file.

# Prints the code of a name.
exit_code_of() {
  case $1 in
    OK) echo 0 ;;
    WOULD_CHANGE) echo 10 ;;
    CANNOT_CHECK) echo 11 ;;
    BAD_PARAMETERS) echo 20 ;;
    MISSING_PREREQUISITE) echo 21 ;;
    GUEST_NOT_RUNNING) echo 22 ;;
    NETWORK) echo 23 ;;
    PACKAGES) echo 24 ;;
    REFUSED) echo 25 ;;
    REBOOT_NEEDED) echo 26 ;;
    NOT_OURS) echo 27 ;;
    MISMATCH) echo 28 ;;
    FAILED) echo 29 ;;
    BUSY) echo 30 ;;
    SEALED) echo 31 ;;
    UNHEALTHY) echo 32 ;;
    *) echo 29 ;;
  esac
}

# Prints what to try after an exit of that name.
exit_hint_of() {
  case $1 in
    WOULD_CHANGE) echo 'apply it' ;;
    CANNOT_CHECK) echo 'start the guest, or look at it by hand' ;;
    BAD_PARAMETERS) echo 'correct the configuration' ;;
    MISSING_PREREQUISITE) echo 'provide what is named above and run again' ;;
    GUEST_NOT_RUNNING) echo 'look at its console: pct console CTID; journalctl -b inside' ;;
    NETWORK) echo 'check bridge, gateway and nameserver of the guest or node' ;;
    PACKAGES) echo 'look at the quoted lines; apt-get update by hand shows the same' ;;
    REFUSED) echo 'read what was found; nothing is ever forced' ;;
    REBOOT_NEEDED) echo 'reboot it and run again' ;;
    NOT_OURS) echo 'declare it as existing, or choose another name' ;;
    MISMATCH) echo 'correct the configuration, or change the thing by hand' ;;
    FAILED) echo 'correct the cause and run again: every step may be repeated' ;;
    BUSY) echo 'wait for it, or end it, and run again' ;;
    SEALED) echo 'rebuild the template: its recipe has changed' ;;
    UNHEALTHY) echo 'look into it with pct enter, or at its services'\'' logs; what depends on it waits' ;;
    *) echo "" ;;
  esac
}
