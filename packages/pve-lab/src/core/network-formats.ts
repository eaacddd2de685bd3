/** Formats of addresses and interfaces, as PVE::JSONSchema checks them. Each returns PVE's complaint or nothing. */
import { isIP, isIPv4, isIPv6 } from "node:net";

type Check = (text: string) => string | undefined;

const when =
  (test: (text: string) => boolean, complaint: (text: string) => string): Check =>
  (text) =>
    test(text) ? undefined : complaint(text);
const looksLike = (what: string) => () => `value does not look like a valid ${what}\n`;

const LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const DNS_NAME = new RegExp(`^(?:${LABEL}\\.)*${LABEL}$`);
export const NODE_NAME = new RegExp(`^${LABEL}$`);

const isAddress = (text: string): boolean => isIP(text) !== 0 && !text.includes("%");
const isName = (text: string): boolean => DNS_NAME.test(text);
const isInterface = (text: string): boolean => /^[a-z][a-z0-9_]{1,20}(?:[:.]\d+)?$/i.test(text);

/** PVE takes no prefix shorter than 8 bits, in either family. */
function isNetwork(text: string, family: (address: string) => boolean, bits: number): boolean {
  const [, address = "", prefix] = /^([^/%]+)\/(\d+)$/.exec(text) ?? [];
  return family(address) && Number(prefix) > 7 && Number(prefix) <= bits;
}
const isNetworkV4 = (text: string): boolean => isNetwork(text, isIPv4, 32);
const isNetworkV6 = (text: string): boolean => isNetwork(text, isIPv6, 128);

/** The dotted masks of 0 to 32 bits. */
const MASKS = new Set(
  Array.from({ length: 33 }, (_one, bits) =>
    [24, 16, 8, 0].map((shift) => (((2 ** 32 - 2 ** (32 - bits)) / 2 ** shift) >>> 0) & 0xff).join("."),
  ),
);

function vlanIdOrRange(text: string): string | undefined {
  const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (first === undefined) return `invalid VLAN configuration '${text}'\n`;
  for (const tag of [first, last])
    if (tag !== undefined && (Number(tag) < 2 || Number(tag) > 4094)) return `invalid VLAN tag '${tag}'\n`;
  return last !== undefined && Number(first) >= Number(last)
    ? `VLAN range must go from lower to higher tag '${text}'\n`
    : undefined;
}

function isAddressWithInterface(text: string): boolean {
  const [, address, name] = /^(fe80:[^%]+)%(.*)$/.exec(text) ?? [];
  if (address === undefined || name === undefined) return isAddress(text);
  return isAddress(address) && isInterface(name);
}

function isHostAndPort(text: string): boolean {
  const [, plain] = /^([a-zA-Z0-9\-.]+)(?::\d+)?$/.exec(text) ?? [];
  if (plain !== undefined) return true;
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(text) ?? [];
  if (bracketed !== undefined) return isAddress(bracketed) || /^[a-zA-Z0-9\-.]+$/.test(bracketed);
  return (isIPv6(text) || isIPv6(text.replace(/\.\d+$/, ""))) && !text.includes("%");
}

export const NETWORK_FORMATS: Readonly<Record<string, Check>> = {
  "dns-name": when(isName, looksLike("DNS name")),
  ip: when(isAddress, looksLike("IP address")),
  ipv4: when(isIPv4, looksLike("IPv4 address")),
  ipv6: when((text) => isIPv6(text) && !text.includes("%"), looksLike("IPv6 address")),
  ipv4mask: when((text) => MASKS.has(text), looksLike("IP netmask")),
  address: when(
    (text) => isAddress(text) || isName(text),
    (text) => `value does not look like a valid address: ${text}\n`,
  ),
  CIDRv4: when(isNetworkV4, looksLike("IPv4 CIDR network")),
  CIDRv6: when(isNetworkV6, looksLike("IPv6 CIDR network")),
  CIDR: when((text) => isNetworkV4(text) || isNetworkV6(text), looksLike("CIDR network")),
  "pve-ipv4-config": when(
    (text) => /^(?:dhcp|manual)$/.test(text) || isNetworkV4(text),
    looksLike("ipv4 network configuration"),
  ),
  "pve-ipv6-config": when(
    (text) => /^(?:auto|dhcp|manual)$/.test(text) || isNetworkV6(text),
    looksLike("ipv6 network configuration"),
  ),
  "mac-addr": when(
    (text) => /^[a-f0-9][02468ace](?::[a-f0-9]{2}){5}$/i.test(text),
    looksLike("unicast MAC address"),
  ),
  "pve-iface": when(isInterface, (text) => `invalid network interface name '${text}'\n`),
  "pve-bridge-id": when(
    (text) => /^[-_.\w]+$/.test(text),
    (text) => `invalid bridge ID '${text}'\n`,
  ),
  "pve-vlan-id-or-range": vlanIdOrRange,
  "lxc-ip-with-ll-iface": when(isAddressWithInterface, looksLike("IP address")),
  "pve-storage-server": when(
    (text) => isAddress(text) || isName(text),
    looksLike("server name or IP address"),
  ),
  "pve-storage-portal-dns": when(isHostAndPort, looksLike("portal address")),
};
