/** Reads and writes a guest's firewall file (`/etc/pve/firewall/<vmid>.fw`) in Proxmox VE's format. */

export interface Rule {
  type: string;
  action: string;
  enable: boolean;
  macro?: string;
  comment?: string;
  /** Options by their name in the API: iface, source, dest, proto, dport, sport, log, icmp-type. */
  options: Record<string, string>;
}

/** A name for an address or a network. */
export interface Alias {
  name: string;
  cidr: string;
  comment?: string;
}

/** An address, a network or an alias in a set. */
export interface IpSetEntry {
  cidr: string;
  nomatch?: boolean;
  comment?: string;
}

export interface IpSet {
  comment?: string;
  entries: IpSetEntry[];
}

export interface FirewallFile {
  options: Record<string, string>;
  rules: Rule[];
  /** By name in lower case. */
  aliases: Map<string, Alias>;
  ipsets: Map<string, IpSet>;
  /** Sections that the lab does not know, kept as they are. */
  rest: string;
}

/** Option letters of the file by the API's names. */
const LETTERS: Readonly<Record<string, string>> = {
  iface: "i",
  source: "source",
  dest: "dest",
  proto: "p",
  dport: "dport",
  sport: "sport",
  log: "log",
  "icmp-type": "icmp-type",
};
export const RULE_OPTIONS: readonly string[] = Object.keys(LETTERS);

function parseRule(line: string): Rule | undefined {
  const [, off, type, verdict, rest = ""] = /^(\|)?\s*(IN|OUT|FORWARD|GROUP)\s+(\S+)(.*)$/i.exec(line) ?? [];
  if (type === undefined || verdict === undefined) return undefined;
  const hash = rest.indexOf("#");
  const comment = hash < 0 ? "" : rest.slice(hash + 1).trim();
  const [, macro, action] = /^(\w+)\((\w+)\)$/.exec(verdict) ?? [];
  const options: Record<string, string> = {};
  for (const [, letter, value] of (hash < 0 ? rest : rest.slice(0, hash)).matchAll(/-{1,2}(\S+)\s+(\S+)/g)) {
    const name = RULE_OPTIONS.find((key) => LETTERS[key] === letter);
    if (name !== undefined && value !== undefined) options[name] = value;
  }
  return {
    type: type.toLowerCase(),
    action: action ?? verdict,
    enable: off === undefined,
    ...(macro === undefined ? {} : { macro }),
    ...(comment === "" ? {} : { comment }),
    options,
  };
}

/** Takes the comment off the end of a line. */
function splitComment(line: string): { text: string; comment: { comment?: string } } {
  const [, text = line, comment] = /^(.*?)\s*#\s*(.*?)\s*$/.exec(line) ?? [];
  return { text: text.trim(), comment: comment === undefined || comment === "" ? {} : { comment } };
}

function parseIpSetEntry(line: string): IpSetEntry {
  const { text, comment } = splitComment(line);
  const cidr = text.replace(/^!\s*/, "");
  return { cidr, ...(cidr === text ? {} : { nomatch: true }), ...comment };
}

/** What a line means in each section; the section's word after its kind names an IP set. */
function parseLine(file: FirewallFile, section: string, name: string, line: string): void {
  if (section === "OPTIONS") {
    const [, key, value] = /^(\S+):\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) file.options[key] = value;
  } else if (section === "RULES") {
    const rule = parseRule(line);
    if (rule) file.rules.push(rule);
  } else if (section === "ALIASES") {
    const { text, comment } = splitComment(line);
    const [, alias, cidr] = /^(\S+)\s+(\S+)$/.exec(text) ?? [];
    if (alias !== undefined && cidr !== undefined)
      file.aliases.set(alias.toLowerCase(), { name: alias, cidr, ...comment });
  } else if (section === "IPSET") file.ipsets.get(name)?.entries.push(parseIpSetEntry(line));
  else file.rest += `${line}\n`;
}

export function parseFirewall(text: string): FirewallFile {
  const file: FirewallFile = { options: {}, rules: [], aliases: new Map(), ipsets: new Map(), rest: "" };
  let section = "";
  let name = "";
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line === "") continue;
    const head = /^\[(\S+)(?:\s+(\S+))?\s*\]/.exec(line);
    if (head?.[1] === undefined) {
      parseLine(file, section, name, line);
      continue;
    }
    section = head[1].toUpperCase();
    name = head[2] ?? "";
    if (section === "IPSET") file.ipsets.set(name, { entries: [], ...splitComment(line).comment });
    else if (!["OPTIONS", "RULES", "ALIASES"].includes(section)) file.rest += `${line}\n`;
  }
  return file;
}

const note = ({ comment }: { comment?: string }): string =>
  comment === undefined ? "" : ` # ${comment.replaceAll("\n", " ")}`;

function formatRule(rule: Rule): string {
  const { type, action, enable, macro, options } = rule;
  const verdict = macro === undefined ? action : `${macro}(${action})`;
  const words = Object.entries(options).map(([key, value]) => ` -${LETTERS[key] ?? key} ${value}`);
  return `${enable ? "" : "|"}${type.toUpperCase()} ${verdict}${words.join("")}${note(rule)}\n`;
}

function formatIpSet([name, set]: [string, IpSet]): string {
  const lines = set.entries.map((entry) => `${entry.nomatch ? "!" : ""}${entry.cidr}${note(entry)}\n`);
  return `[IPSET ${name}]${note(set)}\n\n${lines.join("")}`;
}

export function formatFirewall({ options, rules, aliases, ipsets, rest }: FirewallFile): string {
  const settings = Object.entries(options).map(([key, value]) => `${key}: ${value}\n`);
  const names = [...aliases.values()].map((alias) => `${alias.name} ${alias.cidr}${note(alias)}\n`);
  const parts = [
    ...(settings.length > 0 ? [`[OPTIONS]\n\n${settings.join("")}`] : []),
    ...(names.length > 0 ? [`[ALIASES]\n\n${names.join("")}`] : []),
    ...[...ipsets].sort(([a], [b]) => (a < b ? -1 : 1)).map(formatIpSet),
    ...(rest === "" ? [] : [rest]),
    ...(rules.length > 0 ? [`[RULES]\n\n${rules.map(formatRule).join("")}`] : []),
  ];
  return parts.map((part) => `${part}\n`).join("");
}
