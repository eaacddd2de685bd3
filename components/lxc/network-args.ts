import type { ContainerLegacyArgs } from "@muhlba91/pulumi-proxmoxve";
import type { ContainerSpec } from "../../model/index.ts";

/** A container's interfaces, addresses and name servers, as the provider takes them: addresses by position. */
export function networkArgs(
  spec: ContainerSpec,
): Pick<ContainerLegacyArgs, "networkInterfaces" | "initialization"> {
  const firewall = spec.firewall?.enabled === true;
  const dns = {
    ...(spec.nameserver ? { servers: spec.nameserver.split(" ") } : {}),
    ...(spec.searchdomain ? { domain: spec.searchdomain } : {}),
  };
  return {
    networkInterfaces: spec.network.map(({ name, bridge, macAddress, vlan, mtu, rateMbps }) => ({
      name,
      bridge,
      ...(macAddress ? { macAddress } : {}),
      ...(vlan ? { vlanId: vlan } : {}),
      ...(mtu ? { mtu } : {}),
      ...(rateMbps ? { rateLimit: rateMbps } : {}),
      ...(firewall ? { firewall } : {}),
    })),
    initialization: {
      hostname: spec.name,
      ipConfigs: spec.network.map(({ address, gateway, address6, gateway6 }) => ({
        // An interface without any entry would shift the others' when the provider reads them back.
        ipv4: { address: address ?? "manual", ...(gateway ? { gateway } : {}) },
        ...(address6 ? { ipv6: { address: address6, ...(gateway6 ? { gateway: gateway6 } : {}) } } : {}),
      })),
      ...(Object.keys(dns).length > 0 ? { dns } : {}),
    },
  };
}
