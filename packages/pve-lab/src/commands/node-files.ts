/** Files of the node that belong to guests and to its command line: units and command wrappers. */
export interface NodeFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

const NODE = "/opt/pve-lab/node";

const containerUnit = `[Unit]
Description=PVE LXC Container: %i
DefaultDependencies=no
After=lxc.service zfs-fuse.service networking.service
Wants=lxc.service
Documentation=man:lxc-start man:lxc man:pct

[Service]
Type=simple
Delegate=yes
KillMode=mixed
TimeoutStopSec=120s
ExecStartPre=${NODE} /opt/pve-lab/guest-hook.mjs pre-start %i
ExecStart=/usr/bin/lxc-start -F -n %i
ExecStop=/usr/lib/pve-lab/stop-container %i
ExecStopPost=${NODE} /opt/pve-lab/guest-hook.mjs post-stop %i
StandardOutput=null
StandardError=file:/run/pve/ct-%i.stderr
`;

const guestsUnit = `[Unit]
Description=PVE guests
Wants=pve-lab.service
After=pve-lab.service network.target networking.service zfs-fuse.service

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutSec=infinity
ExecStart=-/usr/sbin/pct internal-startall
ExecStop=-/usr/sbin/pct internal-stopall

[Install]
WantedBy=multi-user.target
`;

// Called with EXIT_CODE when the guest ended by itself; then nothing is left to stop.
const stopContainer = `#!/bin/sh
[ -n "\${EXIT_CODE:-}" ] && exit 0
[ -e "/etc/pve/lxc/$1.conf" ] || exit 0
exec /usr/bin/lxc-stop -n "$1" --timeout 60
`;

/** `pct exec` and `pct enter` go straight to the guest: no interpreter to start, standard input untouched. */
const pct = `#!/bin/sh
case "\${1:-}" in
  exec | enter)
    action=$1
    vmid=\${2:-}
    case $vmid in
      "" | *[!0-9]*) exec ${NODE} /opt/pve-lab/commands.mjs pct "$@" ;;
    esac
    shift
    [ $# -gt 0 ] && shift
    keep=--keep-env
    while [ $# -gt 0 ]; do
      case "$1" in
        --keep-env | -keep-env)
          [ "\${2:-1}" = 0 ] && keep=--clear-env
          shift
          [ $# -gt 0 ] && shift
          ;;
        --keep-env=* | -keep-env=*)
          [ "\${1#*=}" = 0 ] && keep=--clear-env
          shift
          ;;
        --)
          shift
          break
          ;;
        *) break ;;
      esac
    done
    if ! [ -e "/etc/pve/lxc/$vmid.conf" ]; then
      echo "Configuration file 'nodes/$(hostname -s)/lxc/$vmid.conf' does not exist" >&2
      exit 2
    fi
    if ! grep -q "@/var/lib/lxc/$vmid/command\\$" /proc/net/unix; then
      echo "container '$vmid' not running!" >&2
      exit 255
    fi
    set -- /usr/bin/lxc-attach -n "$vmid" "$keep" -- "$@"
    if [ "$action" = enter ]; then
      set -- /usr/bin/lxc-attach -n "$vmid" "$keep"
    elif [ $# -eq 5 ]; then
      echo "missing command" >&2
      exit 255
    fi
    # As PVE: the caller's environment stays, but for the search path and what would hurt inside.
    unset SSL_CERT_FILE SSL_CERT_DIR CDPATH ENV BASH_ENV
    PATH=/sbin:/bin:/usr/sbin:/usr/bin
    export PATH
    exec "$@"
    ;;
esac
exec ${NODE} /opt/pve-lab/commands.mjs pct "$@"
`;

const wrapper = (name: string): string => `#!/bin/sh\nexec ${NODE} /opt/pve-lab/commands.mjs ${name} "$@"\n`;

/** Everything that has to lie in the node for guests to run and for its command line to answer. */
export function nodeFiles(): NodeFile[] {
  const commands = ["pvesm", "pvesh", "pveum", "pveam", "qm"].map((name) => `/usr/sbin/${name}`);
  return [
    { path: "/etc/systemd/system/pve-container@.service", mode: 0o644, text: containerUnit },
    { path: "/etc/systemd/system/pve-guests.service", mode: 0o644, text: guestsUnit },
    { path: "/usr/lib/pve-lab/stop-container", mode: 0o755, text: stopContainer },
    { path: "/usr/sbin/pct", mode: 0o755, text: pct },
    ...[...commands, "/usr/bin/pveversion"].map((path) => ({
      path,
      mode: 0o755,
      text: wrapper(path.slice(path.lastIndexOf("/") + 1)),
    })),
  ];
}
