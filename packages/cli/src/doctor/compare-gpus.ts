import type { Wanted } from "./wanted.ts";
import type { NodeFacts } from "./facts.ts";
import { error, warning } from "./problem.ts";
import type { Problem } from "./problem.ts";

/** Cards against what the driver and the containers want; the driver's own step says the rest. */
export function compareGpus({ model }: Wanted, facts: NodeFacts): Problem[] {
  const { nvidia } = model.host;
  if (nvidia === undefined) return [];
  const cards = facts.gpus.filter(({ name }) => /nvidia/i.test(name)).length;
  if (cards === 0) {
    const remedy = "take nvidia_driver out of the hypervisor file, or look at lspci on the node";
    return [error("a driver for NVIDIA GPUs is configured, and the node has none", remedy)];
  }
  const problems = [...model.templates, ...model.containers].flatMap(({ vmid, gpus }) => {
    const missing = gpus.filter((index) => index >= cards);
    if (missing.length === 0) return [];
    const what = `CT ${vmid} wants GPU ${missing.join(", ")}, the node has ${cards === 1 ? "GPU 0" : `GPUs 0 to ${cards - 1}`}`;
    return [error(what, "gpu_assignment in the container file")];
  });
  const other = facts.gpus.find(({ driver }) => driver !== undefined && driver !== nvidia.version)?.driver;
  if (other !== undefined) {
    problems.push(
      warning(
        `the NVIDIA driver ${other} is loaded, configured is ${nvidia.version}`,
        "the run replaces it and may stop for a reboot of the node",
      ),
    );
  }
  return [...problems, ...compareKernels(nvidia.version, facts)];
}

/** A module is built for each kernel, which takes its headers; the open driver has to make room. */
function compareKernels(version: string, facts: NodeFacts): Problem[] {
  const { kernel, kernels, headers, headersOffered } = facts;
  const newest = kernels.toSorted(new Intl.Collator("en", { numeric: true }).compare).at(-1) ?? kernel;
  const missing = [...new Set([kernel, newest])].filter(
    (one) => !headers.includes(one) && !headersOffered.includes(one),
  );
  const problems = missing.map((one) =>
    error(
      `the headers of kernel ${one} cannot be had, and the NVIDIA driver ${version} needs them`,
      one === newest
        ? "look at the node's repositories: apt-get update; apt-cache policy proxmox-default-headers"
        : `reboot the node into its newest kernel ${newest}`,
    ),
  );
  if (facts.nouveau) {
    problems.push(
      warning(
        "the module nouveau holds the NVIDIA cards",
        "the run unloads it; where it is in use (a console on the card), the run stops for a reboot of the node",
      ),
    );
  }
  return problems;
}
