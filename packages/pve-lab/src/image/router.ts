import type { NodeFile } from "./node-file.ts";

/** The network's own router, a machine of its own beside the node: what guests' configurations name as gateway. */
const address = "10.0.0.1";
const node = "10.0.0.13";

const script: NodeFile = {
  path: "/usr/lib/pve-lab/make-router",
  mode: 0o755,
  text: `#!/bin/sh
set -eu
# What only crosses the bridge is not the node's to translate; machines with Docker switch this on everywhere.
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables
ip netns list | grep -q '^router' && exit 0
ip netns add router
ip link add router0 type veth peer name eth0 netns router
ip link set router0 master vmbr0 up
ip -n router link set lo up
ip -n router address add ${address}/24 dev eth0
ip -n router link set eth0 up
ip -n router route add default via ${node}
# Redirects would tell guests the shorter way, and the router would be tested no more.
ip netns exec router sh -c '
  for name in all eth0; do echo 0 >/proc/sys/net/ipv4/conf/$name/send_redirects; done
  echo 1 >/proc/sys/net/ipv4/ip_forward'
`,
};

const unit: NodeFile = {
  path: "/etc/systemd/system/lab-router.service",
  mode: 0o644,
  text: `[Unit]
Description=The router of the lab's network, ${address}
After=networking.service
Before=pve-lab.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/lib/pve-lab/make-router

[Install]
WantedBy=multi-user.target
`,
};

export const routerFiles = (): NodeFile[] => [script, unit];
