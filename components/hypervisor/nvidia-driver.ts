import * as pulumi from "@pulumi/pulumi";
import type { NvidiaDriverSpec } from "../../model/index.ts";
import { devicesFor, readDriverDocument, type DriverDocument, type PassedDevice } from "../../model/index.ts";
import { Feature } from "../feature.ts";
import type { HostContext } from "./host-context.ts";

/** The host's NVIDIA driver, and the GPUs that it found. */
export class NvidiaDriver extends pulumi.ComponentResource {
  /** What the driver's script said last; unknown while it is about to run. */
  readonly #found: pulumi.Output<DriverDocument>;

  constructor(spec: NvidiaDriverSpec, context: HostContext, opts?: pulumi.ComponentResourceOptions) {
    super("phoenix:hypervisor:NvidiaDriver", "nvidia-driver", {}, opts);
    const step = new Feature(
      "nvidia-driver-install",
      {
        target: context.target,
        script: context.scripts.version("bin/hypervisor/feature_install_nvidia_driver.sh"),
        input: { stack: context.target.stack, parameters: { ...spec } },
        removable: true,
      },
      { parent: this },
    );
    this.#found = step.output.apply(readDriverDocument);
    this.registerOutputs({ version: spec.version, gpus: this.gpus });
  }

  /** The version that serves. */
  get version(): pulumi.Output<string> {
    return this.#found.apply(({ version }) => version);
  }

  /** Index, UUID, PCI address and name of each GPU. */
  get gpus(): pulumi.Output<object[]> {
    return this.#found.apply(({ gpus }) =>
      gpus.map(({ index, uuid, pci, name }) => ({ index, uuid, pci, name })),
    );
  }

  /**
   * The device nodes of some GPUs, for a container; they change only where the node's do.
   * @throws pulumi.RunError for a GPU that the node does not have
   */
  devicesFor(vmid: number, gpus: readonly number[]): pulumi.Output<PassedDevice[]> {
    return this.#found.apply((found) => {
      try {
        return devicesFor(found, gpus);
      } catch (error) {
        throw new pulumi.RunError(`container ${vmid}: ${(error as Error).message}`);
      }
    });
  }
}
