import { join } from "node:path";
import { buildModel } from "../../model/index.ts";
import { readSources } from "../../model/read-files.ts";
import type { Finding, Model, Outcome, SourceFile, Sources } from "../../model/types.ts";

export const root = join(import.meta.dirname, "..", "..");

export const hypervisorPath = "etc/phoenix_hypervisor_config.json";
export const lxcPath = "etc/phoenix_lxc_configs.json";

function manifest(name: string, stem: string, more: object = {}): SourceFile {
  const content = {
    name,
    version: "1.0.0",
    description: `Test feature ${name}.`,
    target: "lxc",
    parameters: { type: "object", additionalProperties: false, properties: {} },
    needs: {},
    verbs: ["check", "apply", "remove"],
    ...more,
  };
  return { path: `bin/lxc/${stem}.json`, text: JSON.stringify(content, null, 2) };
}

/** Features of the tests' own, so that they do not change with the real ones. */
export const testFeatures: Pick<Sources, "features" | "scripts"> = {
  features: [
    manifest("base_setup", "feature_setup_base", { verbs: ["check", "apply"] }),
    manifest("docker", "feature_install_docker", {
      needs: { nesting: true, keyctl: true, features: ["base_setup"] },
      context: ["nvidia_container_toolkit"],
    }),
    manifest("nvidia", "feature_install_nvidia", { needs: { gpu: true }, context: ["nvidia"] }),
    manifest("serve_page", "feature_serve_page", {
      parameters: {
        type: "object",
        additionalProperties: false,
        required: ["text"],
        properties: {
          port: { type: "integer", minimum: 1, maximum: 65535, default: 80, description: "TCP port." },
          text: { type: "string", description: "What the page says." },
        },
      },
    }),
  ],
  scripts: [
    "bin/lxc/feature_setup_base.sh",
    "bin/lxc/feature_install_docker.sh",
    "bin/lxc/feature_install_nvidia.sh",
    "bin/lxc/feature_serve_page.sh",
    "bin/lxc/feature_own_thing.sh",
    "bin/lxc/configure_container.sh",
  ],
};

export type Json = { [key: string]: unknown };

/** A small valid configuration in one object each, to be changed by a test. */
export function small(): { hypervisor: Json; lxc: Json } {
  return {
    hypervisor: {
      network: { interfaces: { name: "vmbr0", address: "10.0.0.13/24", gateway: "10.0.0.1" } },
      zfs: {
        pools: [{ name: "tank", raid_level: "single", disks: ["/dev/disk/by-id/ata-A"] }],
        datasets: [
          { name: "lxc", pool: "tank", proxmox_storage_type: "zfspool", proxmox_content_type: "rootdir" },
          { name: "iso", pool: "tank", proxmox_storage_type: "dir", proxmox_content_type: "iso,vztmpl" },
        ],
      },
      os_templates: [{ name: "debian-12", storage: "tank-iso", url: "http://127.0.0.1/d/debian-12.tar.zst" }],
    },
    lxc: {
      lxc_configs: {
        "900": {
          name: "base",
          is_template: true,
          template: "debian-12",
          storage_pool: "tank-lxc",
          storage_size_gb: 4,
          network_config: { ip: "10.0.0.200/24", gw: "10.0.0.1" },
          features: ["base_setup"],
        },
        "902": {
          name: "with-docker",
          is_template: true,
          clone_from_ctid: "900",
          network_config: { ip: "10.0.0.202/24" },
          features: ["docker"],
        },
        "910": {
          name: "page",
          clone_from_ctid: "902",
          network_config: { ip: "10.0.0.110/24" },
          features: [{ name: "serve_page", parameters: { text: "hello" } }],
        },
      },
    },
  };
}

export function sourcesOf(hypervisor: unknown, lxc: unknown): Sources {
  return {
    hypervisor: [{ path: "host.json", text: JSON.stringify(hypervisor, null, 2) }],
    lxc: [{ path: "lxc.json", text: JSON.stringify(lxc, null, 2) }],
    ...testFeatures,
  };
}

/** Sets a value deep inside; undefined removes it. */
export function set(target: Json, path: readonly (string | number)[], value: unknown): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((node, part) => (node as Json)[String(part)], target) as Json;
  const key = String(path.at(-1));
  if (value === undefined) Reflect.deleteProperty(parent, key);
  else parent[key] = value;
}

export function reference(stack?: "dev"): Sources {
  const files = readSources(root, {
    hypervisor: [hypervisorPath, ...(stack === undefined ? [] : [`etc/${stack}/hypervisor.json`])],
    lxc: [lxcPath, ...(stack === undefined ? [] : [`etc/${stack}/lxc.json`])],
  });
  return { ...files, ...testFeatures };
}

export function modelOf(outcome: Outcome): Model {
  if (!outcome.ok) throw new Error(outcome.findings.map(brief).join("\n"));
  return outcome.model;
}

export function build(hypervisor: unknown, lxc: unknown): Outcome {
  return buildModel(sourcesOf(hypervisor, lxc));
}

export function findingsOf(outcome: Outcome): Finding[] {
  return outcome.ok ? outcome.warnings : outcome.findings;
}

/** One finding in one line. */
export function brief(finding: Finding): string {
  const remedy = finding.remedy === undefined ? "" : ` → ${finding.remedy}`;
  const place = `${finding.file}:${finding.line}:${finding.column}`;
  return `${place} ${finding.severity} ${finding.class} ${finding.pointer} ${finding.message}${remedy}`;
}
