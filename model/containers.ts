import { ownFeatures, settingsOf } from "./features.ts";
import type { ContainerConfig } from "./generated/lxc-configs.ts";
import { checkRoll, healthOf, readyOf } from "./life.ts";
import { unknownName } from "./names.ts";
import { effective, pathOf } from "./inherit.ts";
import type { ChainLink, Effective } from "./inherit.ts";
import { list } from "./schema-errors.ts";
import { networksOf } from "./networks.ts";
import { order } from "./order.ts";
import { gpusOf, withContext } from "./nvidia.ts";
import { furtherAbilities, resourcesOf } from "./resources.ts";
import { textOf } from "./text.ts";
import type { Path } from "./text.ts";
import { volumesOf } from "./volumes.ts";
import type {
  Allowed,
  ContainerSource,
  ContainerSpec,
  FeatureSpec,
  HostSpec,
  InheritedFeatureSpec,
} from "./types.ts";
import type { Input, Resolved } from "./resolution.ts";

/** Inheritance resolved and references followed: every container as it will be, keyed by CTID, needed ones first. */
export function resolveContainers(input: Input): Map<number, Resolved> {
  const { configs } = input;
  for (const [ctid, config] of configs) checkReferences(ctid, config, input);
  const ids = [...configs.keys()];
  const parentOf = (id: number): number[] => toNumbers([configs.get(id)?.clone_from_ctid]);
  const dependenciesOf = (id: number): number[] => toNumbers(configs.get(id)?.dependencies ?? []);
  const clones = order(ids, parentOf);
  reportCycles(clones.cycles, "clone_from_ctid", "is cloned from", input);
  const all = order(ids, (id) => [...parentOf(id), ...dependenciesOf(id)]);
  if (clones.cycles.length === 0) reportCycles(all.cycles, "dependencies", "needs", input);
  const resolved = new Map<number, Resolved>();
  // What stands in a circle of dependencies is still looked at; in a circle of clones there is nothing to see.
  const placed = new Set(all.order);
  for (const ctid of [...all.order, ...clones.order.filter((id) => !placed.has(id))]) {
    const config = configs.get(ctid);
    const [parentId] = parentOf(ctid);
    const parent = parentId === undefined ? undefined : resolved.get(parentId);
    if (config !== undefined) resolved.set(ctid, resolve(ctid, config, parent, resolved, input));
  }
  return resolved;
}

function toNumbers(ctids: readonly (string | undefined)[]): number[] {
  return ctids.filter((ctid) => ctid !== undefined).map(Number);
}

function checkReferences(ctid: number, config: ContainerConfig, input: Input): void {
  const { configs, damaged, host, hostSound, locator, findings } = input;
  const path: Path = ["lxc_configs", String(ctid)];
  const known = [...configs.keys()].map(String);
  if (config.clone_from_ctid !== undefined) {
    const source = Number(config.clone_from_ctid);
    const sourceConfig = configs.get(source);
    if (sourceConfig === undefined) {
      findings.add(
        locator,
        [...path, "clone_from_ctid"],
        ...unknownName("container", config.clone_from_ctid, known),
      );
    } else if (sourceConfig.is_template !== true && damaged.get(source)?.has("is_template") !== true) {
      findings.add(locator, [...path, "clone_from_ctid"], `${source} is not a template`, {
        remedy: `set \`"is_template": true\` in ${source}, or clone from one that is`,
      });
    }
    if (config.template !== undefined) {
      const message = "`template` and `clone_from_ctid` exclude each other: it can come from one place only";
      findings.add(locator, [...path, "template"], message, { what: "key" });
    }
  } else if (config.template === undefined) {
    if (isUnsure([{ ctid, config }], input, "template")) return;
    const remedy = "set `template` to an OS image, or `clone_from_ctid` to a template";
    findings.add(locator, path, `${ctid} says nothing about what it is made from`, { remedy, what: "key" });
  } else if (hostSound && !host.osTemplates.some((template) => template.name === config.template)) {
    const names = host.osTemplates.map((template) => template.name);
    findings.add(locator, [...path, "template"], ...unknownName("OS template", config.template, names));
  }
  config.dependencies?.forEach((dependency, i) => {
    if (configs.has(Number(dependency))) return;
    findings.add(locator, [...path, "dependencies", i], ...unknownName("container", dependency, known));
  });
}

function reportCycles(cycles: readonly number[][], key: string, verb: string, input: Input): void {
  for (const cycle of cycles) {
    const [first = 0] = cycle;
    const text = [...cycle, first].join(` ${verb} `);
    input.findings.add(input.locator, ["lxc_configs", String(first), key], `a circle: ${text}`, {
      remedy: "take one of these references out",
    });
  }
}

function chainOf(ctid: number, configs: ReadonlyMap<number, ContainerConfig>): ChainLink[] {
  const chain: ChainLink[] = [];
  let id: number | undefined = ctid;
  while (id !== undefined) {
    const config = configs.get(id);
    if (config === undefined) break;
    chain.unshift({ ctid: id, config });
    id = toNumbers([config.clone_from_ctid])[0];
  }
  return chain;
}

/** Whether something in the chain that could say one of these keys could not be read. */
function isUnsure(chain: readonly ChainLink[], { damaged, configs }: Input, ...keys: string[]): boolean {
  const base = Number(chain[0]?.config.clone_from_ctid);
  if (!Number.isNaN(base) && !configs.has(base)) return true;
  return chain.some(({ ctid }) => {
    const lost = damaged.get(ctid);
    return lost !== undefined && ["*", "clone_from_ctid", ...keys].some((key) => lost.has(key));
  });
}

function resolve(
  ctid: number,
  config: ContainerConfig,
  parent: Resolved | undefined,
  done: ReadonlyMap<number, Resolved>,
  input: Input,
): Resolved {
  const { host, catalogue, locator, findings, unbuilt } = input;
  const place = { ctid, locator, findings, unbuilt };
  const chain = chainOf(ctid, input.configs);
  const values = effective(chain, input.defaults);
  const get = (key: string): unknown => values.get(key)?.value;
  const inherited: InheritedFeatureSpec[] =
    parent === undefined
      ? []
      : [
          ...parent.spec.inheritedFeatures,
          ...parent.spec.features.map((f: FeatureSpec) => ({ ...f, from: parent.spec.vmid })),
        ];
  const gpus = gpusOf(config.gpu_assignment);
  const named = ownFeatures(config, inherited, catalogue, {
    ...place,
    sure: !isUnsure(chain, input, "features"),
  });
  const features = withContext(named, inherited, gpus.length > 0 ? input.context : {});
  const options = (get("pct_options") as string[] | undefined) ?? [];
  const settings = {
    ...settingsOf(options, [...inherited, ...features], place),
    ...furtherAbilities(options),
  };
  const rootfs = rootfsOf(chain, values, parent, input);
  const source = sourceOf(config, host);
  const unprivileged = (get("unprivileged") as boolean | undefined) ?? true;
  const sure = !isUnsure(chain, input, "unprivileged");
  if (sure && parent !== undefined && parent.spec.unprivileged !== unprivileged) {
    const message = `\`unprivileged\` is ${unprivileged}, but ${parent.spec.vmid}, which it is cloned from, has ${!unprivileged}`;
    findings.add(locator, pathOf(values, ctid, "unprivileged"), message, {
      remedy: "it is fixed when the root file system is made; leave it out here",
    });
  }
  const network = networksOf(ctid, values, !isUnsure(chain.slice(-1), input, "network_config"), input);
  const isTemplate = config.is_template ?? false;
  const resources = resourcesOf(ctid, values, { unprivileged, isTemplate, network }, input);
  const nameserver = get("nameserver") as string | undefined;
  const health = healthOf(ctid, values, place);
  const bootOrder = get("boot_order") as number | undefined;
  const bootDelay = get("boot_delay") as number | undefined;
  const spec: ContainerSpec = {
    vmid: ctid,
    // Absent only where the schema has refused it already.
    name: textOf(config.name),
    isTemplate,
    ...resources,
    cores: (get("cores") as number | undefined) ?? 1,
    memoryMb: (get("memory_mb") as number | undefined) ?? 512,
    swapMb: (get("swap_mb") as number | undefined) ?? 512,
    rootfs,
    network,
    ...(nameserver === undefined ? {} : { nameserver }),
    unprivileged,
    source,
    settings,
    features,
    inheritedFeatures: inherited,
    startAtBoot: (get("start_at_boot") as boolean | undefined) ?? false,
    ...(bootOrder === undefined ? {} : { bootOrder }),
    ...(bootDelay === undefined ? {} : { bootDelay }),
    dependencies: toNumbers(config.dependencies ?? []).sort((a, b) => a - b),
    volumes: volumesOf({ vmid: ctid, unprivileged, idMaps: resources.idMaps }, input),
    mounts: [],
    ready: readyOf(values),
    ...(health === undefined ? {} : { health }),
    roll: config.is_template !== true && get("roll") === true,
    gpus,
    protect: get("protect") === true,
    allow: (get("allow") as Allowed[] | undefined) ?? [],
  };
  checkBootOrder(spec, done, input);
  checkRoll(spec, values, input);
  return { spec, effective: values };
}

function rootfsOf(
  chain: readonly ChainLink[],
  values: Effective,
  parent: Resolved | undefined,
  input: Input,
): ContainerSpec["rootfs"] {
  const { host, locator, findings } = input;
  const { ctid = 0, config } = chain.at(-1) ?? {};
  const path: Path = ["lxc_configs", String(ctid)];
  const storageId = values.get("storage_pool")?.value as string | undefined;
  const sizeGb = values.get("storage_size_gb")?.value as number | undefined;
  if (storageId === undefined || sizeGb === undefined) {
    const hasSource = config?.template !== undefined || config?.clone_from_ctid !== undefined;
    for (const key of ["storage_pool", "storage_size_gb"]) {
      if (values.has(key) || !hasSource || isUnsure(chain, input, key)) continue;
      findings.add(locator, path, `\`${key}\` is missing, here and in the templates below it`, {
        what: "key",
      });
    }
    return { storage: storageId ?? "", sizeGb: sizeGb ?? 0 };
  }
  const own = (key: string): boolean => pathOf(values, ctid, key)[1] === String(ctid);
  const storage = host.storages.find((candidate) => candidate.id === storageId);
  if (own("storage_pool") && storage === undefined && input.hostSound) {
    const names = host.storages.map((candidate) => candidate.id);
    findings.add(locator, [...path, "storage_pool"], ...unknownName("storage", storageId, names));
  } else if (own("storage_pool") && storage !== undefined && !storage.content.includes("rootdir")) {
    const message = `the storage \`${storageId}\` cannot hold containers: its content is ${list(storage.content)}`;
    findings.add(locator, [...path, "storage_pool"], message, {
      remedy: "a storage with content `rootdir` is needed",
    });
  }
  const linked =
    config?.clone_mode === "linked" || (config?.clone_mode === undefined && config?.is_template === true);
  if (parent !== undefined && linked && own("storage_pool") && storageId !== parent.spec.rootfs.storage) {
    const message = `a linked clone lies on the storage of its template ${parent.spec.vmid}, \`${parent.spec.rootfs.storage}\``;
    findings.add(locator, [...path, "storage_pool"], message, {
      remedy: '`"clone_mode": "full"` makes a copy of its own',
    });
  }
  if (parent !== undefined && sizeGb < parent.spec.rootfs.sizeGb) {
    const message = `${sizeGb} GiB is smaller than its template ${parent.spec.vmid} with ${parent.spec.rootfs.sizeGb} GiB`;
    findings.add(locator, [...path, "storage_size_gb"], message, {
      remedy: "a clone can be larger, never smaller",
    });
  }
  return { storage: storageId, sizeGb };
}

function sourceOf(config: ContainerConfig, host: HostSpec): ContainerSource {
  if (config.clone_from_ctid !== undefined) {
    const mode = config.clone_mode ?? (config.is_template === true ? "linked" : "full");
    return { kind: "clone", vmid: Number(config.clone_from_ctid), mode };
  }
  const template = host.osTemplates.find((candidate) => candidate.name === config.template);
  // Reported already; the container is looked at all the same.
  if (template === undefined) return { kind: "os-template", template: "", volid: "", image: "" };
  const { name, storage, fileName, checksum } = template;
  const image = checksum === undefined ? fileName : `${checksum.algorithm}:${checksum.value.toLowerCase()}`;
  return { kind: "os-template", template: name, volid: `${storage}:vztmpl/${fileName}`, image };
}

function checkBootOrder(
  spec: ContainerSpec,
  done: ReadonlyMap<number, Resolved>,
  { locator, findings }: Input,
): void {
  if (!spec.startAtBoot) return;
  for (const dependency of spec.dependencies) {
    const other = done.get(dependency)?.spec;
    if (other === undefined || other.isTemplate) continue;
    const path: Path = ["lxc_configs", String(spec.vmid), "boot_order"];
    if (!other.startAtBoot) {
      findings.warn(locator, path, `it starts at boot and needs ${dependency}, which does not`, {
        what: "key",
      });
    } else if (
      spec.bootOrder !== undefined &&
      other.bootOrder !== undefined &&
      other.bootOrder > spec.bootOrder
    ) {
      const message = `it starts as number ${spec.bootOrder} and needs ${dependency}, which starts as number ${other.bootOrder}`;
      findings.add(locator, path, message, { remedy: `a \`boot_order\` of at least ${other.bootOrder}` });
    }
  }
}
