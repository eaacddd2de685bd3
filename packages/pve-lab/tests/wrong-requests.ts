/**
 * Wrong requests, made from the API description, each with what PVE answers. The texts are those of
 * PVE::JSONSchema (pve-common 8.3.1) and of the files that register formats; nothing here comes from the lab.
 */
import type { Property } from "../src/core/property.ts";

type Properties = Readonly<Record<string, Property>>;

export interface WrongRequest {
  readonly what: string;
  /** Parameters, path variables included. */
  readonly values: Record<string, string | string[]>;
  readonly errors: Record<string, string>;
}

const LOOKS = "value does not look like a valid";
const named = (what: string): [string, string, string] => [
  "ops",
  "a!b",
  `${what} name 'a!b' contains invalid characters\n`,
];

/** By name of a format: a good value, a bad one, and what PVE says about the bad one. */
const FORMATS: Readonly<Record<string, readonly [good: string, bad: string, says: string]>> = {
  CIDRv4: ["10.0.0.1/24", "10.0.0.1/7", `${LOOKS} IPv4 CIDR network\n`],
  CIDRv6: ["fd00::1/64", "10.0.0.1/24", `${LOOKS} IPv6 CIDR network\n`],
  IPorCIDR: ["10.0.0.0/24", "somewhere", `${LOOKS} IP address or CIDR network\n`],
  IPorCIDRorAlias: ["10.0.0.0/24", "!", `${LOOKS} IP address or CIDR network\n`],
  address: ["10.0.0.1", "a!b", `${LOOKS} address: a!b\n`],
  "dns-name": ["a.example", "a!b", `${LOOKS} DNS name\n`],
  "disk-size": ["8G", "8X", `${LOOKS} disk size: 8X\n`],
  email: ["a@b.example", "a@", `${LOOKS} email address\n`],
  ip: ["10.0.0.1", "10.0.0", `${LOOKS} IP address\n`],
  ipv4: ["10.0.0.1", "fd00::1", `${LOOKS} IPv4 address\n`],
  ipv4mask: ["255.255.255.0", "255.0.255.0", `${LOOKS} IP netmask\n`],
  ipv6: ["fd00::1", "10.0.0.1", `${LOOKS} IPv6 address\n`],
  "lxc-ip-with-ll-iface": ["10.0.0.1", "nowhere", `${LOOKS} IP address\n`],
  "mac-addr": ["BC:24:11:00:00:01", "01:00:00:00:00:01", `${LOOKS} unicast MAC address\n`],
  "prune-backups": [
    "keep-last=1",
    "keep-all=1,keep-last=1",
    "keep-all cannot be set together with other options.\n",
  ],
  "pve-bridge-id": ["vmbr0", "vm!br0", "invalid bridge ID 'vm!br0'\n"],
  "pve-configid": ["net1", "9x", "invalid configuration ID '9x'\n"],
  "pve-ct-timezone": ["host", "No Where", "invalid time zone 'No Where'\n"],
  "pve-dir-override": ["iso=a/b", "iso=..", "invalid override 'iso=..'\n"],
  "pve-fw-addr-spec": ["10.0.0.1", "10.0.0.1,", "extraneous commas in list\n"],
  "pve-fw-dport-spec": ["80", "80,", "extraneous commas in list\n"],
  "pve-fw-sport-spec": ["80", "65536", "invalid port '65536'\n"],
  "pve-fw-protocol-spec": ["tcp", "carrier-pigeon", "unknown protocol 'carrier-pigeon'\n"],
  "pve-fw-icmp-type-spec": ["any", "no!", "unknown icmp-type 'no!'\n"],
  "pve-groupid": named("group"),
  "pve-iface": ["vmbr1", "1a", "invalid network interface name '1a'\n"],
  "pve-ipv4-config": ["dhcp", "10.0.0.1", `${LOOKS} ipv4 network configuration\n`],
  "pve-ipv6-config": ["auto", "fd00::1", `${LOOKS} ipv6 network configuration\n`],
  "pve-lxc-dev-string": ["/dev/fuse", "/etc/fuse", "/etc/fuse is not a valid device path\n"],
  "pve-lxc-mp-string": ["/data", "/a/../b", "/a/../b contains illegal character sequences\n"],
  "pve-node": ["pve", "a!b", `${LOOKS} node name\n`],
  "pve-poolid": named("pool"),
  "pve-priv": ["VM.Audit", "VM.Fly", "invalid privilege 'VM.Fly'\n"],
  "pve-realm": ["pve", "9x", `${LOOKS} realm\n`],
  "pve-roleid": named("role"),
  "pve-startup-order": ["order=1", "soon", "unable to parse startup options\n"],
  "pve-storage-content": ["iso", "music", "invalid content type 'music'\n"],
  "pve-storage-id": ["local", "9x", "storage ID '9x' contains illegal characters\n"],
  "pve-storage-options": ["vers=4", "a b", "invalid options 'a b'\n"],
  "pve-storage-path": ["/srv", "srv", `${LOOKS} absolute path\n`],
  "pve-storage-portal-dns": ["nas:3260", "a_b", `${LOOKS} portal address\n`],
  "pve-storage-server": ["nas.example", "a_b", `${LOOKS} server name or IP address\n`],
  "pve-storage-vgname": ["pve", "-pve", "lvm name '-pve' contains illegal characters\n"],
  "pve-tag": ["web", "-web", "invalid characters in tag\n"],
  "pve-task-status-type": ["ok", "fine", "invalid status 'fine'\n"],
  "pve-tokenid": ["a@pve!t", "a@pve", "value 'a@pve' does not look like a valid token ID\n"],
  "pve-userid": ["ada@pve", "ada", "value 'ada' does not look like a valid user name\n"],
  "pve-vlan-id-or-range": ["2-10", "10-2", "VLAN range must go from lower to higher tag '10-2'\n"],
  "pve-vmid": ["900", "0900", `${LOOKS} VM ID\n`],
  "pve-volume-id": ["local:iso/a.iso", "a.iso", "unable to parse volume ID 'a.iso'\n"],
  urlencoded: ["a%20b", "a b", "invalid urlencoded string: a b\n"],
};

/** Values that fit, where the description alone does not tell. */
const FITTING: Readonly<Record<string, string>> = {
  upid: "UPID:pve:00001234:00000063:6B000000:vzcreate:900:root@pam:",
  "ssh-public-keys": "ssh-ed25519 AAAA a",
};

const baseFormat = (format: string): string => format.replace(/-(?:list|opt)$/, "");
const matches = (pattern: string, text: string): boolean => new RegExp(`^(?:${pattern})$`).test(text);
const CANDIDATES = [
  "a",
  "1",
  "ab",
  "abcdefgh",
  "0644",
  "a1b2",
  "10:00",
  "2026",
  "a=b",
  "/a",
  "sha256",
  "https://h/a",
  "!",
  "a b",
  "\u0001",
];

/** A value that PVE takes. @throws Error when none is known */
function fitting(name: string, property: Property): string {
  const { type, format, enum: words, pattern, minimum, maximum, minLength = 0 } = property;
  const known = FITTING[name];
  if (known !== undefined) return known;
  if (words) return words[0] ?? "";
  if (type === "boolean") return "1";
  if (type === "integer" || type === "number")
    return String(Math.max(minimum ?? 1, Math.min(1, maximum ?? 1)));
  if (typeof format === "string") {
    const entry = FORMATS[baseFormat(format)];
    if (!entry) throw new Error(`no example of the format ${format} (${name})`);
    return entry[0];
  }
  if (typeof format === "object") return propertyString(format);
  if (pattern === undefined) return "a".repeat(Math.max(minLength, 3));
  const found = CANDIDATES.find((text) => matches(pattern, text) && text.length >= minLength);
  if (found === undefined) throw new Error(`no example of the pattern ${pattern} (${name})`);
  return found;
}

const propertyString = (keys: Properties): string =>
  Object.entries(keys)
    .filter(([, key]) => !key.optional && key.alias === undefined)
    .map(([key, property]) => `${key}=${fitting(key, property)}`)
    .join(",");

type Fault = readonly [what: string, value: string | string[], says: string];

function typeFaults({ type }: Property): Fault[] {
  const wrong = (text: string): Fault => [
    `'${text}' for a ${type ?? ""}`,
    text,
    `type check ('${type ?? ""}') failed - got '${text}'`,
  ];
  if (type === "boolean") return ["yes", "2", "true", ""].map(wrong);
  if (type === "integer") return ["many", "1.5", " 1", "0x10", ""].map(wrong);
  return type === "number" ? ["many", "1,5", " 1", ""].map(wrong) : [];
}

function rangeFaults({ type, minimum, maximum, format }: Property): Fault[] {
  if ((type !== "integer" && type !== "number") || format !== undefined) return [];
  return [
    ...(minimum === undefined
      ? []
      : [["too little", String(minimum - 1), `value must have a minimum value of ${minimum}`] as const]),
    ...(maximum === undefined
      ? []
      : [["too much", String(maximum + 1), `value must have a maximum value of ${maximum}`] as const]),
  ];
}

function textFaults({ type, format, enum: words, pattern, minLength = 0, maxLength }: Property): Fault[] {
  if (type !== "string" && type !== undefined) return [];
  const isList = typeof format === "string" && format.endsWith("-list");
  const faults: Fault[] =
    isList || type === undefined ? [] : [["twice", ["a", "b"], "type check ('string') failed - got ARRAY"]];
  if (words && format === undefined)
    faults.push([
      "an unknown word",
      "no-such-word",
      `value 'no-such-word' does not have a value in the enumeration '${words.join(", ")}'`,
    ]);
  if (pattern !== undefined && format === undefined) {
    const bad = CANDIDATES.toReversed().find((text) => !matches(pattern, text));
    if (bad !== undefined)
      faults.push(["against the pattern", bad, "value does not match the regex pattern"]);
  }
  if (format === undefined && pattern === undefined && !words) {
    if (maxLength !== undefined)
      faults.push(["too long", "a".repeat(maxLength + 1), `value may only be ${maxLength} characters long`]);
    if (minLength > 0)
      faults.push([
        "too short",
        "a".repeat(minLength - 1),
        `value must be at least ${minLength} characters long`,
      ]);
  }
  return faults;
}

const UNKNOWN = "property is not defined in schema and the schema does not allow additional properties";

/** Faults inside a property string: the other keys that it needs are there. */
function insideFaults(name: string, keys: Properties): Fault[] {
  const others = (but: string): string[] => {
    const text = propertyString(Object.fromEntries(Object.entries(keys).filter(([key]) => key !== but)));
    return text === "" ? [] : [text];
  };
  const fault = (key: string, what: string, value: string, says: string): Fault => [
    `${key}: ${what}`,
    [...others(key), `${key}=${value}`].join(","),
    `invalid format - format error\n${name}.${key}: ${says}\n`,
  ];
  return [
    fault("no-such", "an unknown key", "1", UNKNOWN),
    ...Object.entries(keys).flatMap(([key, property]) =>
      faultsOf(key, property)
        // Flags have more spellings here, and nothing is empty or holds a comma.
        .filter(
          ([, value]) => typeof value === "string" && /^[^,]+$/.test(value) && !/^(?:yes|true)$/.test(value),
        )
        .map(([what, value, says]) => fault(key, what, String(value), says)),
    ),
  ];
}

function formatFaults(name: string, { format }: Property): Fault[] {
  const invalid = (what: string, value: string, says: string): Fault => [
    what,
    value,
    `invalid format - ${says}`,
  ];
  if (format === undefined) return [];
  if (typeof format === "string") {
    const entry = FORMATS[baseFormat(format)];
    if (!entry) throw new Error(`no wrong example of the format ${format}`);
    const [, bad, says] = entry;
    return [invalid("against the format", bad, says)];
  }
  const hasDefault = Object.values(format).some((key) => key.default_key);
  const noDefault = "value without key, but schema does not define a default key\n";
  return [
    ...insideFaults(name, format),
    invalid("an empty key", "x=", "missing key in comma-separated list property\n"),
    ...(hasDefault ? [] : [invalid("no key", "word", noDefault)]),
  ];
}

/** What a parameter's description refuses, one fault at a time. */
function faultsOf(name: string, property: Property): Fault[] {
  if (property.type === "array") return [];
  return [
    ...typeFaults(property),
    ...formatFaults(name, property),
    ...rangeFaults(property),
    ...textFaults(property),
  ];
}

/** What a request must have: `variables` are the names in the route's path. */
export function fittingRequest(properties: Properties, variables: readonly string[]): Record<string, string> {
  const needed = Object.entries(properties).filter(
    ([name, property]) => variables.includes(name) || (!property.optional && !name.endsWith("[n]")),
  );
  const values = Object.fromEntries(needed.map(([name, property]) => [name, fitting(name, property)]));
  return { ...values, ...(variables.includes("node") ? { node: "pve" } : {}) };
}

/** Every wrong request to one route. */
export function wrongRequests(properties: Properties, variables: readonly string[]): WrongRequest[] {
  const first = (name: string): string => name.replace("[n]", "0");
  const base = fittingRequest(properties, variables);
  const needed = Object.keys(base).filter((name) => name in properties);
  const requests: WrongRequest[] = [
    {
      what: "an unknown parameter",
      values: { ...base, "no-such-parameter": "1" },
      errors: {
        "no-such-parameter": UNKNOWN,
      },
    },
  ];
  for (const name of needed) {
    if (variables.includes(name)) continue;
    const values = Object.fromEntries(Object.entries(base).filter(([other]) => other !== name));
    requests.push({
      what: `no ${name}`,
      values,
      errors: { [name]: "property is missing and it is not optional" },
    });
  }
  for (const [name, property] of Object.entries(properties)) {
    if (name === "node" && variables.includes(name)) continue;
    const wanted = property.requires;
    const companion = wanted === undefined ? {} : { [wanted]: fitting(wanted, properties[wanted] ?? {}) };
    for (const [what, value, says] of faultsOf(first(name), property)) {
      // A path's own part cannot be empty, come twice or hold what ends it.
      if (variables.includes(name) && (typeof value !== "string" || !/^[^\s/]+$/.test(value))) continue;
      requests.push({
        what: `${name}: ${what}`,
        values: { ...base, ...companion, [first(name)]: value },
        errors: { [first(name)]: says },
      });
    }
  }
  return requests;
}
