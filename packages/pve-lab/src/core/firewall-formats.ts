/** Formats of firewall rules, as PVE::Firewall checks them (observed). Each returns PVE's complaint or nothing. */
import { isIP } from "node:net";

type Check = (text: string) => string | undefined;

const NAME = "[A-Za-z][A-Za-z0-9\\-_]+";
const ALIAS = new RegExp(`^(?:(?:dc|guest)/)?${NAME}$`);
const IPSET = new RegExp(`^\\+(?:(?:dc|guest|sdn)/)?${NAME}$`);
/** Names of /etc/protocols and /etc/services that rules use; numbers are always taken. */
const PROTOCOLS =
  /^(?:tcp|udp|udplite|icmp|igmp|ipv6-icmp|icmpv6|esp|ah|gre|ipip|sctp|dccp|ospf|vrrp|l2tp|ipencap|ipv6|\d{1,3})$/;
const SERVICES = new Set(
  "ftp-data ftp ssh telnet smtp time domain bootps bootpc tftp http www kerberos pop3 sunrpc auth ntp imap imap2 snmp ldap https submission ldaps imaps pop3s openvpn ms-sql-s mysql postgresql nfs rsync syslog git xmpp-client munin".split(
    " ",
  ),
);

function addressFamily(text: string): 4 | 6 | undefined {
  const [, address = "", bits, last] = /^([^/-]+)(?:\/(\d{1,3})|-([^/-]+))?$/.exec(text) ?? [];
  const family = isIP(address);
  if (family !== 4 && family !== 6) return undefined;
  if (bits !== undefined && Number(bits) > (family === 4 ? 32 : 128)) return undefined;
  return last === undefined || isIP(last) === family ? family : undefined;
}

function addressSpec(text: string): string | undefined {
  if (IPSET.test(text) || ALIAS.test(text)) return undefined;
  const parts = text.split(",");
  if (parts.includes("")) return "extraneous commas in list\n";
  const families = new Set<number>();
  for (const part of parts) {
    const family = addressFamily(part);
    if (family === undefined) return `invalid IP address: Cannot determine IP version for ${part}\n`;
    families.add(family);
  }
  if (families.size > 1) return `detected mixed ipv4/ipv6 addresses in address list '${text}'\n`;
  return parts.length > 1 && text.includes("-") ? "you can't use a range in a list\n" : undefined;
}

function portProblem(item: string): string | undefined {
  const range = /^(\d+)(?::(\d+))?$/.exec(item);
  if (!range) return SERVICES.has(item) ? undefined : `invalid port '${item}'\n`;
  const [, first, last] = range;
  for (const port of [first, last])
    if (port !== undefined && Number(port) > 65535) return `invalid port '${port}'\n`;
  return last !== undefined && Number(first) > Number(last)
    ? `backwards range '${item}' not allowed, did you mean '${last}:${first ?? ""}'?\n`
    : undefined;
}

function portSpec(text: string): string | undefined {
  const parts = text.split(",");
  if (parts.includes("")) return "extraneous commas in list\n";
  return parts.map(portProblem).find((problem) => problem !== undefined);
}

const single: Check = (text) =>
  addressFamily(text) !== undefined && !text.includes("-")
    ? undefined
    : "value does not look like a valid IP address or CIDR network\n";

/** An empty list has nothing wrong in it: so a client says that a rule has no such option. */
const orEmpty =
  (check: Check): Check =>
  (text) =>
    text === "" ? undefined : check(text);

export const FIREWALL_FORMATS: Readonly<Record<string, Check>> = {
  "pve-fw-addr-spec": orEmpty(addressSpec),
  "pve-fw-dport-spec": orEmpty(portSpec),
  "pve-fw-sport-spec": orEmpty(portSpec),
  "pve-fw-protocol-spec": orEmpty((text) =>
    PROTOCOLS.test(text) ? undefined : `unknown protocol '${text}'\n`,
  ),
  "pve-fw-icmp-type-spec": orEmpty((text) =>
    /^(?:\d{1,3}(?:\/\d{1,3})?|any|[a-z]+(?:-[a-z0-9]+)*)$/.test(text)
      ? undefined
      : `unknown icmp-type '${text}'\n`,
  ),
  IPorCIDR: single,
  IPorCIDRorAlias: (text) => (ALIAS.test(text) ? undefined : single(text)),
};
