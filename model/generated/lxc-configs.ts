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
   * Version of the NVIDIA driver's user space in containers; must be the host's.
   */
  nvidia_driver_version?: string;
  /**
   * NVIDIA's package repository for the containers' distribution: the CUDA toolkit, and the driver where it is the source.
   */
  nvidia_repo_url?: string;
  /**
   * Where the installer of the driver is downloaded.
   */
  nvidia_runfile_url?: string;
  /**
   * Where containers have the driver's user space from. Without it: `runfile` where `nvidia_runfile_url` is given, else the host's `nvidia_driver.source`.
   */
  nvidia_source?: "distribution" | "vendor-repository" | "runfile";
  /**
   * SHA-256 of the repository's key, `3bf863cc.pub` beside its packages.
   */
  nvidia_repo_key_sha256?: string;
  /**
   * SHA-256 of that installer. Without it the host's, where both take the same file.
   */
  nvidia_runfile_sha256?: string;
  nvidia_container_toolkit?: NvidiaContainerToolkit;
  /**
   * Templates and containers by CTID (100 to 999999999).
   */
  lxc_configs: {
    [k: string]: ContainerConfig;
  };
}
/**
 * What gives Docker the NVIDIA runtime in containers with a GPU.
 */
export interface NvidiaContainerToolkit {
  /**
   * Install it; without it Docker runs, and no container of Docker's sees a GPU.
   */
  install?: boolean;
  /**
   * Version of the packages.
   */
  version?: string;
  /**
   * Its package repository.
   */
  repo_url?: string;
  /**
   * The key that the repository is signed with.
   */
  key_url?: string;
  /**
   * SHA-256 of the key file.
   */
  key_sha256?: string;
}
/**
 * A template or a container.
 *
 * This interface was referenced by `undefined`'s JSON-Schema definition
 * via the `patternProperty` "^[1-9]\d{2,8}$".
 */
export interface ContainerConfig {
  /**
   * Host name, unique.
   */
  name: string;
  /**
   * A person's own text about it; shown by Proxmox VE.
   */
  description?: string;
  /**
   * Tags, shown by Proxmox VE. Those of its templates are added.
   *
   * Items: A tag, in lower case.
   */
  tags?: string[];
  /**
   * It is sealed after its features are applied, and others are cloned from it.
   */
  is_template?: boolean;
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
   * Processors' worth of time that it may use at most; 0 is no limit.
   */
  cpu_limit?: number;
  /**
   * Weight against other guests when processors are short; Proxmox VE's 100 if absent.
   */
  cpu_units?: number;
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
   * Further interfaces, beside the first one of `network_config`.
   */
  networks?: FurtherNetwork[];
  /**
   * Name servers, separated by spaces; the host's if absent.
   */
  nameserver?: string;
  /**
   * Domains that names without a dot are looked up in, separated by spaces; the host's if absent.
   */
  searchdomain?: string;
  /**
   * Root of the container is nobody on the host. Fixed at creation: a clone has what its template has.
   */
  unprivileged?: boolean;
  /**
   * Abilities and options of the container. What its features need is added without being asked.
   *
   * Items: Abilities, on (`=1`) or off (`=0`): `nesting`, `keyctl`, `fuse`, `mknod`, `force_rw_sys`; `mount=` file systems that it may mount, separated by semicolons. Options: `console=0|1`, `tty=0…6` terminals, `cmode=tty|console|shell`, `timezone=`, `protection=0|1` (Proxmox VE refuses to remove it).
   */
  pct_options?: string[];
  /**
   * Raw settings of LXC for which Proxmox VE has no key, as `lxc.name = value`. They take a restart.
   *
   * Items: One setting.
   */
  lxc_options?: string[];
  /**
   * Ids of an unprivileged container that are ids of the host as they are, and not shifted: exceptions from the usual map.
   */
  id_maps?: IdMap[];
  /**
   * Devices of the host that it sees. GPUs are `gpu_assignment`.
   */
  devices?: Device[];
  /**
   * NVIDIA GPUs by index, separated by commas, or `none`.
   */
  gpu_assignment?: string;
  /**
   * Features in the order in which they are applied. Those of the template come first and are not repeated.
   */
  features?: (string | FeatureUse)[];
  /**
   * Script in `bin/apps/` that sets up what the container is for; runs after its features.
   */
  application_script?: string;
  /**
   * Data of its own that outlives the container. Their order means nothing.
   */
  volumes?: Volume[];
  /**
   * Snapshots that are taken once: `pre-configured` before its settings and features, `final-form` when all of them are there and it is healthy. Volumes are not part of them.
   */
  snapshots?: ("pre-configured" | "final-form")[];
  /**
   * Ports that its applications listen on, `<outside>:<inside>`.
   *
   * Items: A pair of ports.
   */
  ports?: string[];
  firewall?: ContainerFirewall;
  health_check?: HealthCheck;
  ready_timeouts?: ReadyTimeouts;
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
   * Its part in Portainer.
   */
  portainer_role?: "none" | "server" | "agent" | "infrastructure";
  /**
   * Run its integration tests after a change.
   */
  run_integration_tests?: boolean;
  integration_tests?: IntegrationTests;
  /**
   * Model that the vLLM server loads.
   */
  vllm_model?: string;
  /**
   * Name under which it is served.
   */
  vllm_served_model_name?: string;
  /**
   * What it is used for.
   */
  vllm_model_type?: "chat" | "embedding";
  /**
   * Port of the vLLM server.
   */
  vllm_port?: number;
  vllm_parameters?: VllmParameters;
  /**
   * Further arguments of the vLLM server.
   *
   * Items: One argument.
   */
  vllm_args?: string[];
  /**
   * Make it anew when the template that it was cloned from has been built anew: one container after the other, each only when the one before it is healthy. Needs `allow` with `replace`; in a template, it holds for what is cloned from it.
   */
  roll?: boolean;
  /**
   * Nothing may take it away, not even `destroy`: that stops before it touches anything. Taken back by an `up` without it.
   */
  protect?: boolean;
  /**
   * Dangerous things that Phoenix may do to it: `replace` it by a new one, `destroy` its data with it.
   */
  allow?: ("destroy" | "replace")[];
}
/**
 * The first network interface.
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
  /**
   * IPv6 address with prefix length, `auto` (what routers announce) or `dhcp`.
   */
  ip6?: string;
  /**
   * IPv6 gateway.
   */
  gw6?: string;
  /**
   * VLAN tag.
   */
  vlan?: number;
  /**
   * Largest packet in bytes; the bridge's if absent.
   */
  mtu?: number;
  /**
   * Megabytes per second that it may send and receive at most.
   */
  rate_mbps?: number;
}
/**
 * A further network interface.
 */
export interface FurtherNetwork {
  /**
   * Name inside the container.
   */
  name: string;
  /**
   * Bridge of the node; the host's main one if absent.
   */
  bridge?: string;
  /**
   * MAC address; one that Proxmox VE chooses if absent.
   */
  mac_address?: string;
  /**
   * Address with prefix length, or `dhcp`; none if absent.
   */
  ip?: string;
  /**
   * Gateway.
   */
  gw?: string;
  /**
   * IPv6 address with prefix length, `auto` (what routers announce) or `dhcp`.
   */
  ip6?: string;
  /**
   * IPv6 gateway.
   */
  gw6?: string;
  /**
   * VLAN tag.
   */
  vlan?: number;
  /**
   * Largest packet in bytes; the bridge's if absent.
   */
  mtu?: number;
  /**
   * Megabytes per second that it may send and receive at most.
   */
  rate_mbps?: number;
}
/**
 * A range of ids that the container shares with the host.
 */
export interface IdMap {
  /**
   * Users or groups.
   */
  type: "uid" | "gid";
  /**
   * First id in the container.
   */
  container_id: number;
  /**
   * First id on the host; never root's.
   */
  host_id: number;
  /**
   * How many ids.
   */
  size?: number;
}
/**
 * A device of the host that the container sees.
 */
export interface Device {
  /**
   * Path on the host and in the container.
   */
  path: string;
  /**
   * Access mode in the container.
   */
  mode?: string;
  /**
   * Owner in the container.
   */
  uid?: number;
  /**
   * Group in the container.
   */
  gid?: number;
  /**
   * It may only be read.
   */
  deny_write?: boolean;
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
/**
 * Data of its own that outlives the container: a dataset with a quota.
 */
export interface Volume {
  /**
   * Name; unique in the container.
   */
  name: string;
  /**
   * Storage whose dataset it lies in.
   */
  pool: string;
  /**
   * Size in GiB.
   */
  size_gb: number;
  /**
   * Absolute path in the container.
   */
  mount_point: string;
  /**
   * User of the container that the empty volume belongs to when it is made.
   */
  owner_uid?: number;
  /**
   * Group of the container that the empty volume belongs to when it is made.
   */
  owner_gid?: number;
  /**
   * The container may not write to it.
   */
  read_only?: boolean;
  /**
   * Nothing may take it away, not even `destroy`: that stops before it touches anything. Taken back by an `up` without it.
   */
  protect?: boolean;
  /**
   * `destroy`: its data goes when the volume is taken out of the configuration, or the stack is destroyed.
   */
  allow?: "destroy"[];
}
/**
 * The container's firewall.
 */
export interface ContainerFirewall {
  /**
   * It filters: what no rule accepts is dropped on its way in.
   */
  enabled?: boolean;
  /**
   * Rules in order.
   */
  rules?: FirewallRule[];
}
/**
 * A firewall rule.
 */
export interface FirewallRule {
  /**
   * Direction.
   */
  type: "in" | "out";
  /**
   * What happens.
   */
  action: "ACCEPT" | "DROP" | "REJECT";
  /**
   * Where it comes from: addresses or subnets.
   */
  source?: string;
  /**
   * Where it goes.
   */
  dest?: string;
  /**
   * Protocol.
   */
  proto?: "tcp" | "udp" | "icmp";
  /**
   * Port, range or list.
   */
  port?: string;
  /**
   * Interface.
   */
  iface?: string;
  /**
   * A remark.
   */
  comment?: string;
}
/**
 * How to see that it works. All that is named here must succeed, inside the container, in one try; what depends on the container waits for that.
 */
export interface HealthCheck {
  /**
   * Command line that succeeds in the container, run by its `/bin/sh`.
   */
  command?: string;
  http?: HttpCheck;
  tcp?: TcpCheck;
  /**
   * Tries.
   */
  retries?: number;
  /**
   * Seconds between tries.
   */
  interval?: number;
  /**
   * Seconds that one try may take.
   */
  timeout?: number;
}
/**
 * A page that answers, asked inside the container over plain HTTP.
 */
export interface HttpCheck {
  /**
   * TCP port.
   */
  port: number;
  /**
   * What is asked for.
   */
  path?: string;
  /**
   * The status that it must have; without it, any from 200 to 399.
   */
  status?: number;
}
/**
 * A port that accepts connections, asked inside the container.
 */
export interface TcpCheck {
  /**
   * TCP port.
   */
  port: number;
}
/**
 * How long a start waits for the container to get ready, each part by its name.
 */
export interface ReadyTimeouts {
  /**
   * Seconds until its init has started everything.
   */
  init?: number;
  /**
   * Seconds after that until it has an address; 0 does not wait.
   */
  network?: number;
  /**
   * Seconds after that until a name server answers, where `nameserver` names one; 0 does not wait.
   */
  dns?: number;
}
/**
 * Its integration tests.
 */
export interface IntegrationTests {
  /**
   * File name of the script.
   */
  script: string;
}
/**
 * Parameters of the vLLM server.
 */
export interface VllmParameters {
  /**
   * Quantization method.
   */
  quantization?: string;
  /**
   * Data type of weights.
   */
  dtype?: "auto" | "half" | "float16" | "bfloat16" | "float" | "float32";
  /**
   * Data type of the key-value cache.
   */
  kv_cache_dtype?: string;
  /**
   * Longest context in tokens.
   */
  max_model_len?: number;
  /**
   * Share of the GPU's memory.
   */
  gpu_memory_utilization?: number;
  /**
   * GPUs that one model is spread over.
   */
  tensor_parallel_size?: number;
  /**
   * Most tokens in one step.
   */
  max_num_batched_tokens?: number;
  /**
   * Most sequences at once.
   */
  max_num_seqs?: number;
  /**
   * Code that comes with the model may run.
   */
  trust_remote_code?: boolean;
}
