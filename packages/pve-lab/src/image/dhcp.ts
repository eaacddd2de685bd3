import type { NodeFile } from "./node-file.ts";

/**
 * On iron the network's own router hands out addresses; in the lab nobody else is there to do it. Only leases and
 * router advertisements: no names are resolved here. Real dnsmasq, which Debian's lxc needs anyway.
 */
const serve: NodeFile = {
  path: "/usr/lib/pve-lab/serve-addresses",
  mode: 0o755,
  text: `#!/bin/sh
set -eu
own=$(ip -4 -o address show dev vmbr0 scope global | awk '{ print $4; exit }')
case $own in
  */24) network=\${own%.*} ;;
  *)
    echo "vmbr0 has no IPv4 network of 24 bits: the lab hands out no addresses" >&2
    exit 0
    ;;
esac
servers=$(awk '/^nameserver/ && $2 !~ /:/ { printf "%s%s", comma, $2; comma = "," }' /etc/resolv.conf)
# The range that reads the prefix from vmbr0 does nothing as long as that has no IPv6 address.
exec dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=vmbr0 --except-interface=lo --bind-dynamic \\
  --user=root --log-facility=- --pid-file= --dhcp-leasefile=/run/pve-lab/leases --dhcp-authoritative \\
  --dhcp-range="$network.200,$network.249,255.255.255.0,1h" \${servers:+--dhcp-option=option:dns-server,"$servers"} \\
  --enable-ra --dhcp-range=::,constructor:vmbr0,ra-stateless,64,1h
`,
};

const unit: NodeFile = {
  path: "/etc/systemd/system/lab-dhcp.service",
  mode: 0o644,
  text: `[Unit]
Description=Addresses by DHCP and router advertisement on vmbr0 of the lab
After=networking.service lab-hardware.service
Before=pve-guests.service

[Service]
ExecStartPre=/bin/mkdir -p /run/pve-lab
ExecStart=/usr/lib/pve-lab/serve-addresses
Restart=on-failure
RestartSec=2

[Install]
WantedBy=multi-user.target
`,
};

export function dhcpFiles(): NodeFile[] {
  return [serve, unit];
}
