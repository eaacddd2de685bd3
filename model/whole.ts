import type { HypervisorConfig } from "./generated/hypervisor-config.ts";
import type { LxcConfigs } from "./generated/lxc-configs.ts";
import type { Locator } from "./locate.ts";
import type { Input, Resolved } from "./resolution.ts";

export interface Whole {
  /** An empty one if the schema refuses it; `input.hostSound` says so. */
  hostConfig: HypervisorConfig;
  hostLocator: Locator;
  /** Only if the schema accepts all of it. */
  lxcConfig: LxcConfigs | undefined;
  resolved: ReadonlyMap<number, Resolved>;
  input: Input;
}
