import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { applyRules, labRules, removeRules, savedRules } from "./firewall.ts";
import type { Lab, Memory } from "./lab.ts";
import { network } from "./lab.ts";
import { raiseSettings, restoreSettings } from "./kernel-settings.ts";
import { attempt, run } from "./run.ts";

interface Route {
  readonly dst?: string;
  readonly dev?: string;
}

interface Address {
  readonly ifname?: string;
  readonly mtu?: number;
  readonly addr_info?: readonly {
    readonly local?: string;
    readonly prefixlen?: number;
    readonly family?: string;
  }[];
}

/** Networks that are in use on this machine, the given interface left out. */
export async function usedNetworks(except: string): Promise<string[]> {
  const routes = JSON.parse(await run("ip", ["-j", "-4", "route", "show", "table", "all"])) as Route[];
  const addresses = JSON.parse(await run("ip", ["-j", "-4", "address"])) as Address[];
  const used = routes
    .filter((route) => route.dev !== except && route.dst !== undefined)
    .map((route) => route.dst ?? "");
  for (const link of addresses) {
    if (link.ifname === except) continue;
    for (const info of link.addr_info ?? []) {
      if (info.local !== undefined) used.push(`${info.local}/${info.prefixlen ?? 32}`);
    }
  }
  return used;
}

/** The smallest packet size on the way out: a node with larger packets would lose them where ICMP is filtered. */
export async function uplinkMtu(): Promise<number> {
  const routes = JSON.parse(await run("ip", ["-j", "-4", "route", "show", "default"])) as Route[];
  const device = routes[0]?.dev;
  if (device === undefined) return 1500;
  const file = `/sys/class/net/${device}/mtu`;
  return existsSync(file) ? Math.min(1500, Number(readFileSync(file, "utf8"))) : 1500;
}

export async function raiseNetwork(lab: Lab, memory: Memory, mtu: number): Promise<void> {
  const { subnet, gateway, node } = network(memory.octet);
  if (!existsSync(`/sys/class/net/${lab.bridge}`))
    await run("ip", ["link", "add", lab.bridge, "type", "bridge"]);
  await run("ip", ["link", "set", lab.bridge, "mtu", String(mtu), "up"]);
  await run("ip", ["address", "replace", `${gateway}/24`, "dev", lab.bridge]);
  raiseSettings();
  writeFileSync(`/proc/sys/net/ipv4/conf/${lab.bridge}/route_localnet`, "1\n");
  const forwards = [
    { port: memory.port, target: `${node}:8006` },
    { port: memory.port + 1, target: `${node}:22` },
  ];
  const web = memory.published.at(-1);
  if (web !== undefined) forwards.push({ port: memory.port + 2, target: `${node}:${web.port}` });
  await applyRules(lab.id, labRules(lab.bridge, subnet, forwards));
}

/** Takes away what {@link raiseNetwork} made; the kernel's settings go back to what they were once no lab is left. */
export async function lowerNetwork(lab: Lab): Promise<void> {
  await removeRules(lab.id);
  await attempt("ip", ["link", "delete", lab.bridge]);
  if (!(await savedRules()).includes("phoenix-lab-")) restoreSettings();
}
