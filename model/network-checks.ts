import { hostProblem, parseAddress, parseCidr, sameSubnet, subnet } from "./address.ts";
import type { Input, Resolved } from "./resolution.ts";
import { unknownName } from "./names.ts";
import { pathOf } from "./inherit.ts";
import type { Path } from "./text.ts";

/** Names, addresses and bridges of all containers and the host against each other. */
export function checkNetworks(
  resolved: ReadonlyMap<number, Resolved>,
  bridges: readonly string[],
  input: Input,
): void {
  const { host, hostSound, locator, findings } = input;
  const addresses = new Map<string, string>();
  if (hostSound) addresses.set(host.address.split("/")[0] ?? "", "the host");
  if (host.gateway !== undefined) addresses.set(host.gateway, "the gateway");
  const hostNames = new Map<string, string>();
  const macs = new Map<string, string>();
  const once = (seen: Map<string, string>, value: string, what: string, path: Path, ctid: number): void => {
    const other = seen.get(value.toLowerCase());
    if (other === undefined) seen.set(value.toLowerCase(), String(ctid));
    else findings.add(locator, path, `the ${what} ${value} is taken by ${other}`, { ctid });
  };
  for (const [ctid, { spec, effective }] of [...resolved].sort(([a], [b]) => a - b)) {
    const path: Path = ["lxc_configs", String(ctid)];
    if (spec.name !== "") once(hostNames, spec.name, "name", [...path, "name"], ctid);
    const names = new Set<string>();
    for (const [i, nic] of spec.network.entries()) {
      // The first interface has keys of its own, which may come from the template; the further ones are a list.
      const at: Path = i === 0 ? [...path, "network_config"] : [...path, "networks", i - 1];
      const placeOf = (key: string): Path =>
        i === 0 ? pathOf(effective, ctid, `network_config.${key}`) : [...at, key];
      if (names.has(nic.name))
        findings.add(locator, [...at, "name"], `the interface \`${nic.name}\` is there twice`);
      names.add(nic.name);
      const macPath: Path = i === 0 ? [...path, "mac_address"] : [...at, "mac_address"];
      if (nic.macAddress !== undefined) checkMac(nic.macAddress, macPath);
      if (nic.macAddress !== undefined) once(macs, nic.macAddress, "MAC address", macPath, ctid);
      const bridgePath = placeOf("bridge");
      if (hostSound && !bridges.includes(nic.bridge) && bridgePath[1] === String(ctid)) {
        const [message, { remedy }] = unknownName("bridge", nic.bridge, bridges);
        findings.add(locator, bridgePath, message, {
          remedy: `${remedy}; others are declared in \`network.bridges\``,
        });
      }
      const address6 = nic.address6?.split("/")[0] ?? "";
      if (address6.includes(":")) once(addresses, address6, "address", [...at, "ip6"], ctid);
      if (nic.address === undefined || nic.address === "dhcp") continue;
      const cidr = parseCidr(nic.address);
      const ipPath: Path = [...at, "ip"];
      const problem = hostProblem(cidr);
      if (problem !== undefined) findings.add(locator, ipPath, `${nic.address} ${problem}`);
      once(addresses, nic.address.split("/")[0] ?? "", "address", ipPath, ctid);
      // A VLAN is a network of its own, whatever the bridge.
      const onMainBridge = hostSound && nic.bridge === host.bridge && nic.vlan === undefined;
      const hostCidr = parseCidr(host.address);
      if (onMainBridge && !sameSubnet(hostCidr, cidr.address)) {
        const message = `${nic.address} is not in ${subnet(hostCidr)}, the subnet of the bridge \`${nic.bridge}\``;
        findings.add(locator, ipPath, message);
      } else if (nic.gateway !== undefined && !sameSubnet(cidr, parseAddress(nic.gateway))) {
        const gatewayPath = placeOf("gw");
        const message = `the gateway ${nic.gateway} is not in the subnet ${subnet(cidr)} of container ${ctid}`;
        findings.add(locator, gatewayPath[1] === String(ctid) ? gatewayPath : ipPath, message);
      } else if (
        nic.gateway !== undefined &&
        nic.gateway === nic.address.split("/")[0] &&
        nic.gateway !== host.gateway
      ) {
        findings.add(locator, ipPath, `the container would be its own gateway`);
      }
    }
  }

  function checkMac(mac: string, path: Path): void {
    if ((Number.parseInt(mac.slice(0, 2), 16) & 1) === 1) {
      findings.add(locator, path, `${mac} is a group address, not one of a machine`, {
        remedy: "the first byte must be even",
      });
    }
  }
}
