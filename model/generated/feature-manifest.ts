/** Generated from schemas/feature_manifest.schema.json by `npm run generate`; do not edit. */

/**
 * What a feature script is called, takes and needs. It lies beside the script under the same name, ending in .json.
 */
export interface FeatureManifestFile {
  /**
   * Relative path of this schema.
   */
  $schema?: string;
  /**
   * The name used in `features`.
   */
  name: string;
  /**
   * Version of the script.
   */
  version: string;
  /**
   * One sentence: what it does.
   */
  description: string;
  /**
   * Where it acts.
   */
  target: "lxc" | "hypervisor";
  /**
   * JSON Schema of the parameters.
   */
  parameters: {};
  needs?: FeatureNeeds;
  /**
   * What it is told of the rest of the configuration, in parameters of these names, in a container that a GPU is assigned to. `nvidia`: version and source of the driver. `nvidia_container_toolkit`: that section of the container file, unless it says not to install it.
   */
  context?: ("nvidia" | "nvidia_container_toolkit")[];
  /**
   * The verbs it understands; `remove` only where undoing makes sense.
   */
  verbs: ("check" | "apply" | "remove")[];
}
/**
 * What it needs of the container it runs in.
 */
export interface FeatureNeeds {
  /**
   * The container may start containers.
   */
  nesting?: boolean;
  /**
   * The keyctl system call.
   */
  keyctl?: boolean;
  /**
   * FUSE mounts.
   */
  fuse?: boolean;
  /**
   * A network from which packages can be had.
   */
  network?: boolean;
  /**
   * An NVIDIA GPU assigned to the container.
   */
  gpu?: boolean;
  /**
   * It may ask for a restart.
   */
  reboot?: boolean;
  /**
   * Features that must come before it, in the container or in the templates below it.
   */
  features?: string[];
}
