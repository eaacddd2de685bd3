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

export interface FirewallFile {
  options: Record<string, string>;
  rules: Rule[];
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

export function parseFirewall(text: string): FirewallFile {
  const file: FirewallFile = { options: {}, rules: [], rest: "" };
  let section = "";
  for (const line of text.split("\n")) {
    const head = /^\[(\S+)(?:\s.*)?\]/.exec(line.trim())?.[1];
    if (head !== undefined) section = head.toUpperCase();
    if (section === "OPTIONS" && head === undefined) {
      const [, key, value] = /^(\S+):\s*(.*)$/.exec(line.trim()) ?? [];
      if (key !== undefined && value !== undefined) file.options[key] = value;
    } else if (section === "RULES" && head === undefined) {
      const rule = parseRule(line.trim());
      if (rule) file.rules.push(rule);
    } else if (section !== "OPTIONS" && section !== "RULES" && line.trim() !== "") file.rest += `${line}\n`;
  }
  return file;
}

function formatRule({ type, action, enable, macro, comment, options }: Rule): string {
  const verdict = macro === undefined ? action : `${macro}(${action})`;
  const words = Object.entries(options).map(([key, value]) => ` -${LETTERS[key] ?? key} ${value}`);
  const note = comment === undefined ? "" : ` # ${comment.replaceAll("\n", " ")}`;
  return `${enable ? "" : "|"}${type.toUpperCase()} ${verdict}${words.join("")}${note}\n`;
}

export function formatFirewall({ options, rules, rest }: FirewallFile): string {
  const settings = Object.entries(options).map(([key, value]) => `${key}: ${value}\n`);
  const parts = [
    ...(settings.length > 0 ? [`[OPTIONS]\n\n${settings.join("")}`] : []),
    ...(rest === "" ? [] : [rest]),
    ...(rules.length > 0 ? [`[RULES]\n\n${rules.map(formatRule).join("")}`] : []),
  ];
  return parts.map((part) => `${part}\n`).join("");
}
