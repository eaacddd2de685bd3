import { parseNetwork } from "./property-string.ts";

/** Texts that the node writes into a guest before each start, as Proxmox VE's setup for Debian does. */

const BEGIN = "# --- BEGIN PVE ---";
const END = "# --- END PVE ---";

/** Puts a block between PVE's marks; one that is there is replaced, else it comes first. An empty block goes. */
export function replaceBlock(text: string, block: string, atEnd = false): string {
  const start = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  const before = start >= 0 && end > start ? text.slice(0, start) : atEnd ? text : "";
  const after =
    start >= 0 && end > start ? text.slice(end + END.length).replace(/^\n/, "") : atEnd ? "" : text;
  if (block.trim() === "") return before + after;
  const gap = before === "" || before.endsWith("\n") ? before : `${before}\n`;
  return `${gap}${BEGIN}\n${block.replace(/\n*$/, "\n")}${END}\n${after}`;
}

type Values = Readonly<Record<string, string>>;

function networks(values: Values): Record<string, string>[] {
  return Object.keys(values)
    .filter((key) => /^net\d+$/.test(key))
    .sort((a, b) => Number(a.slice(3)) - Number(b.slice(3)))
    .map((key) => parseNetwork(values[key] ?? ""))
    .filter((network) => network["host-managed"] !== "1");
}

/** Address without prefix length of the first interface with a fixed one. */
export function primaryAddress(values: Values): string | undefined {
  for (const { ip } of networks(values)) if (ip && /^[0-9.]+\/\d+$/.test(ip)) return ip.split("/")[0];
  return undefined;
}

/** The block for /etc/hosts: the guest's own name. */
export function hostsBlock(vmid: number, values: Values): string {
  const name = values["hostname"] ?? `CT${vmid}`;
  const domain = values["searchdomain"]?.split(/[\s,]+/)[0];
  const full = name.includes(".") ? name : domain ? `${name}.${domain}` : name;
  const names = full === name && !name.includes(".") ? name : `${full} ${name.split(".")[0] ?? name}`;
  const address = primaryAddress(values);
  return address === undefined ? `127.0.1.1 ${names}\n` : `${address} ${names}\n`;
}

/** The block for /etc/resolv.conf: own servers, else the node's. */
export function resolvBlock(values: Values, nodeResolv: string): string {
  const of = (keyword: string) =>
    nodeResolv
      .split("\n")
      .flatMap((line) => (line.startsWith(`${keyword} `) ? [line.slice(keyword.length + 1).trim()] : []));
  const servers = values["nameserver"]?.split(/[\s,]+/).filter(Boolean) ?? of("nameserver");
  const search = values["searchdomain"] ?? of("search")[0] ?? of("domain")[0];
  const lines = search ? [`search ${search.split(/[\s,]+/).join(" ")}`] : [];
  return [...lines, ...servers.map((server) => `nameserver ${server}`)].map((line) => `${line}\n`).join("");
}

/** /etc/network/interfaces for ifupdown, for all interfaces of the guest. */
export function interfacesText(values: Values): string {
  let text = "auto lo\niface lo inet loopback\niface lo inet6 loopback\n";
  for (const { name = "", ip, gw, ip6, gw6 } of networks(values)) {
    text += `\nauto ${name}\n`;
    text += ifupdown(name, "inet", ip, gw);
    if (ip6) text += ifupdown(name, "inet6", ip6, gw6);
  }
  return text;
}

function ifupdown(
  name: string,
  family: string,
  address: string | undefined,
  gateway: string | undefined,
): string {
  if (address === "dhcp") return `iface ${name} ${family} dhcp\n`;
  if (address === "auto") return `iface ${name} ${family} auto\n`;
  if (!address || address === "manual") return `iface ${name} ${family} manual\n`;
  return `iface ${name} ${family} static\n\taddress ${address}\n${gateway ? `\tgateway ${gateway}\n` : ""}`;
}

/** A systemd-networkd file for one interface, for guests without ifupdown. */
export function networkdFiles(values: Values): Record<string, string> {
  const files: Record<string, string> = {};
  for (const { name = "", ip, gw, ip6, gw6 } of networks(values)) {
    const dhcp = ip === "dhcp" ? (ip6 === "dhcp" ? "yes" : "ipv4") : ip6 === "dhcp" ? "ipv6" : "no";
    let text = `[Match]\nName = ${name}\n\n[Network]\nDescription = Interface ${name} autoconfigured by PVE\n`;
    text += `DHCP = ${dhcp}\n`;
    for (const address of [ip, ip6]) if (address && /[.:]/.test(address)) text += `Address = ${address}\n`;
    for (const gateway of [gw, gw6]) if (gateway) text += `Gateway = ${gateway}\n`;
    text += `IPv6AcceptRA = ${ip6 === "auto" ? "true" : "false"}\n`;
    files[`${name}.network`] = text;
  }
  return files;
}
