import { run } from "../volumes/run.ts";
import type { GuestConfig } from "./config-file.ts";
import { writeLimit } from "./limits.ts";
import { initPid } from "./process.ts";
import { ensureSegments, segmentOf } from "./segments.ts";
import { parseNetwork, type Network } from "./property-string.ts";

/**
 * Applies one changed option to a running guest.
 * @param value the new value, undefined when the option goes
 * @returns false when the option takes a restart: it stays pending
 */
export async function hotplug(
  vmid: number,
  config: GuestConfig,
  key: string,
  value: string | undefined,
): Promise<boolean> {
  const net = /^net(\d+)$/.exec(key)?.[1];
  if (net !== undefined) {
    const before = config.values[key];
    return changeNetwork(vmid, Number(net), before === undefined ? undefined : parseNetwork(before), value);
  }
  // Limits are the kernel's only where the node has the controller; elsewhere the new value has nothing to act on.
  if (["memory", "swap", "cpulimit", "cpuunits"].includes(key)) {
    await writeLimit(vmid, key, value);
    return true;
  }
  return false;
}

async function changeNetwork(
  vmid: number,
  index: number,
  before: Network | undefined,
  value: string | undefined,
): Promise<boolean> {
  const pair = `veth${vmid}i${index}`;
  const after = value === undefined ? undefined : parseNetwork(value);
  const same = (key: string) => (before?.[key] ?? "") === (after?.[key] ?? "");
  if (before && !(after && same("name") && same("hwaddr")))
    await run("ip", ["link", "delete", pair]).catch(() => "");
  if (!after) return true;
  const fresh = !(before && same("name") && same("hwaddr"));
  const pid = await initPid(vmid);
  if (pid === undefined) return false;
  const segment = segmentOf(after);
  if (after["tag"] !== undefined && segment !== undefined) await ensureSegments([segment]);
  if (fresh) await plug(pair, after, pid);
  else if (segment !== undefined && !(same("bridge") && same("tag")))
    await run("ip", ["link", "set", pair, "master", segment]);
  const inGuest = (...args: string[]) => run("nsenter", ["--target", String(pid), "--net", "ip", ...args]);
  const name = after["name"] ?? "";
  for (const [address, gateway, family] of [
    ["ip", "gw", "-4"],
    ["ip6", "gw6", "-6"],
  ] as const) {
    if (!fresh && same(address) && same(gateway)) continue;
    if (!fresh) await inGuest(family, "address", "flush", "dev", name, "scope", "global");
    if (after[address] && /[.:]/.test(after[address])) {
      await inGuest("link", "set", name, "up");
      await inGuest(family, "address", "add", after[address], "dev", name);
      if (after[gateway])
        await inGuest(family, "route", "replace", "default", "via", after[gateway], "dev", name);
    }
  }
  return true;
}

async function plug(pair: string, network: Network, pid: number): Promise<void> {
  const peer = `${pair}p`;
  await run("ip", ["link", "add", "name", pair, "type", "veth", "peer", "name", peer]);
  await run("ip", ["link", "set", peer, "address", network["hwaddr"] ?? ""]);
  const segment = segmentOf(network);
  if (segment !== undefined) await run("ip", ["link", "set", pair, "master", segment, "up"]);
  await run("ip", ["link", "set", peer, "netns", String(pid), "name", network["name"] ?? "eth0"]);
}
