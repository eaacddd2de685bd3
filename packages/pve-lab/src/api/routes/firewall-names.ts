/** Aliases and IP sets of a guest's firewall (PVE::API2::Firewall::Aliases and ::IPSet, observed). */
import { isIPv6 } from "node:net";
import { ApiError, type Context, type Parameters, type Route } from "../../core/route.ts";
import { asText } from "../../core/text.ts";
import type { Alias, FirewallFile, IpSet, IpSetEntry } from "../firewall-file.ts";
import { changeFirewall, invalid, readFirewall } from "../firewall-store.ts";

const commentOf = ({ comment }: Parameters): { comment?: string } =>
  comment === undefined || comment === "" ? {} : { comment: asText(comment) };

const nameOf = ({ name }: Parameters): string => asText(name);

function viewAlias(alias: Alias, digest?: string): Record<string, unknown> {
  const ipversion = isIPv6(alias.cidr.split("/")[0] ?? "") ? 6 : 4;
  return { ...alias, ipversion, ...(digest === undefined ? {} : { digest }) };
}

function requireAlias(file: FirewallFile, parameters: Parameters): Alias {
  const alias = file.aliases.get(nameOf(parameters).toLowerCase());
  if (!alias) throw invalid({ name: "no such alias" });
  return alias;
}

function refuseTakenAlias(file: FirewallFile, name: string): void {
  if (file.aliases.has(name.toLowerCase())) throw invalid({ name: `alias '${name}' already exists` });
}

function createAlias(context: Context): Promise<null> {
  const { parameters } = context;
  const name = nameOf(parameters);
  return changeFirewall(context, (file) => {
    refuseTakenAlias(file, name);
    const cidr = asText(parameters["cidr"]);
    file.aliases.set(name.toLowerCase(), { name, cidr, ...commentOf(parameters) });
  });
}

function updateAlias(context: Context): Promise<null> {
  const { parameters } = context;
  return changeFirewall(context, (file) => {
    const old = requireAlias(file, parameters);
    const name = asText(parameters["rename"] ?? old.name);
    if (name.toLowerCase() !== old.name.toLowerCase()) refuseTakenAlias(file, name);
    file.aliases.delete(old.name.toLowerCase());
    const cidr = asText(parameters["cidr"]);
    file.aliases.set(name.toLowerCase(), { name, cidr, ...commentOf(parameters) });
  });
}

function requireSet(file: FirewallFile, parameters: Parameters): IpSet {
  const set = file.ipsets.get(nameOf(parameters));
  if (!set) throw new ApiError(500, `no such IPSet '${nameOf(parameters)}'`);
  return set;
}

function createSet(context: Context): Promise<null> {
  const { parameters } = context;
  const name = nameOf(parameters);
  return changeFirewall(context, (file) => {
    const from = parameters["rename"] === undefined ? undefined : asText(parameters["rename"]);
    const old = from === undefined ? undefined : file.ipsets.get(from);
    if (from !== undefined && !old) throw invalid({ name: `IPSet '${from}' does not exist` });
    if (file.ipsets.has(name) && from !== name) throw invalid({ name: `IPSet '${name}' already exists` });
    if (from !== undefined) file.ipsets.delete(from);
    file.ipsets.set(name, { entries: old?.entries ?? [], ...commentOf(parameters) });
  });
}

function removeSet(context: Context): Promise<null> {
  const { parameters } = context;
  return changeFirewall(context, (file) => {
    const set = requireSet(file, parameters);
    if (set.entries.length > 0 && parameters["force"] !== true)
      throw new ApiError(500, `ipset '${nameOf(parameters)}' is not empty`);
    file.ipsets.delete(nameOf(parameters));
  });
}

const viewEntry = ({ nomatch, ...entry }: IpSetEntry, digest?: string): Record<string, unknown> => ({
  ...entry,
  ...(nomatch ? { nomatch: 1 } : {}),
  ...(digest === undefined ? {} : { digest }),
});

function requireEntry(file: FirewallFile, parameters: Parameters): IpSetEntry {
  const entry = requireSet(file, parameters).entries.find(({ cidr }) => cidr === parameters["cidr"]);
  if (!entry) throw invalid({ cidr: "no such IP/Network" });
  return entry;
}

const entryOf = (parameters: Parameters): IpSetEntry => ({
  cidr: asText(parameters["cidr"]),
  ...(parameters["nomatch"] === true ? { nomatch: true } : {}),
  ...commentOf(parameters),
});

function createEntry(context: Context): Promise<null> {
  const { parameters } = context;
  return changeFirewall(context, (file) => {
    const { entries } = requireSet(file, parameters);
    const entry = entryOf(parameters);
    if (/\/0+$/.test(entry.cidr)) throw invalid({ cidr: "a zero prefix is not allowed in ipset entries" });
    if (entries.some(({ cidr }) => cidr === entry.cidr))
      throw invalid({ cidr: `address '${entry.cidr}' already exists` });
    if (/^[a-z]/i.test(entry.cidr) && !entry.cidr.includes(":"))
      requireAlias(file, { name: entry.cidr.replace(/^guest\//, "") });
    entries.unshift(entry);
  });
}

function updateEntry(context: Context): Promise<null> {
  const { parameters } = context;
  return changeFirewall(context, (file) => {
    const set = requireSet(file, parameters);
    const old = requireEntry(file, parameters);
    set.entries[set.entries.indexOf(old)] = entryOf(parameters);
  });
}

const path = "/nodes/{node}/lxc/{vmid}/firewall";
const observed = (method: Route["method"], tail: string, handler: Route["handler"]): Route => ({
  method,
  path: `${path}/${tail}`,
  evidence: "observed",
  handler,
});

export const firewallNameRoutes: Route[] = [
  observed("GET", "aliases", ({ parameters }) => {
    const { file, digest } = readFirewall(parameters);
    return [...file.aliases]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, alias]) => viewAlias(alias, digest));
  }),
  observed("POST", "aliases", createAlias),
  observed("GET", "aliases/{name}", ({ parameters }) =>
    viewAlias(requireAlias(readFirewall(parameters).file, parameters)),
  ),
  observed("PUT", "aliases/{name}", updateAlias),
  observed("DELETE", "aliases/{name}", (context) =>
    changeFirewall(context, (file) => {
      file.aliases.delete(nameOf(context.parameters).toLowerCase());
    }),
  ),
  observed("GET", "ipset", ({ parameters }) => {
    const { file, digest } = readFirewall(parameters);
    return [...file.ipsets].map(([name, { comment }]) => ({ name, ...commentOf({ comment }), digest }));
  }),
  observed("POST", "ipset", createSet),
  observed("GET", "ipset/{name}", ({ parameters }) => {
    const { file, digest } = readFirewall(parameters);
    return requireSet(file, parameters).entries.map((entry) => viewEntry(entry, digest));
  }),
  observed("POST", "ipset/{name}", createEntry),
  observed("DELETE", "ipset/{name}", removeSet),
  observed("GET", "ipset/{name}/{cidr}", ({ parameters }) =>
    viewEntry(requireEntry(readFirewall(parameters).file, parameters)),
  ),
  observed("PUT", "ipset/{name}/{cidr}", updateEntry),
  observed("DELETE", "ipset/{name}/{cidr}", (context) =>
    changeFirewall(context, (file) => {
      const set = requireSet(file, context.parameters);
      set.entries = set.entries.filter(({ cidr }) => cidr !== context.parameters["cidr"]);
    }),
  ),
  // References that a rule can name: this guest's aliases and sets; the datacenter has none here.
  observed("GET", "refs", ({ parameters }) => {
    const { file } = readFirewall(parameters);
    const kind = parameters["type"];
    const aliases = [...file.aliases.values()].map(({ name, cidr, comment }) => ({
      type: "alias",
      name,
      ref: `guest/${name}`,
      scope: "guest",
      comment: comment ?? cidr,
    }));
    const sets = [...file.ipsets].map(([name, { comment }]) => ({
      type: "ipset",
      name,
      ref: `+guest/${name}`,
      scope: "guest",
      ...commentOf({ comment }),
    }));
    return [...aliases, ...sets].filter(({ type }) => kind === undefined || kind === type);
  }),
];
