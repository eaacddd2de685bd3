import type { Path } from "./text.ts";
import type { Whole } from "./whole-checks.ts";

/** GPUs and driver versions on which host and containers must agree. */
export function checkGpus({ hostConfig, hostLocator, lxcConfig, resolved, input }: Whole): void {
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
}

function gpusOf(assignment: string | undefined): number[] {
  if (assignment === undefined || assignment === "none") return [];
  return assignment.split(",").map(Number);
}
