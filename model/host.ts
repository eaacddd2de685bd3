import { hostProblem, parseAddress, parseCidr, sameSubnet, subnet } from "./address.ts";
import type { Findings } from "./findings.ts";
import type { Dataset, HypervisorConfig, OsTemplate, Users } from "./generated/hypervisor-config.ts";
import type { Locator } from "./locate.ts";
import { noneTwice, unknownName } from "./names.ts";
import { list } from "./schema-errors.ts";
import { driverOf } from "./nvidia.ts";
import type { Path } from "./text.ts";
import type { HostSpec, OsTemplateSpec, StorageSpec, UserSpec } from "./types.ts";
import { checkZfs, mountPointOf, toDatasets, toPool, zfsOf } from "./zfs.ts";

export { noneTwice, unknownName, zfsOf };

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
    users: config.users === undefined ? [] : [toUser(config.users)],
    ...driverOf(config.nvidia_driver),
  };
}

/** Bridges that containers can attach to. */
export function bridgesOf(config: HypervisorConfig): string[] {
  return [config.network.interfaces.name, ...(config.network.bridges ?? []).map((bridge) => bridge.name)];
}

export function storageIdOf(dataset: Pick<Dataset, "pool" | "name" | "storage_id">): string {
  return dataset.storage_id ?? `${dataset.pool}-${dataset.name.replaceAll("/", "-")}`;
}

/** What a storage of a type can hold: `plugindata` of the plugins in Proxmox's pve-storage, src/PVE/Storage/*Plugin.pm. */
function contentOf(type: string): readonly string[] {
  const blocks = ["images", "rootdir"];
  const shares = ["iso", "vztmpl", "backup", "snippets", "import"];
  const files = [...blocks, ...shares];
  const known: Record<string, readonly string[]> = {
    dir: [...files, "none"],
    btrfs: [...files, "none"],
    nfs: files,
    cifs: files,
    cephfs: shares,
    glusterfs: ["images", ...shares],
    zfspool: blocks,
    lvm: blocks,
    lvmthin: blocks,
    rbd: blocks,
    zfs: ["images"],
    iscsi: ["images", "none"],
    iscsidirect: ["images", "none"],
    pbs: ["backup", "none"],
    esxi: ["import"],
  };
  // A plugin that is not Proxmox's own says itself what it holds.
  return known[type] ?? [...files, "none"];
}

function toStorages(config: HypervisorConfig, locator: Locator, findings: Findings): StorageSpec[] {
  const storages: StorageSpec[] = [];
  const owners = new Map<string, Path>();
  const claim = (id: string, path: Path): void => {
    const other = owners.get(id);
    if (other !== undefined) {
      const { file, line } = locator.find(other);
      findings.add(locator, path, `the storage \`${id}\` is defined twice; first in ${file}:${line}`);
    }
    owners.set(id, path);
  };
  zfsOf(config).datasets.forEach((dataset, i) => {
    const path: Path = ["zfs", "datasets", i];
    if (dataset.proxmox_storage_type === undefined) return;
    const id = storageIdOf(dataset);
    claim(id, dataset.storage_id === undefined ? [...path, "name"] : [...path, "storage_id"]);
    const content = (dataset.proxmox_content_type ?? "none").split(",").sort();
    const allowed = contentOf(dataset.proxmox_storage_type);
    const wrong = content.find((item) => !allowed.includes(item));
    if (wrong !== undefined) {
      const message =
        wrong === "none"
          ? `a storage of type \`${dataset.proxmox_storage_type}\` needs a content type`
          : `a storage of type \`${dataset.proxmox_storage_type}\` cannot hold \`${wrong}\``;
      findings.add(locator, [...path, "proxmox_content_type"], message, {
        remedy: `possible: ${list(allowed)}`,
      });
    }
    storages.push({
      id,
      type: dataset.proxmox_storage_type,
      content,
      dataset: `${dataset.pool}/${dataset.name}`,
      ...folderOf(dataset, zfsOf(config).datasets),
      existing: dataset.existing ?? false,
      allow: dataset.allow ?? [],
    });
  });
  (config.storages ?? []).forEach((storage, i) => {
    claim(storage.id, ["storages", i, "id"]);
    const allowed = contentOf(storage.type);
    const wrong = storage.content.findIndex((item) => !allowed.includes(item));
    if (wrong >= 0) {
      const message = `a storage of type \`${storage.type}\` cannot hold \`${storage.content[wrong]}\``;
      findings.add(locator, ["storages", i, "content", wrong], message, {
        remedy: `possible: ${list(allowed)}`,
      });
    }
    storages.push({
      id: storage.id,
      type: storage.type,
      content: [...storage.content].sort(),
      existing: true,
      allow: [],
    });
  });
  return storages;
}

/** The folder of a `dir` storage. */
function folderOf(dataset: Dataset, all: readonly Dataset[]): { path?: string } {
  const path = dataset.proxmox_storage_type === "dir" ? mountPointOf(dataset, all) : undefined;
  return path === undefined ? {} : { path };
}

function toOsTemplate(template: OsTemplate): OsTemplateSpec {
  const fileName = template.url.slice(template.url.lastIndexOf("/") + 1);
  const { name, storage, url, checksum } = template;
  return { name, storage, fileName, url, ...(checksum === undefined ? {} : { checksum }) };
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

function checkOsTemplates(
  templates: readonly OsTemplate[],
  storages: readonly StorageSpec[],
  locator: Locator,
  findings: Findings,
): void {
  noneTwice(
    "OS template",
    templates.map((template) => template.name),
    (i) => ["os_templates", i, "name"],
    locator,
    findings,
  );
  const files = templates.map(
    ({ storage, url }) => `${storage}:vztmpl/${url.slice(url.lastIndexOf("/") + 1)}`,
  );
  noneTwice("image", files, (i) => ["os_templates", i, "url"], locator, findings);
  templates.forEach((template, i) => {
    const path: Path = ["os_templates", i, "storage"];
    const storage = storages.find((candidate) => candidate.id === template.storage);
    if (storage === undefined) {
      findings.add(
        locator,
        path,
        ...unknownName(
          "storage",
          template.storage,
          storages.map((s) => s.id),
        ),
      );
    } else if (!storage.content.includes("vztmpl")) {
      findings.add(
        locator,
        path,
        `the storage \`${storage.id}\` cannot hold OS templates: its content is ${list(storage.content)}`,
        {
          remedy: "a storage with content `vztmpl` is needed",
        },
      );
    }
  });
}
