import { hostProblem, parseAddress, parseCidr, sameSubnet, subnet } from "./address.ts";
import type { Findings } from "./findings.ts";
import type { HypervisorConfig, Users } from "./generated/hypervisor-config.ts";
import type { Locator } from "./locate.ts";
import { resolveBase } from "./base.ts";
import { noneTwice } from "./names.ts";
import { driverOf } from "./nvidia.ts";
import { checkOsTemplates, toOsTemplate, toStorages } from "./storages.ts";
import type { HostSpec, UserSpec } from "./types.ts";
import { checkZfs, toDatasets, toPool, zfsOf } from "./zfs.ts";

/** Everything about the host as the schema accepts it, checked as a whole. */
export function resolveHost(config: HypervisorConfig, locator: Locator, findings: Findings): HostSpec {
  const { interfaces } = config.network;
  const zfs = zfsOf(config);
  checkInterface(config, locator, findings);
  const pools = zfs.pools.map(toPool);
  const datasets = toDatasets(zfs.datasets);
  checkZfs(zfs, locator, findings);
  const storages = toStorages(config, locator, findings);
  const osTemplates = (config.os_templates ?? []).map(toOsTemplate);
  checkOsTemplates(config.os_templates ?? [], storages, locator, findings);
  return {
    address: interfaces.address,
    bridge: interfaces.name,
    ...(interfaces.gateway === undefined ? {} : { gateway: interfaces.gateway }),
    pools,
    datasets,
    storages,
    osTemplates,
    base: resolveBase(config, locator, findings),
    ...(config.zfs?.arc_max_gb === undefined ? {} : { arcMaxGb: config.zfs.arc_max_gb }),
    // Whose they are is known once the containers are.
    sharedVolumes: [],
    users: config.users === undefined ? [] : [toUser(config.users)],
    ...driverOf(config.nvidia_driver),
  };
}

/** Bridges that containers can attach to. */
export function bridgesOf(config: HypervisorConfig): string[] {
  return [config.network.interfaces.name, ...(config.network.bridges ?? []).map((bridge) => bridge.name)];
}

function toUser({ username, password_hash, sudo_access, ssh_public_key }: Users): UserSpec {
  return {
    username,
    ...(password_hash === undefined ? {} : { passwordHash: password_hash }),
    sudo: sudo_access ?? false,
    ...(ssh_public_key === undefined ? {} : { sshPublicKey: ssh_public_key }),
  };
}

function checkInterface(config: HypervisorConfig, locator: Locator, findings: Findings): void {
  const { address, gateway } = config.network.interfaces;
  const cidr = parseCidr(address);
  const problem = hostProblem(cidr);
  if (problem !== undefined)
    findings.add(locator, ["network", "interfaces", "address"], `${address} ${problem}`);
  if (gateway !== undefined && !sameSubnet(cidr, parseAddress(gateway))) {
    const message = `the gateway ${gateway} is not in the host's subnet ${subnet(cidr)}`;
    findings.add(locator, ["network", "interfaces", "gateway"], message);
  }
  noneTwice(
    "bridge",
    bridgesOf(config),
    (i) => (i === 0 ? ["network", "interfaces", "name"] : ["network", "bridges", i - 1, "name"]),
    locator,
    findings,
  );
}
