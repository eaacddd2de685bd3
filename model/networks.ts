import type { Input } from "./resolution.ts";
import type { FurtherNetwork } from "./generated/lxc-configs.ts";
import type { Effective } from "./inherit.ts";
import type { NetworkSpec } from "./types.ts";

/**
 * A container's interfaces: that of `network_config`, then the further ones in order.
 * @param sure whether all that the container itself says about its network could be read
 */
export function networksOf(ctid: number, values: Effective, sure: boolean, input: Input): NetworkSpec[] {
  const get = (key: string): unknown => values.get(`network_config.${key}`)?.value;
  const ip = get("ip") as string | undefined;
  if (ip === undefined && !sure) return [];
  if (ip === undefined) {
    const message = "`network_config.ip` is missing: an address is a container's own and never inherited";
    input.findings.add(input.locator, ["lxc_configs", String(ctid), "network_config"], message, {
      remedy: 'an address with prefix length ("10.0.0.110/24"), or "dhcp"',
      what: "key",
    });
    return [];
  }
  const first = {
    name: (get("name") as string | undefined) ?? "eth0",
    bridge: (get("bridge") as string | undefined) ?? "",
    mac_address: values.get("mac_address")?.value as string | undefined,
    ip,
    gw: get("gw") as string | undefined,
    ip6: get("ip6") as string | undefined,
    gw6: get("gw6") as string | undefined,
    vlan: get("vlan") as number | undefined,
    mtu: get("mtu") as number | undefined,
    rate_mbps: get("rate_mbps") as number | undefined,
  };
  const further = (values.get("networks")?.value ?? []) as FurtherNetwork[];
  const bridge = input.host.bridge;
  return [specOf(first), ...further.map((network) => specOf({ bridge, ...network }))];
}

type Written = { [key in keyof FurtherNetwork]: FurtherNetwork[key] | undefined } & { name: string };

function specOf(network: Written): NetworkSpec {
  const { ip: address, ip6: address6, mac_address, vlan, mtu, rate_mbps: rateMbps } = network;
  const gateway = address === undefined || address === "dhcp" ? undefined : network.gw;
  const gateway6 = address6 === undefined || /^(auto|dhcp)$/.test(address6) ? undefined : network.gw6;
  const all = {
    name: network.name,
    bridge: network.bridge ?? "",
    address,
    gateway,
    address6,
    gateway6,
    macAddress: mac_address?.toUpperCase(),
    vlan,
    mtu,
    rateMbps,
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined),
  ) as unknown as NetworkSpec;
}
