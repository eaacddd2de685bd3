/** NVIDIA GPUs: the host's driver, what containers are told of it, and which of them have which GPU. */
import type { HypervisorConfig, NvidiaDriver } from "./generated/hypervisor-config.ts";
import type { LxcConfigs, NvidiaContainerToolkit } from "./generated/lxc-configs.ts";
import type { DriverSource, FeatureSpec, HostSpec, InheritedFeatureSpec } from "./types.ts";

/** The driver's user space in a container: the host's version, from a source that fits the container. */
export interface GuestDriver {
  version: string;
  source: DriverSource;
  repository?: { uri: string; keyUrl: string; keySha256?: string };
  runfile?: { url: string; sha256?: string };
  /** The CUDA toolkit; none without it. */
  cudaVersion?: string;
}

/** What Docker's NVIDIA runtime is made of. */
export interface ContainerToolkit {
  version: string;
  repository: { uri: string; keyUrl: string; keySha256?: string };
}

/** What a feature is told whose manifest names the key in `context`. */
export interface GpuContext {
  nvidia?: GuestDriver;
  nvidia_container_toolkit?: ContainerToolkit;
}

/** `"0,1"` → the indexes in order; `"none"` → none. */
export function gpusOf(assignment: string | undefined): number[] {
  if (assignment === undefined || assignment === "none") return [];
  return assignment
    .split(",")
    .map(Number)
    .sort((a, b) => a - b);
}

/** The driver that the host shall have; nothing where it installs none, or where the version is not said. */
export function driverOf(config: NvidiaDriver | undefined): Pick<HostSpec, "nvidia"> {
  if (config?.install !== true || config.version === undefined) return {};
  const { version, packages, runfile_url: url, runfile_sha256: sha256 } = config;
  const source = config.source ?? (url === undefined ? "distribution" : "runfile");
  const repository = repositoryOf(source, config);
  return {
    nvidia: {
      version,
      source,
      kernelModule: config.kernel_module ?? "proprietary",
      ...(packages === undefined || source === "runfile" ? {} : { packages }),
      ...(repository === undefined ? {} : { repository }),
      ...(url === undefined || source !== "runfile" ? {} : { runfile: { url, ...defined({ sha256 }) } }),
      persistence: config.persistence ?? true,
    },
  };
}

const vendorRepository = "https://developer.download.nvidia.com/compute/cuda/repos/debian12/x86_64/";
/** The key that all of NVIDIA's CUDA repositories are signed with lies beside their packages. */
const vendorKey = "3bf863cc.pub";

function repositoryOf(
  source: DriverSource,
  { repository: { uri, key_url: keyUrl, key_sha256: keySha256 } = {} }: NvidiaDriver,
): { uri?: string; keyUrl?: string; keySha256?: string } | undefined {
  if (source === "runfile") return undefined;
  if (source === "distribution") {
    const given = defined({ uri, keyUrl, keySha256 });
    return Object.keys(given).length === 0 ? undefined : given;
  }
  const address = uri ?? vendorRepository;
  return { uri: address, keyUrl: keyUrl ?? beside(address, vendorKey), ...defined({ keySha256 }) };
}

function beside(uri: string, name: string): string {
  return uri.endsWith("/") ? uri + name : `${uri}/${name}`;
}

/** What containers with a GPU are told; nothing where the host has no driver. */
export function gpuContext(host: HypervisorConfig, lxc: LxcConfigs | undefined): GpuContext {
  const { nvidia } = driverOf(host.nvidia_driver);
  if (nvidia === undefined || lxc === undefined) return {};
  const url = lxc.nvidia_runfile_url ?? nvidia.runfile?.url;
  const source = lxc.nvidia_source ?? (lxc.nvidia_runfile_url === undefined ? nvidia.source : "runfile");
  const sha256 =
    lxc.nvidia_runfile_sha256 ?? (url === nvidia.runfile?.url ? nvidia.runfile?.sha256 : undefined);
  const cudaVersion = host.nvidia_driver?.cuda_version;
  const uri = lxc.nvidia_repo_url;
  const needsRepository = source === "vendor-repository" || cudaVersion !== undefined;
  const toolkit = toolkitOf(lxc.nvidia_container_toolkit);
  return {
    nvidia: {
      version: lxc.nvidia_driver_version ?? nvidia.version,
      source,
      ...(uri === undefined || !needsRepository
        ? {}
        : {
            repository: {
              uri,
              keyUrl: beside(uri, vendorKey),
              ...defined({ keySha256: lxc.nvidia_repo_key_sha256 }),
            },
          }),
      ...(url === undefined || source !== "runfile" ? {} : { runfile: { url, ...defined({ sha256 }) } }),
      ...defined({ cudaVersion }),
    },
    ...(toolkit === undefined ? {} : { nvidia_container_toolkit: toolkit }),
  };
}

function toolkitOf(config: NvidiaContainerToolkit = {}): ContainerToolkit | undefined {
  if (config.install === false) return undefined;
  return {
    version: config.version ?? "",
    repository: {
      uri: config.repo_url ?? "https://nvidia.github.io/libnvidia-container/stable/deb/amd64/",
      keyUrl: config.key_url ?? "https://nvidia.github.io/libnvidia-container/gpgkey",
      ...defined({ keySha256: config.key_sha256 }),
    },
  };
}

/**
 * A container's features, each told what its manifest asks for. A feature that a template has without a GPU does not
 * know what this container has (or the other way round): it becomes one of the container's own, and is applied again.
 * One that makes no sense without a GPU simply stays.
 */
export function withContext(
  own: readonly FeatureSpec[],
  inherited: readonly InheritedFeatureSpec[],
  context: GpuContext,
): FeatureSpec[] {
  const told = own.map((feature) => tell(feature, context));
  for (const feature of latest(inherited)) {
    if (feature.manifest?.needs.gpu === true || own.some(({ name }) => name === feature.name)) continue;
    const knows = (feature.manifest?.context ?? []).filter((key) => feature.parameters[key] !== undefined);
    const shall = (feature.manifest?.context ?? []).filter((key) => context[key] !== undefined);
    if (knows.join() === shall.join()) continue;
    told.push(tell(asOwn(feature), context));
  }
  return told;
}

function asOwn({ name, level, script, manifest, parameters, removable }: InheritedFeatureSpec): FeatureSpec {
  return { name, level, script, ...(manifest === undefined ? {} : { manifest }), parameters, removable };
}

/** Each name once, as the nearest template has it. */
function latest(inherited: readonly InheritedFeatureSpec[]): InheritedFeatureSpec[] {
  return [...new Map(inherited.map((feature) => [feature.name, feature])).values()];
}

function tell(feature: FeatureSpec, context: GpuContext): FeatureSpec {
  const keys = feature.manifest?.context ?? [];
  if (keys.length === 0) return feature;
  const others = Object.entries(feature.parameters).filter(([key]) => !(keys as string[]).includes(key));
  const known = keys.filter((key) => context[key] !== undefined).map((key) => [key, context[key]] as const);
  return { ...feature, parameters: Object.fromEntries([...others, ...known]) };
}

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
