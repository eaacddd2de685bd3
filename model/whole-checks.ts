import { checkImageSources } from "./image-checks.ts";
import type { Whole } from "./whole.ts";
import { checkGpus } from "./gpu-checks.ts";
import { unknownName } from "./names.ts";
import { checkQuotas } from "./quota-checks.ts";
import { nearest } from "./schema-errors.ts";
import type { Path } from "./text.ts";
import { datasetAt } from "./volumes.ts";
import { pendingApplications } from "./unused.ts";

/** What no part of the configuration can know alone. */
export function checkWhole(whole: Whole): void {
  checkImageSources(whole.hostConfig, whole.hostLocator, whole.input.findings, whole.input.unbuilt);
  checkSharedVolumes(whole);
  checkShares(whole);
  checkVolumes(whole);
  checkApplications(whole);
  checkFirewalls(whole);
  checkHardware(whole);
  checkGpus(whole);
  checkQuotas(whole);
  checkStoragesOfVms(whole);
}

function checkSharedVolumes(whole: Whole): void {
  const { hostConfig, hostLocator, input } = whole;
  const known = [...input.configs.keys()].map(String);
  const kinds: [string, Record<string, { host_path?: string; mounts?: Record<string, string> }>][] = [
    ["shared_volumes", hostConfig.shared_volumes ?? {}],
    ["shared_zfs_volumes", hostConfig.shared_zfs_volumes ?? {}],
  ];
  for (const [kind, volumes] of kinds) {
    for (const [name, volume] of Object.entries(volumes)) {
      const path: Path = [kind, name];
      for (const ctid of Object.keys(volume.mounts ?? {})) {
        if (input.configs.has(Number(ctid))) continue;
        const [message, { remedy }] = unknownName("container", ctid, known);
        input.findings.add(hostLocator, [...path, "mounts", ctid], message, { remedy, what: "key" });
      }
      const folder = volume.host_path;
      if (folder !== undefined && datasetAt(whole, folder) === undefined) {
        const message = `${folder} lies in no dataset of this file: it is a plain folder on the system disk`;
        input.findings.warn(hostLocator, [...path, "host_path"], message);
      }
    }
  }
}

function checkShares(whole: Whole): void {
  const { hostConfig, hostLocator, input } = whole;
  (hostConfig.samba?.shares ?? []).forEach((share, i) => {
    const path = `/${share.path.replace(/^\//, "")}`;
    if (datasetAt(whole, path) !== undefined) return;
    const message = `the share \`${share.name}\` lies in no dataset of this file: it would be a plain folder`;
    input.findings.warn(hostLocator, ["samba", "shares", i, "path"], message, {
      remedy: "add the dataset to `zfs.datasets`",
    });
  });
}

/** Volumes are datasets of their own: any storage made from a dataset will do. */
function checkVolumes({ hostConfig, hostLocator, input, resolved }: Whole): void {
  const { configs, host, locator, findings } = input;
  for (const [ctid, config] of [...configs].sort(([a], [b]) => a - b)) {
    const places = new Map<string, string>();
    const names = new Set<string>();
    for (const [name, volume] of Object.entries(hostConfig.shared_volumes ?? {})) {
      const mount = volume.mounts[String(ctid)];
      const taken = mount === undefined ? undefined : places.get(mount);
      if (taken !== undefined) {
        const place: Path = ["shared_volumes", name, "mounts", String(ctid)];
        findings.add(hostLocator, place, `${taken} is mounted at ${mount} already`);
      }
      if (mount !== undefined) places.set(mount, `the shared volume \`${name}\``);
    }
    (config.volumes ?? []).forEach((volume, i) => {
      const path: Path = ["lxc_configs", String(ctid), "volumes", i];
      const storage = host.storages.find((candidate) => candidate.id === volume.pool);
      if (storage === undefined && !input.hostSound) return;
      if (storage === undefined) {
        const ids = host.storages.map((candidate) => candidate.id);
        findings.add(locator, [...path, "pool"], ...unknownName("storage", volume.pool, ids));
      } else if (storage.dataset === undefined) {
        findings.add(
          locator,
          [...path, "pool"],
          `the storage \`${volume.pool}\` is not made from a dataset`,
          {
            remedy: "volumes are datasets of their own; name the storage of one in `zfs.datasets`",
          },
        );
      } else if (!storage.content.includes("rootdir")) {
        const message = `the storage \`${volume.pool}\` has no content \`rootdir\``;
        const remedy = "no harm: the volume is a dataset of its own and not a disk in the storage";
        findings.warn(locator, [...path, "pool"], message, { remedy });
      }
      const other = places.get(volume.mount_point);
      if (other !== undefined && !other.startsWith("the shared")) {
        findings.add(
          locator,
          [...path, "mount_point"],
          `${other} is mounted at ${volume.mount_point} already`,
        );
      }
      places.set(volume.mount_point, `the volume \`${volume.name}\``);
      if (names.has(volume.name)) {
        findings.add(locator, [...path, "name"], `the volume \`${volume.name}\` is there twice`);
      }
      names.add(volume.name);
    });
    if (resolved.get(ctid)?.spec.isTemplate === true && (config.volumes ?? []).length > 0) {
      const message =
        "a template cannot have volumes: it is built anew when its recipe changes, and never started";
      findings.add(locator, ["lxc_configs", String(ctid), "volumes"], message, { what: "key" });
    }
  }
}

function checkApplications({ input }: Whole): void {
  const { configs, catalogue, locator, findings, unbuilt } = input;
  const known = [...catalogue.scripts].filter((script) => script.startsWith("bin/apps/"));
  for (const [ctid, { application_script: script }] of configs) {
    if (script === undefined || known.includes(`bin/apps/${script}`)) continue;
    const path: Path = ["lxc_configs", String(ctid), "application_script"];
    if (pendingApplications.has(script)) {
      const severity = unbuilt === "warn" ? "warning" : "error";
      const remedy = "leave it out with an overlay";
      findings.add(locator, path, `the application \`${script}\` has no script yet`, { severity, remedy });
    } else {
      const near = nearest(`bin/apps/${script}`, known);
      const remedy =
        near === undefined ? `expected at bin/apps/${script}` : `did you mean \`${near.slice(9)}\`?`;
      findings.add(locator, path, `there is no script bin/apps/${script}`, { remedy });
    }
  }
}

function checkFirewalls({ input }: Whole): void {
  for (const [ctid, { firewall }] of input.configs) {
    if (firewall?.enabled !== true || (firewall.rules ?? []).length > 0) continue;
    const path: Path = ["lxc_configs", String(ctid), "firewall"];
    const message = "the firewall is on without a rule: nothing from outside reaches the container";
    input.findings.warn(input.locator, path, message, { what: "key" });
  }
}

function checkHardware({ hostConfig, resolved, input }: Whole): void {
  const { cores, memory_mb: memory } = hostConfig.hardware ?? {};
  const { locator, findings } = input;
  let sum = 0;
  for (const { spec } of resolved.values()) {
    const path: Path = ["lxc_configs", String(spec.vmid)];
    if (cores !== undefined && spec.cores > cores) {
      findings.add(locator, [...path, "cores"], `${spec.cores} cores are more than the node's ${cores}`);
    }
    if (memory !== undefined && spec.memoryMb > memory) {
      findings.add(
        locator,
        [...path, "memory_mb"],
        `${spec.memoryMb} MiB are more than the node's ${memory} MiB`,
      );
    }
    if (spec.startAtBoot && !spec.isTemplate) sum += spec.memoryMb;
  }
  if (memory !== undefined && sum > memory) {
    const message = `what starts at boot may take ${sum} MiB together, more than the node's ${memory} MiB`;
    findings.warn(locator, ["lxc_configs"], message, { what: "key" });
  }
}

function checkStoragesOfVms({ hostConfig, hostLocator, input }: Whole): void {
  const known = input.host.storages.map((storage) => storage.id);
  const check = (id: string | undefined, path: Path): void => {
    if (id === undefined || known.includes(id)) return;
    const remedy = "declare it in `storages` as `existing`, if it is there";
    input.findings.warn(hostLocator, path, `only this names the storage \`${id}\``, { remedy });
  };
  check(hostConfig.vm_defaults?.storage_pool, ["vm_defaults", "storage_pool"]);
  (hostConfig.vms ?? []).forEach((vm, i) => check(vm.storage_pool, ["vms", i, "storage_pool"]));
}
