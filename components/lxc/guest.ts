import { randomBytes } from "node:crypto";
import * as proxmoxve from "@muhlba91/pulumi-proxmoxve";
import * as pulumi from "@pulumi/pulumi";
import { refusedSettings, type ContainerSpec } from "../../model/index.ts";
import { editGuard } from "../edit-guard.ts";
import { Feature, type FeatureArgs, runScript } from "../feature.ts";
import type { NodeScripts, ScriptVersion } from "../scripts/node-scripts.ts";
import { digestOf } from "../digest.ts";
import { guard, type Intent } from "./guard.ts";
import type { Guest, GuestContext } from "./guest-context.ts";
import { formatMark } from "./mark.ts";
import type { Survey } from "./survey.ts";
import { networkArgs } from "./network-args.ts";
import { settingsOf } from "./settings.ts";
import { takeSnapshot } from "./snapshot.ts";
import { Volume } from "./volume.ts";

/** Inputs of which a change takes a new guest. */
export const REPLACING = ["clone", "unprivileged", "nodeName"];

/** What is taken back is never made anew by the run that does so. */
export const asItStands: pulumi.CustomResourceOptions = { ignoreChanges: REPLACING };

/**
 * What the settings step owns, or what sealing changes behind the provider's back, or what is written once.
 * With these, refresh and preview stay empty, sealed templates included.
 */
export const IGNORED = [
  "description",
  "started",
  "template",
  "disk",
  "operatingSystem",
  "mountPoints",
  "devicePassthroughs",
  "features",
];

/** Seconds; the provider's own budget for a delete is 60 s, less than an orderly shutdown may take. */
const TIMEOUT_DELETE = 600;

/**
 * Created stopped → settings and start → own features, in order.
 *
 * @param cloneVmid the source's vmid, as an output where a rebuild of the source has to rebuild this guest too
 * @param opts `parent` is the component; the rest goes to the guest alone
 */
export function createGuest(
  spec: ContainerSpec,
  context: GuestContext,
  cloneVmid: pulumi.Input<number> | undefined,
  opts: Omit<pulumi.CustomResourceOptions, "dependsOn"> & { parent: pulumi.Resource },
): Guest {
  const { target, scripts } = context;
  const { vmid } = spec;
  const { parent } = opts;
  const volumes = spec.volumes.map((volume) => new Volume(vmid, volume, context, { parent }));
  const resource = new proxmoxve.ContainerLegacy(`${vmid}`, containerArgs(spec, context, cloneVmid), {
    ...opts,
    protect: spec.protect,
    // On the way back the guest goes first: a dataset that it sees cannot be destroyed.
    dependsOn: volumes,
    // Create-first would meet the occupied vmid, adopt the old guest, and then delete it.
    deleteBeforeReplace: true,
    // What is to make it anew cannot be ignored at the same time.
    ignoreChanges: [
      ...IGNORED.filter((key) => !opts.replaceOnChanges?.includes(key)),
      ...(opts.ignoreChanges ?? []),
    ],
    hooks: context.clones.hooks(
      vmid,
      spec.source.kind === "clone" ? spec.source.vmid : undefined,
      guard(target.api, intentOf(spec, context)),
    ),
  });

  const guest = { resource, mark: resource.description.apply(firstLine) };
  const recipe = spec.isTemplate ? context.recipes.get(vmid) : undefined;
  const input = (parameters: Readonly<Record<string, unknown>>) => ({
    stack: target.stack,
    ctid: vmid,
    ...(recipe ? { recipe } : {}),
    parameters,
    allow: spec.allow,
  });
  const early = takeSnapshot("pre-configured", spec, { target, guest }, context, {
    parent,
    dependsOn: [resource],
  });
  const settings = runScript(
    `${vmid}-settings`,
    {
      target,
      guest,
      script: scripts.version("bin/lxc/configure_container.sh"),
      input: {
        ...input(settingsOf(spec)),
        // What the provider has changed may wait for a restart, which is this step's to make.
        after: digestOf(givenToProvider(spec)),
      },
      ...lateSettings(spec, context),
      removable: false,
      beforeUpdate: editGuard(`container ${vmid}`, refusedSettings),
    },
    { parent, dependsOn: [resource, ...(early ? [early] : [])] },
  );

  let last: pulumi.Resource = settings;
  if (spec.firewall) {
    last = runScript(
      `${vmid}-firewall`,
      {
        target,
        guest,
        script: scripts.version("bin/lxc/configure_firewall.sh"),
        input: input({ ...spec.firewall }),
        removable: true,
      },
      { parent, dependsOn: [last] },
    );
  }
  const features: Feature[] = [];
  for (const feature of spec.features) {
    const script = featureScript(feature.script, feature.level, scripts);
    const step = new Feature(
      `${vmid}-${feature.name}`,
      { target, guest, script, input: input(feature.parameters), removable: feature.removable },
      { parent, dependsOn: [last] },
    );
    features.push(step);
    last = step;
  }
  return { resource, settings, features, last, runArgs: { target, guest } };
}

/** What an update of the guest's own resource may be about. */
function givenToProvider(spec: ContainerSpec): object {
  const { name, cores, cpuLimit, cpuUnits, memoryMb, swapMb, network, nameserver, searchdomain } = spec;
  return {
    ...{ name, cores, cpuLimit, cpuUnits, memoryMb, swapMb, network, nameserver, searchdomain },
    ...{ console: spec.console, firewall: spec.firewall?.enabled },
  };
}

function intentOf(spec: ContainerSpec, { target, specs, surveys, recovered }: GuestContext): Intent {
  const { vmid } = spec;
  const linked = [...specs.values()].filter(
    (other) =>
      !other.isTemplate &&
      other.source.kind === "clone" &&
      other.source.vmid === vmid &&
      other.source.mode === "linked" &&
      !mayReplace(other, surveys.get(other.vmid)),
  );
  return {
    stack: target.stack,
    vmid,
    mayReplace: spec.isTemplate || mayReplace(spec, surveys.get(vmid)),
    linked: linked.map((other) => other.vmid),
    recovered: recovered.has(vmid),
  };
}

/** A container may be made anew if it says so and holds nothing that would go with it. */
export function mayReplace(spec: ContainerSpec, survey: Survey | undefined): boolean {
  return spec.allow.includes("replace") && (survey?.data ?? []).length === 0;
}

/**
 * The device nodes of assigned GPUs, as the driver found them on the node, beside those that the file names. With the
 * driver's version, by which the step runs again when that changes: a guest whose devices were missing when the node
 * came up in the middle of an upgrade could not start, and is started now.
 */
function lateSettings(
  { vmid, gpus, devices: own }: ContainerSpec,
  { driver }: GuestContext,
): Pick<FeatureArgs, "late"> {
  if (gpus.length === 0 || driver === undefined) return {};
  const found = driver.devicesFor(vmid, gpus);
  const late = pulumi.all([found, driver.version]).apply(([devices, version]): Record<string, unknown> => ({
    devices: [...own, ...devices],
    driver: version,
  }));
  return { late };
}

/** An executable without a manifest runs through a small runner that gives it the CTID as `$1`. */
function featureScript(path: string, level: 0 | 1, scripts: NodeScripts): ScriptVersion {
  const version = scripts.version(path);
  if (level === 1) return version;
  return { ...version, path: version.path.replace(/[^/]+$/, (name) => `lib/run_level0.sh ${name}`) };
}

function containerArgs(
  spec: ContainerSpec,
  { target, recipes, specs }: GuestContext,
  cloneVmid: pulumi.Input<number> | undefined,
): proxmoxve.ContainerLegacyArgs {
  const { vmid, source } = spec;
  const recipe = recipes.get(vmid) ?? "-";
  return {
    nodeName: target.node,
    vmId: vmid,
    description: formatMark({
      stack: target.stack,
      vmid,
      incarnation: randomBytes(8).toString("hex"),
      recipe,
    }),
    unprivileged: spec.unprivileged,
    ...(source.kind === "clone"
      ? { clone: cloneArgs(spec, cloneVmid ?? source.vmid) }
      : { operatingSystem: { templateFileId: source.volid, type: "debian" } }),
    disk: diskOfSource(spec, specs),
    cpu: {
      cores: spec.cores,
      ...(spec.cpuLimit > 0 ? { limit: spec.cpuLimit } : {}),
      ...(spec.cpuUnits === undefined ? {} : { units: spec.cpuUnits }),
    },
    ...consoleArgs(spec),
    ...(spec.tags.length > 0 ? { tags: spec.tags } : {}),
    ...(spec.protection ? { protection: true } : {}),
    memory: { dedicated: spec.memoryMb, swap: spec.swapMb },
    ...networkArgs(spec),
    startOnBoot: spec.startAtBoot,
    ...startupArgs(spec),
    started: false,
    timeoutDelete: TIMEOUT_DELETE,
  };
}

/** The provider's own defaults are those of Proxmox VE. */
function consoleArgs({ console: { enabled, ttyCount, type } }: ContainerSpec) {
  return enabled && ttyCount === 2 && type === "tty" ? {} : { console: { enabled, ttyCount, type } };
}

/** Either may stand alone: a delay holds back those that start after it, in whatever order. */
function startupArgs({ bootOrder: order, bootDelay: upDelay }: ContainerSpec) {
  if (order === undefined && !upDelay) return {};
  return { startup: { ...(order === undefined ? {} : { order }), ...(upDelay ? { upDelay } : {}) } };
}

/** The mark alone: a person's own text below it must not run anything again. */
function firstLine(text: string | undefined): string {
  return (text ?? "").split("\n", 1)[0] ?? "";
}

function cloneArgs(spec: ContainerSpec, vmId: pulumi.Input<number>) {
  const full = spec.source.kind === "clone" && spec.source.mode === "full";
  // PVE refuses a target storage for a linked clone: it lives where its base is.
  return { vmId, full, ...(full ? { datastoreId: spec.rootfs.storage } : {}) };
}

/** The provider does not apply a clone's disk, and must not see a difference to what the clone got. */
function diskOfSource(spec: ContainerSpec, specs: ReadonlyMap<number, ContainerSpec>) {
  let origin = spec;
  while (origin.source.kind === "clone") {
    const next = specs.get(origin.source.vmid);
    if (!next) break;
    origin = next;
  }
  return { datastoreId: spec.rootfs.storage, size: origin.rootfs.sizeGb };
}
