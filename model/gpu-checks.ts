import { gpusOf } from "./nvidia.ts";
import type { LxcConfigs } from "./generated/lxc-configs.ts";
import type { Path } from "./text.ts";
import type { Whole } from "./whole.ts";

/** GPUs and driver versions on which host and containers must agree. */
export function checkGpus(whole: Whole): void {
  const { hostConfig, hostLocator, lxcConfig, resolved, input } = whole;
  const { configs, locator, findings } = input;
  const driver = hostConfig.nvidia_driver;
  const count = hostConfig.hardware?.gpus;
  for (const [ctid, config] of configs) {
    const path: Path = ["lxc_configs", String(ctid), "gpu_assignment"];
    const indexes = gpusOf(config.gpu_assignment);
    for (const index of indexes) {
      if (count !== undefined && index >= count) {
        const message = `there is no GPU ${index}: the node has ${count}, counted from 0`;
        findings.add(locator, path, message);
      }
    }
    if (new Set(indexes).size < indexes.length) findings.add(locator, path, "a GPU is named twice");
    if (input.hostSound && indexes.length > 0 && driver?.install !== true) {
      findings.add(locator, path, "a GPU is assigned, but the host installs no NVIDIA driver", {
        remedy: '"nvidia_driver": {"install": true, "version": ...} in the hypervisor file',
      });
    }
    const needing = resolved.get(ctid)?.spec.features.find((feature) => feature.manifest?.needs.gpu === true);
    if (needing !== undefined && indexes.length === 0 && !input.damaged.has(ctid)) {
      const message = `the feature \`${needing.name}\` needs a GPU, and none is assigned`;
      findings.add(locator, path, message, { remedy: '"gpu_assignment": "0"', what: "key" });
    }
  }
  const version = lxcConfig?.nvidia_driver_version;
  if (version !== undefined && driver?.version !== undefined && version !== driver.version) {
    const message = `the containers' NVIDIA driver is ${version}, the host's ${driver.version}`;
    findings.add(locator, ["nvidia_driver_version"], message, { remedy: "both must be the same version" });
  }
  const inUrl = (url: string | undefined): string | undefined =>
    /(\d{3}\.\d+(\.\d+)?)\.run$/.exec(url ?? "")?.[1];
  for (const [url, expected, where, path] of [
    [driver?.runfile_url, driver?.version, hostLocator, ["nvidia_driver", "runfile_url"]],
    [lxcConfig?.nvidia_runfile_url, version, locator, ["nvidia_runfile_url"]],
  ] as const) {
    const found = inUrl(url);
    if (found === undefined || expected === undefined || found === expected) continue;
    findings.add(where, path, `this installs ${found}, but the version is ${expected}`);
  }
  if (hostConfig.nvidia_driver?.install === true && input.hostSound) checkDriver(whole);
  if (lxcConfig !== undefined) checkUserSpace(whole);
}

/** What the driver's source needs. A checksum is never made up: without it nothing is fetched. */
function checkDriver({ hostConfig, hostLocator, input: { host, findings, unbuilt } }: Whole): void {
  const place: Path = ["nvidia_driver"];
  const { nvidia } = host;
  const sum = unbuilt === "warn" ? "warning" : "error";
  if (nvidia === undefined) {
    findings.add(hostLocator, place, "the driver's `version` is missing", {
      remedy: "one version, the same on the host and in containers",
      what: "key",
    });
  } else if (nvidia.source === "runfile") {
    if (nvidia.runfile === undefined) {
      findings.add(hostLocator, place, "`runfile_url` is missing: the driver's source is `runfile`", {
        what: "key",
      });
    } else if (nvidia.runfile.sha256 === undefined) {
      findings.add(hostLocator, [...place, "runfile_url"], "the installer's checksum is missing", {
        severity: sum,
        remedy: '"runfile_sha256": the SHA-256 of the file that you trust; nothing is run without it',
      });
    }
  } else if (nvidia.repository?.keyUrl !== undefined && nvidia.repository.keySha256 === undefined) {
    const path = hostConfig.nvidia_driver?.repository === undefined ? place : [...place, "repository"];
    findings.add(hostLocator, path, "the checksum of the repository's key is missing", {
      severity: sum,
      remedy: `"repository": {"key_sha256": ...}: the SHA-256 of ${nvidia.repository.keyUrl}`,
    });
  }
}

/** What the features of containers with a GPU need at the top of the container file. */
function checkUserSpace({ lxcConfig, resolved, input }: Whole): void {
  const { context, locator, findings, unbuilt } = input;
  const severity = unbuilt === "warn" ? "warning" : "error";
  const told = (key: keyof typeof context): boolean =>
    [...resolved.values()].some(({ spec }) => spec.features.some((one) => one.parameters[key] !== undefined));
  const missing = (beside: keyof LxcConfigs, what: string, remedy: string): void => {
    const path = lxcConfig?.[beside] === undefined ? [] : [beside];
    findings.add(locator, path, `${what} is missing`, { severity, remedy, what: "key" });
  };
  const { nvidia, nvidia_container_toolkit: toolkit } = context;
  if (nvidia !== undefined && told("nvidia")) {
    const { source, runfile, repository, cudaVersion } = nvidia;
    const installer = "of the containers' NVIDIA installer";
    if (source === "runfile" && runfile === undefined) {
      missing("nvidia_source", `the address ${installer}`, '"nvidia_runfile_url": a URL ending in `.run`');
    } else if (runfile !== undefined && runfile.sha256 === undefined) {
      const remedy = `"nvidia_runfile_sha256": the SHA-256 of ${runfile.url}`;
      missing("nvidia_runfile_url", `the checksum ${installer}`, remedy);
    }
    if ((source === "vendor-repository" || cudaVersion !== undefined) && repository === undefined) {
      const why = cudaVersion === undefined ? "the source `vendor-repository`" : "the host's `cuda_version`";
      const remedy = '"nvidia_repo_url": a URL ending in `/`';
      missing("nvidia_source", `the package repository that ${why} needs`, remedy);
    } else if (repository !== undefined && repository.keySha256 === undefined) {
      const remedy = `"nvidia_repo_key_sha256": the SHA-256 of ${repository.keyUrl}`;
      missing("nvidia_repo_url", "the checksum of the repository's key", remedy);
    }
  }
  if (toolkit !== undefined && told("nvidia_container_toolkit")) {
    if (toolkit.version !== "" && toolkit.repository.keySha256 !== undefined) return;
    const remedy = `"nvidia_container_toolkit": {"version": "1.17.8-1", "key_sha256": the SHA-256 of ${toolkit.repository.keyUrl}}; or {"install": false}, and Docker has no NVIDIA runtime`;
    const what = "the NVIDIA container toolkit's version, or the checksum of its key,";
    missing("nvidia_container_toolkit", what, remedy);
  }
}
