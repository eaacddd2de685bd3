import { execFile } from "node:child_process";
import { existsSync, renameSync, rmSync } from "node:fs";
import { promisify } from "node:util";
import { readTextOr, writeFileAtomic } from "../../core/files.ts";
import { splitList } from "../../core/lists.ts";
import { place } from "../../core/places.ts";
import { ApiError, type Context, type Parameters, type Route, type TaskLog } from "../../core/route.ts";
import { formatInterfaces, parseInterfaces, type Interface, type Stanza } from "../interfaces-file.ts";
import { asText } from "../../core/text.ts";

const FILE = "/etc/network/interfaces";
const STAGED = `${FILE}.new`;
const execute = promisify(execFile);

/** Staged changes, or what is in force where there are none. */
function readStaged(): Interface[] {
  const staged = place(STAGED);
  return parseInterfaces(readTextOr(existsSync(staged) ? staged : place(FILE), ""));
}

function invalid(errors: Record<string, string>): ApiError {
  return new ApiError(400, "Parameter verification failed.", errors);
}

function typeOf({ name, stanzas }: Interface): string {
  const keys = stanzas.flatMap(({ options }) => options.map(([key]) => key));
  if (keys.some((key) => /^bridge[-_]/.test(key))) return "bridge";
  if (keys.some((key) => /^bond[-_]/.test(key))) return "bond";
  if (name === "lo") return "loopback";
  if (keys.includes("vlan-raw-device") || /\.\d+$/.test(name)) return "vlan";
  return /:\d+$/.test(name) ? "alias" : "eth";
}

function addressing({ family, method, options }: Stanza): Record<string, unknown> {
  const six = family === "inet6" ? "6" : "";
  const get = (key: string): string | undefined => options.find(([name]) => name === key)?.[1];
  const [address, prefix] = (get("address") ?? "").split("/");
  const bits =
    prefix ??
    (get("netmask") !== undefined && /^\d+$/.test(get("netmask") ?? "") ? get("netmask") : undefined);
  const gateway = get("gateway");
  return {
    [`method${six}`]: method,
    ...(address === "" || address === undefined ? {} : { [`address${six}`]: address }),
    ...(bits === undefined
      ? {}
      : { [`cidr${six}`]: `${address}/${bits}`, [`netmask${six}`]: six ? Number(bits) : bits }),
    ...(gateway === undefined ? {} : { [`gateway${six}`]: gateway }),
  };
}

/** Names of options in the file and in the API. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^bridge[-_]ports$/, "bridge_ports"],
  [/^bridge[-_]stp$/, "bridge_stp"],
  [/^bridge[-_]fd$/, "bridge_fd"],
  [/^bridge[-_]vlan[-_]aware$/, "bridge_vlan_aware"],
  [/^bridge[-_]vids$/, "bridge_vids"],
  [/^bond[-_]mode$/, "bond_mode"],
  [/^(?:bond-)?slaves$/, "slaves"],
  [/^bond[-_]miimon$/, "bond_miimon"],
  [/^vlan-raw-device$/, "vlan-raw-device"],
  [/^mtu$/, "mtu"],
];

function view(iface: Interface, priority: number): Record<string, unknown> {
  const { name, auto, comments, stanzas } = iface;
  const special: Record<string, unknown> = {};
  for (const [key, value] of stanzas.flatMap(({ options }) => options)) {
    const known = NAMES.find(([pattern]) => pattern.test(key))?.[1];
    if (known === "bridge_ports") special[known] = value === "none" ? "" : value;
    else if (known === "bridge_vlan_aware") special[known] = value === "yes" ? 1 : 0;
    else if (known !== undefined) special[known] = value;
  }
  const state = existsSync(`/sys/class/net/${name}`);
  return {
    iface: name,
    type: typeOf(iface),
    method: "manual",
    method6: "manual",
    ...Object.fromEntries(stanzas.flatMap((stanza) => Object.entries(addressing(stanza)))),
    ...special,
    families: [...new Set(stanzas.map(({ family }) => family))],
    ...(comments.length > 0 ? { comments: `${comments.join("\n")}\n` } : {}),
    ...(auto ? { autostart: 1 } : {}),
    ...(state
      ? {
          exists: 1,
          active:
            /^(?:up|unknown)$/.test(readTextOr(`/sys/class/net/${name}/operstate`, "").trim()) ||
            name.startsWith("vmbr")
              ? 1
              : 0,
        }
      : {}),
    priority,
  };
}

function list({ parameters }: Context): unknown {
  const wanted = parameters["type"];
  const all = readStaged()
    .filter((iface) => iface.name !== "lo")
    .map((iface, index) => view(iface, index + 3));
  if (wanted === undefined || wanted === "include_sdn") return all;
  const types =
    wanted === "any_bridge" || wanted === "any_local_bridge" ? ["bridge", "OVSBridge"] : [asText(wanted)];
  return all.filter(({ type }) => types.includes(asText(type)));
}

function find(interfaces: readonly Interface[], name: string): Interface {
  const found = interfaces.find((iface) => iface.name === name);
  if (!found) throw invalid({ iface: "interface does not exist" });
  return found;
}

/** The lab makes bridges, VLANs and plain interfaces; the rest has no counterpart in its network namespace. */
const MADE = new Set(["bridge", "vlan", "eth"]);

function stanzasFrom(parameters: Parameters): Stanza[] {
  const type = asText(parameters["type"]);
  if (!MADE.has(type))
    throw new ApiError(501, `network interfaces of type '${type}' are not implemented in the lab`);
  const text = (key: string): string | undefined =>
    parameters[key] === undefined ? undefined : asText(parameters[key]);
  const options: [string, string][] = [];
  const add = (key: string, value: string | undefined): void => {
    if (value !== undefined) options.push([key, value]);
  };
  const cidr =
    text("cidr") ??
    (text("address") === undefined ? undefined : `${text("address")}/${text("netmask") ?? "24"}`);
  add("address", cidr);
  add("gateway", text("gateway"));
  if (type === "bridge") {
    add("bridge-ports", splitList(parameters["bridge_ports"]).join(" ") || "none");
    add("bridge-stp", "off");
    add("bridge-fd", "0");
    if (parameters["bridge_vlan_aware"] === true) {
      add("bridge-vlan-aware", "yes");
      add("bridge-vids", text("bridge_vids") ?? "2-4094");
    }
  }
  if (type === "vlan") add("vlan-raw-device", text("vlan-raw-device"));
  add("mtu", text("mtu"));
  const stanzas: Stanza[] = [{ family: "inet", method: cidr === undefined ? "manual" : "static", options }];
  const cidr6 =
    text("cidr6") ??
    (text("address6") === undefined ? undefined : `${text("address6")}/${text("netmask6") ?? "64"}`);
  if (cidr6 !== undefined) {
    const gateway6 = text("gateway6");
    const six: [string, string][] = [
      ["address", cidr6],
      ...(gateway6 === undefined ? [] : [["gateway", gateway6] as [string, string]]),
    ];
    stanzas.push({ family: "inet6", method: "static", options: six });
  }
  return stanzas;
}

function fromParameters(parameters: Parameters): Interface {
  const comments = asText(parameters["comments"] ?? "")
    .split("\n")
    .filter((line) => line !== "");
  return {
    name: asText(parameters["iface"]),
    auto: parameters["autostart"] === true,
    comments,
    stanzas: stanzasFrom(parameters),
  };
}

function stage(interfaces: readonly Interface[]): null {
  writeFileAtomic(place(STAGED), formatInterfaces(interfaces), 0o644);
  return null;
}

function create({ parameters }: Context): null {
  const interfaces = readStaged();
  if (interfaces.some(({ name }) => name === parameters["iface"]))
    throw invalid({ iface: "interface already exists" });
  return stage([...interfaces, fromParameters(parameters)]);
}

function update({ parameters }: Context): null {
  const interfaces = readStaged();
  const old = find(interfaces, asText(parameters["iface"]));
  const next = fromParameters(parameters);
  // Hooks are the owner's; the API does not know them.
  const hooks = old.stanzas[0]?.options.filter(([key]) => /^(?:pre|post)?-?(?:up|down)$/.test(key)) ?? [];
  next.stanzas[0]?.options.push(...hooks);
  return stage(interfaces.map((iface) => (iface === old ? next : iface)));
}

function remove({ parameters }: Context): null {
  const interfaces = readStaged();
  const old = find(interfaces, asText(parameters["iface"]));
  return stage(interfaces.filter((iface) => iface !== old));
}

async function tool(log: TaskLog, command: string, ...words: string[]): Promise<void> {
  const { stdout, stderr } = await execute(command, words);
  for (const line of `${stdout}${stderr}`.split("\n")) if (line !== "") log(line);
}

/** Puts staged changes in force: interfaces that changed go down and up, nothing else is touched. */
function reload(context: Context): string {
  return context.startTask("srvreload", "networking", async (log) => {
    const staged = place(STAGED);
    if (!existsSync(staged)) return;
    const show = (iface: Interface): [string, string] => [iface.name, formatInterfaces([iface])];
    const before = new Map(parseInterfaces(readTextOr(place(FILE), "")).map(show));
    const after = new Map(parseInterfaces(readTextOr(staged, "")).map(show));
    const changed = [...before.keys()].filter(
      (name) => name !== "lo" && name !== "eth0" && before.get(name) !== after.get(name),
    );
    const added = parseInterfaces(readTextOr(staged, "")).filter(
      ({ name, auto }) => auto && name !== "lo" && before.get(name) !== after.get(name),
    );
    for (const name of changed) await tool(log, "ifdown", "--force", name);
    renameSync(staged, place(FILE));
    for (const { name } of added) await tool(log, "ifup", name);
  });
}

const path = "/nodes/{node}/network";
export const networkRoutes: Route[] = [
  { method: "GET", path, evidence: "observed", handler: list },
  { method: "POST", path, evidence: "observed", handler: create },
  { method: "PUT", path, evidence: "observed", handler: reload },
  {
    method: "DELETE",
    path,
    evidence: "documented",
    handler: () => {
      rmSync(place(STAGED), { force: true });
      return null;
    },
  },
  {
    method: "GET",
    path: `${path}/{iface}`,
    evidence: "documented",
    handler: ({ parameters }) => view(find(readStaged(), asText(parameters["iface"])), 3),
  },
  { method: "PUT", path: `${path}/{iface}`, evidence: "observed", handler: update },
  { method: "DELETE", path: `${path}/{iface}`, evidence: "observed", handler: remove },
];
