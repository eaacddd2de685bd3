import { digestOf } from "../core/files.ts";

/** One section of a guest's file: option → text as it stands there; booleans are "0" and "1". */
export interface Section {
  values: Record<string, string>;
  /** Ends with a line feed when it came from a file, as Proxmox VE returns it. */
  description?: string;
  /** Raw `lxc.*` lines in order. */
  lxc: [string, string][];
}

/** /etc/pve/lxc/<vmid>.conf (format: PVE::LXC::Config, documented in pct.conf(5)). */
export interface GuestConfig extends Section {
  /** Options that wait for a restart; `delete` lists those to be removed. */
  pending: Section;
  snapshots: Record<string, Section>;
  /** SHA-1 of the text that was read; "" for a new configuration. */
  digest: string;
}

/** Takes an entry out, by a key that is known only at run time. */
export function drop(values: Readonly<Record<string, unknown>>, key: string): void {
  Reflect.deleteProperty(values, key);
}

export function emptySection(): Section {
  return { values: {}, lxc: [] };
}

export function emptyConfig(): GuestConfig {
  return { ...emptySection(), pending: emptySection(), snapshots: {}, digest: "" };
}

/** Percent-encodes what may not stand in a comment line: control characters, `:`, and everything beyond ASCII. */
export function encodeText(text: string): string {
  return text.replace(/[^\x20-\x39\x3b-\x7e]/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
}

export function decodeText(text: string): string {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const hex = text[i] === "%" ? /^[0-9a-f]{2}/i.exec(text.slice(i + 1, i + 3)) : null;
    if (hex) {
      bytes.push(Number.parseInt(hex[0], 16));
      i += 2;
    } else {
      const character = String.fromCodePoint(text.codePointAt(i) ?? 0);
      bytes.push(...Buffer.from(character));
      i += character.length - 1;
    }
  }
  return Buffer.from(bytes).toString("utf8");
}

const BOOLEANS = new Set(["console", "onboot", "protection", "template", "unprivileged", "debug"]);

function normalize(key: string, value: string): string {
  if (!BOOLEANS.has(key)) return value;
  if (/^(?:1|on|yes|true)$/i.test(value)) return "1";
  return /^(?:0|off|no|false)$/i.test(value) ? "0" : value;
}

/** Reads a guest's file. Lines that are no option are left out, as Proxmox VE does with a warning. */
export function parseConfig(text: string): GuestConfig {
  const config = { ...emptyConfig(), digest: digestOf(text) };
  let section: Section = config;
  let description = "";
  const close = () => {
    if (description !== "") section.description = description;
    description = "";
  };
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const head = /^\[(pve:pending|[a-z][a-z0-9_-]+)\]\s*$/i.exec(line);
    if (head?.[1] !== undefined) {
      close();
      const name = head[1];
      if (name.toLowerCase() === "pve:pending") section = config.pending;
      else section = config.snapshots[name] = emptySection();
      continue;
    }
    if (line.startsWith("#")) {
      description += `${decodeText(line.slice(1))}\n`;
      continue;
    }
    const raw = /^(lxc\.[a-z0-9_\-.]+)(?::|\s*=)\s*(.*?)\s*$/.exec(line);
    if (raw?.[1] !== undefined) {
      section.lxc.push([raw[1], raw[2] ?? ""]);
      continue;
    }
    const option = /^([a-z][a-z_]*\d*):\s*(.+?)\s*$/.exec(line);
    if (option?.[1] === undefined || option[2] === undefined) continue;
    if (option[1] === "description") description += decodeText(option[2]);
    else section.values[option[1]] = normalize(option[1], option[2]);
  }
  close();
  return config;
}

/** The file's text. @throws Error `detected invalid newline inside property 'x'` */
export function writeConfig(config: GuestConfig): string {
  let text = writeSection(config);
  if (Object.keys(config.pending.values).length > 0 || config.pending.description !== undefined)
    text += `\n[pve:pending]\n${writeSection(config.pending)}`;
  for (const name of Object.keys(config.snapshots).sort()) {
    const snapshot = config.snapshots[name];
    if (snapshot) text += `\n[${name}]\n${writeSection(snapshot)}`;
  }
  return text;
}

function writeSection({ values, description, lxc }: Section): string {
  const lines = (description ?? "").replace(/\n+$/, "").split("\n");
  let text = description ? lines.map((line) => `#${encodeText(line)}\n`).join("") : "";
  for (const key of Object.keys(values).sort()) {
    const value = values[key] ?? "";
    if (/[\n\r]/.test(value)) throw new Error(`detected invalid newline inside property '${key}'`);
    text += `${key}: ${value}\n`;
  }
  for (const [key, value] of lxc) text += `${key}: ${value}\n`;
  return text;
}
