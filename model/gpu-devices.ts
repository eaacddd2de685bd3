/** What the host's driver step says about GPUs, and what of it a container gets. */

/** A device node with its numbers, as in `195:0`; the numbers say what was true when the driver step ran. */
interface DeviceNode {
  path: string;
  numbers: string;
}

/** The last line of `feature_install_nvidia_driver.sh apply`. */
export interface DriverDocument {
  version: string;
  gpus: { index: number; uuid: string; pci: string; name: string; devices: DeviceNode[] }[];
  /** Those that every user of any GPU needs. */
  devices: DeviceNode[];
}

/** An entry of a container's `devices`. */
export interface PassedDevice {
  path: string;
  mode: string;
}

/** As the driver makes them on the host: open to every user, who in a container is not only root. */
const mode = "0666";

/** @throws Error if it is not what the script prints */
export function readDriverDocument(stdout: string): DriverDocument {
  const line = stdout.trimEnd().split("\n").at(-1) ?? "";
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const document = value as Partial<DriverDocument> | undefined;
  if (!Array.isArray(document?.gpus) || !Array.isArray(document.devices))
    throw new Error(`the driver step ended with no list of GPUs but with: ${line.slice(0, 200)}`);
  return document as DriverDocument;
}

/**
 * The paths alone: the numbers of `/dev/nvidia-uvm` change from start to start, and Proxmox VE looks them up itself
 * whenever it starts the container.
 * @throws Error for a GPU that is not there
 */
export function devicesFor(found: DriverDocument, gpus: readonly number[]): PassedDevice[] {
  if (gpus.length === 0) return [];
  const own = gpus.flatMap((index) => {
    const gpu = found.gpus.find((one) => one.index === index);
    if (gpu === undefined) {
      const there = found.gpus.map((one) => `${one.index} (${one.name}, ${one.pci})`);
      throw new Error(
        `there is no GPU ${index} on the node; there is ${there.length === 0 ? "none" : there.join(", ")}. Correct \`gpu_assignment\`.`,
      );
    }
    return gpu.devices;
  });
  return [...own, ...found.devices].map(({ path }) => ({ path, mode }));
}
