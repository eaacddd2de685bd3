/** Generated from schemas/phoenix_lxc_configs.schema.json by `npm run generate`; do not edit. */

/**
 * The containers: templates that are built once, and what is cloned from them.
 */
export interface LxcConfigs {
  /**
   * Relative path of this schema, for completion in an editor.
   */
  $schema?: string;
  /**
   * Templates and containers by CTID (100 to 999999999).
   */
  lxc_configs: {
    [k: string]: ContainerConfig;
  };
}
/**
 * This interface was referenced by `undefined`'s JSON-Schema definition
 * via the `patternProperty` "^[1-9]\d{2,8}$".
 */
export interface ContainerConfig {
  /**
   * Host name. A host name is unique.
   */
  name: string;
  /**
   * Memory in MiB.
   */
  memory_mb?: number;
  /**
   * Swap in MiB.
   */
  swap_mb?: number;
  /**
   * Processor cores.
   */
  cores?: number;
  /**
   * Name of the operating system image in `os_templates` that it is built from. Either this or `clone_from_ctid`.
   */
  template?: string;
  /**
   * CTID of the template that it is cloned from. Either this or `template`.
   */
  clone_from_ctid?: string;
  /**
   * `full` is a copy of its own, `linked` shares blocks with its template and cannot outlive it. Templates are linked clones of each other, containers full ones, if absent.
   */
  clone_mode?: "full" | "linked";
  /**
   * It is sealed after its features are applied, and others are cloned from it.
   */
  is_template?: boolean;
  /**
   * Storage of the root file system; its content must include `rootdir`. Inherited from the template.
   */
  storage_pool?: string;
  /**
   * Size of the root file system in GiB. Inherited from the template; a clone can only be larger.
   */
  storage_size_gb?: number;
  network_config?: NetworkConfig;
  /**
   * MAC address of the first interface; one that Proxmox VE chooses if absent.
   */
  mac_address?: string;
  /**
   * Name servers, separated by spaces; the host's if absent.
   */
  nameserver?: string;
  /**
   * Root of the container is nobody on the host. Fixed at creation: a clone has what its template has.
   */
  unprivileged?: boolean;
  /**
   * Features in the order in which they are applied. Those of the template come first and are not repeated.
   */
  features?: (string | FeatureUse)[];
  /**
   * Abilities of the container: `nesting=1`, `keyctl=1`, `fuse=1`. What its features need is added without being asked.
   *
   * Items: An ability, on (`=1`) or off (`=0`).
   */
  pct_options?: string[];
  /**
   * Start it when the node starts.
   */
  start_at_boot?: boolean;
  /**
   * Place in the start order; lower starts first.
   */
  boot_order?: number;
  /**
   * Seconds until the next one starts.
   */
  boot_delay?: number;
  /**
   * CTIDs of containers that must be there before this one is made.
   *
   * Items: A CTID.
   */
  dependencies?: string[];
  /**
   * Dangerous things that Phoenix may do to it: `replace` it by a new one, `destroy` its data with it.
   */
  allow?: ("destroy" | "replace")[];
}
/**
 * The network interface.
 */
export interface NetworkConfig {
  /**
   * Name inside the container.
   */
  name?: string;
  /**
   * Bridge of the node; the host's main one if absent, or the template's.
   */
  bridge?: string;
  /**
   * Address with prefix length, or `dhcp`.
   */
  ip?: string;
  /**
   * Gateway.
   */
  gw?: string;
}
/**
 * A feature with parameters.
 */
export interface FeatureUse {
  /**
   * Name of the feature.
   */
  name: string;
  /**
   * Its parameters, checked against the feature's manifest.
   */
  parameters?: {};
}
