# shellcheck shell=bash
# Which Proxmox VE this is: 8 (Debian bookworm) and 9 (Debian trixie) are known, others refused.

# Prints the name of the Debian release that the node is made from.
node_release() {
  local text
  command -v pveversion >/dev/null ||
    fail MISSING_PREREQUISITE "this is not a Proxmox VE node: there is no pveversion" "name a Proxmox VE 8 or 9 node as phoenix:sshHost"
  text=$(ask pveversion)
  [[ $text =~ ^pve-manager/([0-9]+)\. ]] || fail MISSING_PREREQUISITE "pveversion names no version: '${text%%$'\n'*}'"
  case ${BASH_REMATCH[1]} in
    8) printf bookworm ;;
    9) printf trixie ;;
    *)
      fail MISSING_PREREQUISITE "this is Proxmox VE ${BASH_REMATCH[1]} (${text%% *}); Phoenix knows 8 and 9, and changes nothing on others" \
        "upgrade the node by Proxmox's own guide, or take another"
      ;;
  esac
}
