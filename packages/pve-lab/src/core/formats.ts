import { readTextOr } from "./files.ts";
import { FIREWALL_FORMATS } from "./firewall-formats.ts";
import { isPrivilege } from "./privileges.ts";
import { splitList } from "./lists.ts";
import { NETWORK_FORMATS, NODE_NAME } from "./network-formats.ts";

/** Checks one text; returns PVE's complaint (what follows `invalid format - `) or nothing. */
export type Format = (text: string) => string | undefined;

const matching =
  (pattern: RegExp, complaint: (text: string) => string): Format =>
  (text) =>
    pattern.test(text) ? undefined : complaint(text);

const looksLike = (what: string) => () => `value does not look like a valid ${what}\n`;
const illegal = (what: string) => (text: string) => `${what} name '${text}' contains invalid characters\n`;

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

function poolId(text: string): string | undefined {
  if (text.split("/").length > 3) return `pool name '${text}' nested too deeply (max levels = 3)\n`;
  return /^[A-Za-z0-9.\-_]+(?:\/[A-Za-z0-9.\-_]+){0,2}$/.test(text) ? undefined : illegal("pool")(text);
}

function startupOrder(text: string): string | undefined {
  const parts = text.split(",").filter((part) => part.trim() !== "");
  const good = parts.every((part) => /^(?:(?:order=)?\d+|(?:up|down)=\d+)$/.test(part));
  return good && text !== "" && text !== "0" ? undefined : "unable to parse startup options\n";
}

/** `backup=some/folder`: where a storage keeps one kind of content. */
function directoryOverride(text: string): string | undefined {
  const [, content, path = ""] = /^([a-z]+)=(.+)$/s.exec(text) ?? [];
  const plain = !path.includes("..") && !path.endsWith(".");
  const fits = path.length < 1023 && path.split("/").every((part) => part.length < 255);
  if (content === undefined || !plain) return `invalid override '${text}'\n`;
  if (!STORAGE_CONTENT.has(content)) return `invalid content type '${content}'\n`;
  return fits ? undefined : `invalid override '${text}'\n`;
}

let zones: ReadonlySet<string> | undefined;

/** PVE looks into the list of the package tzdata; where that is not installed, the runtime's own list serves. */
function isTimeZone(text: string): boolean {
  if (text === "host" || text === "UTC") return true;
  const lines = zones ? [] : readTextOr("/usr/share/zoneinfo/zone.tab", "").split("\n");
  const listed = lines.filter((line) => /^[^#]/.test(line)).map((line) => line.split("\t")[2] ?? "");
  zones ??= new Set(listed.length > 0 ? listed : Intl.supportedValuesOf("timeZone"));
  return zones.has(text);
}

const hasDots = (text: string): boolean => /\/\.\.?(?:\/|$)/.test(text);

const FORMATS: Readonly<Record<string, Format>> = {
  ...FIREWALL_FORMATS,
  ...NETWORK_FORMATS,
  // Registered so that `string-list` means something.
  string: () => undefined,
  "pve-configid": matching(/^[a-z][a-z0-9_-]+$/i, (text) => `invalid configuration ID '${text}'\n`),
  "pve-storage-id": matching(
    /^[a-z][a-z0-9\-_.]*[a-z0-9]$/i,
    (text) => `storage ID '${text}' contains illegal characters\n`,
  ),
  "pve-node": matching(NODE_NAME, looksLike("node name")),
  "pve-vmid": matching(/^[1-9][0-9]{2,8}$/, looksLike("VM ID")),
  "pve-userid": userId,
  "pve-tokenid": matching(
    /^[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+![A-Za-z][A-Za-z0-9.\-_]+$/,
    (text) => `value '${text}' does not look like a valid token ID\n`,
  ),
  "pve-groupid": matching(/^[A-Za-z0-9.\-_]+$/, illegal("group")),
  "pve-roleid": matching(/^[A-Za-z0-9.\-_]+$/, illegal("role")),
  "pve-poolid": poolId,
  "pve-priv": when(isPrivilege, (text) => `invalid privilege '${text}'\n`),
  "pve-realm": matching(/^[A-Za-z][A-Za-z0-9.\-_]+$/, looksLike("realm")),
  "pve-volume-id": matching(
    /^[a-z][a-z0-9\-_.]*[a-z0-9]:.+$/i,
    (text) => `unable to parse volume ID '${text}'\n`,
  ),
  "pve-lxc-mp-string": when(
    (text) => !hasDots(text) && !text.startsWith("../"),
    (text) => `${text} contains illegal character sequences\n`,
  ),
  "pve-lxc-dev-string": when(
    (text) => text.startsWith("/dev/") && !hasDots(text),
    (text) => `${text} is not a valid device path\n`,
  ),
  "pve-startup-order": startupOrder,
  "pve-tag": matching(/^[a-z0-9_][a-z0-9_\-+.]*$/i, () => "invalid characters in tag\n"),
  "disk-size": matching(
    /^\d+(?:\.\d+)?[KMGT]?$/,
    (text) => `value does not look like a valid disk size: ${text}\n`,
  ),
  "pve-storage-path": matching(/^\/[^;()]+/, looksLike("absolute path")),
  "pve-storage-vgname": matching(
    /^[a-z0-9][a-z0-9\-_.]*[a-z0-9]$/i,
    (text) => `lvm name '${text}' contains illegal characters\n`,
  ),
  "pve-storage-options": matching(/^\S+$/, (text) => `invalid options '${text}'\n`),
  "pve-dir-override": directoryOverride,
  "pve-storage-content": when(
    (text) => STORAGE_CONTENT.has(text),
    (text) => `invalid content type '${text}'\n`,
  ),
  "pve-task-status-type": matching(/^(?:ok|error|warning|unknown)$/i, (text) => `invalid status '${text}'\n`),
  email: matching(
    /^[\w+\-~]+(?:\.[\w+\-~]+)*@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*$/,
    looksLike("email address"),
  ),
  "pve-ct-timezone": when(isTimeZone, (text) => `invalid time zone '${text}'\n`),
  urlencoded: matching(/^[-%a-zA-Z0-9_.!~*'()]*$/, (text) => `invalid urlencoded string: ${text}\n`),
};

/** PVE's complaint about `text` as a value of the named format, or nothing. */
export function checkFormat(name: string, text: string): string | undefined {
  const [, base = name, kind] = /^(.*?)(?:-(list|opt))?$/.exec(name) ?? [];
  const check = FORMATS[base];
  if (!check) return `undefined format '${name}'\n`;
  if (kind === "list")
    return splitList(text)
      .map(check)
      .find((complaint) => complaint !== undefined);
  // Perl takes these two for nothing.
  if (kind === "opt" && (text === "" || text === "0")) return undefined;
  return check(text);
}
