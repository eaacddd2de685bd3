import type { Input } from "./resolution.ts";
import type { Effective } from "./inherit.ts";
import { pathOf } from "./inherit.ts";
import { idMapProblem, idRanges } from "./id-maps.ts";
import type { SharedIds } from "./id-maps.ts";
import type { ContainerFirewall, Device } from "./generated/lxc-configs.ts";
import type { Path } from "./text.ts";
import type {
  ContainerResources,
  ContainerSettings,
  DeviceSpec,
  FirewallSpec,
  NetworkSpec,
} from "./types.ts";

/** Limits, options, devices, id maps, firewall and snapshots of a container. */
export function resourcesOf(
  ctid: number,
  values: Effective,
  facts: { unprivileged: boolean; isTemplate: boolean; network: readonly NetworkSpec[] },
  input: Input,
): ContainerResources {
  const get = (key: string): unknown => values.get(key)?.value;
  const options = optionsOf((get("pct_options") as string[] | undefined) ?? []);
  const searchdomain = get("searchdomain") as string | undefined;
  const cpuUnits = get("cpu_units") as number | undefined;
  const description = get("description") as string | undefined;
  const firewall = firewallOf(ctid, get("firewall") as ContainerFirewall | undefined, facts, input);
  return {
    cpuLimit: (get("cpu_limit") as number | undefined) ?? 0,
    ...(cpuUnits === undefined ? {} : { cpuUnits }),
    tags: [...new Set((get("tags") as string[] | undefined) ?? [])].sort(),
    ...(description === undefined ? {} : { description }),
    ...(searchdomain === undefined ? {} : { searchdomain }),
    console: {
      enabled: options.get("console") !== "0",
      ttyCount: Number(options.get("tty") ?? 2),
      type: (options.get("cmode") ?? "tty") as ContainerResources["console"]["type"],
    },
    protection: options.get("protection") === "1",
    ...(options.has("timezone") ? { timezone: options.get("timezone") ?? "" } : {}),
    devices: ((get("devices") as Device[] | undefined) ?? []).map(deviceOf),
    idMaps: idMapsOf(ctid, values, facts.unprivileged, input),
    lxcOptions: lxcOptionsOf(ctid, values, input),
    ...(firewall === undefined ? {} : { firewall }),
    snapshots: snapshotsOf(ctid, (get("snapshots") as string[] | undefined) ?? [], facts.isTemplate, input),
  };
}

/** Along the chain a later entry overrules an earlier one. */
function optionsOf(options: readonly string[]): Map<string, string> {
  return new Map(options.map((option) => [option.split("=", 1)[0] ?? "", option.replace(/^[^=]*=/, "")]));
}

/** Abilities beyond those that features can need; only what is on, or was turned off by hand. */
export function furtherAbilities(options: readonly string[]): Partial<ContainerSettings> {
  const said = optionsOf(options);
  const mount = said.get("mount")?.split(";").sort();
  return {
    ...(said.has("mknod") ? { mknod: said.get("mknod") === "1" } : {}),
    ...(said.has("force_rw_sys") ? { force_rw_sys: said.get("force_rw_sys") === "1" } : {}),
    ...(mount === undefined ? {} : { mount }),
  };
}

function deviceOf({ path, mode, uid, gid, deny_write }: Device): DeviceSpec {
  return {
    path,
    ...(mode === undefined ? {} : { mode }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(deny_write === true ? { denyWrite: true } : {}),
  };
}

function idMapsOf(ctid: number, values: Effective, unprivileged: boolean, input: Input) {
  const shared = (values.get("id_maps")?.value ?? []) as SharedIds[];
  if (shared.length === 0) return [];
  const path = pathOf(values, ctid, "id_maps");
  if (!unprivileged) {
    const message = "a privileged container has the host's ids: there is nothing to map";
    input.findings.add(input.locator, path, message, { remedy: "leave `id_maps` out", what: "key" });
  }
  const problem = idMapProblem(shared);
  if (problem === undefined) return idRanges(shared);
  input.findings.add(input.locator, [...path, problem.index], problem.message);
  return [];
}

/** What Proxmox VE or a key of its own decides must not be decided a second time. */
const served: Record<string, string> = {
  "lxc.idmap": "`id_maps` is the key for that",
  "lxc.rootfs.path": "Proxmox VE says where the root file system is",
  "lxc.uts.name": "`name` is the key for that",
  "lxc.net": "`network_config` and `networks` are the keys for that",
};

function lxcOptionsOf(ctid: number, values: Effective, { locator, findings }: Input): [string, string][] {
  const lines = (values.get("lxc_options")?.value ?? []) as string[];
  const own = (key: string): Path => [...pathOf(values, ctid, "lxc_options"), key];
  return lines.map((line) => {
    const [, key = "", value = ""] = /^(lxc\.[a-z0-9_.-]+)\s*[:=]\s*(.*)$/.exec(line) ?? [];
    const rule = Object.keys(served).find((name) => key === name || key.startsWith(`${name}.`));
    if (rule !== undefined) {
      findings.add(locator, own("").slice(0, -1), `\`${key}\` cannot be set here`, { remedy: served[rule] });
    }
    return [key, value];
  });
}

function firewallOf(
  ctid: number,
  firewall: ContainerFirewall | undefined,
  { isTemplate, network }: { isTemplate: boolean; network: readonly NetworkSpec[] },
  { locator, findings }: Input,
): FirewallSpec | undefined {
  const rules = firewall?.rules ?? [];
  if (firewall === undefined || (firewall.enabled !== true && rules.length === 0)) return undefined;
  const path: Path = ["lxc_configs", String(ctid), "firewall"];
  if (isTemplate) {
    const message = "a template cannot have a firewall: Proxmox VE would copy its rules to every clone";
    findings.add(locator, path, message, { remedy: "give each container its own", what: "key" });
  }
  return {
    enabled: firewall.enabled ?? false,
    rules: rules.map((rule, i) => {
      const { iface, port, ...rest } = rule;
      if (port !== undefined && rule.proto !== "tcp" && rule.proto !== "udp") {
        const remedy = 'add `"proto": "tcp"` or `"udp"`';
        findings.add(locator, [...path, "rules", i, "port"], "a port needs a protocol that has ports", {
          remedy,
        });
      }
      const index = network.findIndex(({ name }) => name === iface);
      if (iface !== undefined && index < 0) {
        const names = network.map(({ name }) => `\`${name}\``).join(", ");
        const message = `the container has no interface \`${iface}\``;
        findings.add(locator, [...path, "rules", i, "iface"], message, { remedy: `known: ${names}` });
      }
      return {
        ...rest,
        ...(iface === undefined ? {} : { iface: `net${Math.max(0, index)}` }),
        ...(port === undefined ? {} : { dport: port }),
      };
    }),
  };
}

function snapshotsOf(ctid: number, names: readonly string[], isTemplate: boolean, input: Input): string[] {
  if (isTemplate && names.length > 0) {
    const path: Path = ["lxc_configs", String(ctid), "snapshots"];
    const message = "a template cannot have snapshots: Proxmox VE refuses to seal it then";
    input.findings.add(input.locator, path, message, { remedy: "leave them out here", what: "key" });
  }
  return [...names].sort().reverse();
}
