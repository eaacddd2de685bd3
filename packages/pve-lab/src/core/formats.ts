import { isIP, isIPv4, isIPv6 } from "node:net";
import { FIREWALL_FORMATS } from "./firewall-formats.ts";
import { isPrivilege } from "./privileges.ts";
import { splitList } from "./lists.ts";

/** Checks one text; returns PVE's complaint (what follows `invalid format - `) or nothing. */
export type Format = (text: string) => string | undefined;

const matching =
  (pattern: RegExp, complaint: (text: string) => string): Format =>
  (text) =>
    pattern.test(text) ? undefined : complaint(text);

const looksLike = (what: string) => () => `value does not look like a valid ${what}\n`;
const illegal = (what: string) => (text: string) => `${what} name '${text}' contains invalid characters\n`;

const LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const DNS_NAME = new RegExp(`^(?:${LABEL}\\.)*${LABEL}$`);
const STORAGE_CONTENT = new Set([
  "images",
  "rootdir",
  "vztmpl",
  "iso",
  "backup",
  "snippets",
  "import",
  "none",
]);
const TASK_STATUS = new Set(["ok", "error", "warning", "unknown"]);

function isNetwork(text: string, family: (address: string) => boolean, bits: number, least = 0): boolean {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  return (
    match?.[1] !== undefined && family(match[1]) && Number(match[2]) <= bits && Number(match[2]) >= least
  );
}
const isNetworkV4 = (text: string): boolean => isNetwork(text, isIPv4, 32, 1);
const isNetworkV6 = (text: string): boolean => isNetwork(text, isIPv6, 128, 1);

const when =
  (test: (text: string) => boolean, complaint: (text: string) => string): Format =>
  (text) =>
    test(text) ? undefined : complaint(text);

function userId(text: string): string | undefined {
  if (text.length < 3) return `user name '${text}' is too short\n`;
  if (text.length > 64) return `user name '${text}' is too long (${text.length} > 64)\n`;
  return /^[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+$/.test(text)
    ? undefined
    : `value '${text}' does not look like a valid user name\n`;
}

const PRUNE =
  /^keep-(?:all=(?:0|1|on|off|yes|no|true|false)|(?:last|hourly|daily|weekly|monthly|yearly)=\d+)$/i;

const FORMATS: Readonly<Record<string, Format>> = {
  ...FIREWALL_FORMATS,
  "pve-configid": matching(/^[a-z][a-z0-9_-]+$/i, (text) => `invalid configuration ID '${text}'\n`),
  "pve-storage-id": matching(
    /^[a-z][a-z0-9\-_.]*[a-z0-9]$/i,
    (text) => `storage ID '${text}' contains illegal characters\n`,
  ),
  "pve-node": matching(new RegExp(`^${LABEL}$`), looksLike("node name")),
  "pve-vmid": matching(/^[1-9][0-9]{2,8}$/, looksLike("VM ID")),
  "pve-userid": userId,
  "pve-tokenid": matching(
    /^[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+![A-Za-z][A-Za-z0-9.\-_]+$/,
    (text) => `value '${text}' does not look like a valid token ID\n`,
  ),
  "pve-groupid": matching(/^[A-Za-z0-9.\-_]+$/, illegal("group")),
  "pve-roleid": matching(/^[A-Za-z0-9.\-_]+$/, illegal("role")),
  "pve-poolid": matching(/^[A-Za-z0-9.\-_]+(?:\/[A-Za-z0-9.\-_]+){0,2}$/, illegal("pool")),
  "pve-priv": when(isPrivilege, (text) => `invalid privilege '${text}'\n`),
  "pve-realm": matching(/^[A-Za-z][A-Za-z0-9.\-_]+$/, looksLike("realm")),
  "dns-name": matching(DNS_NAME, looksLike("DNS name")),
  ip: when((text) => isIP(text) !== 0, looksLike("IP address")),
  ipv4: when(isIPv4, looksLike("IPv4 address")),
  ipv6: when(isIPv6, looksLike("IPv6 address")),
  address: when(
    (text) => isIP(text) !== 0 || DNS_NAME.test(text),
    (text) => `value does not look like a valid address: ${text}\n`,
  ),
  CIDRv4: when(isNetworkV4, looksLike("IPv4 network")),
  CIDRv6: when(isNetworkV6, looksLike("IPv6 network")),
  CIDR: when((text) => isNetworkV4(text) || isNetworkV6(text), looksLike("CIDR network")),
  "pve-ipv4-config": when(
    (text) => text === "dhcp" || text === "manual" || isNetworkV4(text),
    looksLike("ipv4 network configuration"),
  ),
  "pve-ipv6-config": when(
    (text) => text === "auto" || text === "dhcp" || text === "manual" || isNetworkV6(text),
    looksLike("ipv6 network configuration"),
  ),
  "mac-addr": matching(/^[a-f0-9][02468ace](?::[a-f0-9]{2}){5}$/i, looksLike("unicast MAC address")),
  "pve-volume-id": matching(
    /^[a-z][a-z0-9\-_.]*[a-z0-9]:.+$/i,
    (text) => `unable to parse volume ID '${text}'\n`,
  ),
  "pve-lxc-mp-string": when(
    (text) => !/\/\.\.?(?:\/|$)/.test(text),
    (text) => `${text} contains illegal character sequences\n`,
  ),
  "pve-lxc-dev-string": when(
    (text) => text.startsWith("/dev/") && !/\/\.\.?(?:\/|$)/.test(text),
    (text) => `${text} is not a valid device path\n`,
  ),
  "pve-startup-order": matching(
    /^(?:(?:order=)?\d+|(?:up|down)=\d+)(?:,(?:(?:order=)?\d+|(?:up|down)=\d+))*$/,
    () => "unable to parse startup options\n",
  ),
  "pve-tag": matching(/^[a-z0-9_][a-z0-9_\-+.]*$/i, () => "invalid characters in tag\n"),
  "disk-size": matching(
    /^\d+(?:\.\d+)?[KMGT]?$/,
    (text) => `value does not look like a valid disk size: ${text}\n`,
  ),
  "pve-iface": when(
    (text) => text.length >= 2 && text.length <= 20 && /^[a-z][a-z0-9_]{1,20}(?:[:.]\d+)?$/i.test(text),
    (text) => `invalid network interface name '${text}'\n`,
  ),
  "pve-bridge-id": matching(/^[-_.\w\d]+$/, (text) => `invalid bridge ID '${text}'\n`),
  "pve-vlan-id-or-range": when(
    (text) => {
      const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
      const valid = (id: string | undefined): boolean => Number(id) >= 2 && Number(id) <= 4094;
      return valid(first) && (last === undefined || (valid(last) && Number(first) < Number(last)));
    },
    (text) => `invalid VLAN configuration '${text}'\n`,
  ),
  ipv4mask: matching(
    /^(?:(?:255|254|252|248|240|224|192|128|0)\.){3}(?:255|254|252|248|240|224|192|128|0)$|^\d{1,2}$/,
    looksLike("IP netmask"),
  ),
  "pve-storage-server": when(
    (text) => isIP(text) !== 0 || DNS_NAME.test(text),
    looksLike("server name or IP address"),
  ),
  "prune-backups": when(
    (text) => text.split(",").every((part) => PRUNE.test(part)),
    () => "format error\n",
  ),
  "lxc-ip-with-ll-iface": when(
    (text) => isIP(text.replace(/^(fe80:[^%]*)%.+$/i, "$1")) !== 0,
    looksLike("IP address"),
  ),
  "pve-storage-path": matching(/^\/./, looksLike("path")),
  "pve-storage-content": when(
    (text) => STORAGE_CONTENT.has(text),
    (text) => `invalid content type '${text}'\n`,
  ),
  "pve-task-status-type": when(
    (text) => TASK_STATUS.has(text),
    (text) => `unknown task state '${text}'\n`,
  ),
  email: matching(
    /^[\w+\-~]+(?:\.[\w+\-~]+)*@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*$/,
    looksLike("email address"),
  ),
  "pve-ct-timezone": matching(
    /^(?:host|[\w\-+]+(?:\/[\w\-+]+)*)$/,
    (text) => `invalid time zone '${text}'\n`,
  ),
  urlencoded: matching(
    /^[-%a-zA-Z0-9_.!~*'()]*$/,
    (text) => `value is not a valid URL encoded string: ${text}\n`,
  ),
};

/** Names of the formats that are really checked; the rest of PVE's formats are taken as they come. */
export function isKnownFormat(name: string): boolean {
  return name.replace(/-(?:list|opt)$/, "") in FORMATS;
}

/** PVE's complaint about `text` as a value of the named format, or nothing. */
export function checkFormat(name: string, text: string): string | undefined {
  if (name in FORMATS) return FORMATS[name]?.(text);
  if (name.endsWith("-list")) {
    for (const part of splitList(text)) {
      const complaint = FORMATS[name.slice(0, -5)]?.(part);
      if (complaint !== undefined) return complaint;
    }
    return undefined;
  }
  if (name.endsWith("-opt")) return text === "" ? undefined : FORMATS[name.slice(0, -4)]?.(text);
  return undefined;
}
