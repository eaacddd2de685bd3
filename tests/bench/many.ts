import { small } from "../unit/sources.ts";
import type { Json } from "../unit/sources.ts";

/** A valid configuration with this many containers, a tenth of them templates in chains of three. */
export function many(count: number): { hypervisor: Json; lxc: Json } {
  const { hypervisor } = small();
  const network = hypervisor["network"] as { interfaces: Json };
  network.interfaces = { name: "vmbr0", address: "10.0.0.1/16" };
  const configs: Json = {};
  const templates = Math.max(1, Math.floor(count / 10));
  for (let i = 0; i < count; i++) {
    const ctid = 1000 + i;
    const isTemplate = i < templates;
    const root = isTemplate && i % 3 === 0;
    const source = isTemplate ? ctid - 1 : 1000 + (i % templates);
    configs[String(ctid)] = {
      name: `guest-${ctid}`,
      ...(isTemplate
        ? { is_template: true }
        : { memory_mb: 1024, cores: 2, start_at_boot: true, boot_order: i }),
      ...(root
        ? { template: "debian-12", storage_pool: "tank-lxc", storage_size_gb: 4, features: ["base_setup"] }
        : { clone_from_ctid: String(source) }),
      ...(isTemplate && i % 3 === 1 ? { features: ["docker"] } : {}),
      ...(isTemplate ? {} : { features: [{ name: "serve_page", parameters: { text: `page ${ctid}` } }] }),
      ...(i > templates ? { dependencies: [String(ctid - 1)] } : {}),
      network_config: {
        ip: `10.0.${Math.floor((i + 256) / 250)}.${((i + 256) % 250) + 2}/16`,
        gw: "10.0.0.1",
      },
      mac_address: `52:54:00:00:${hex(i >> 8)}:${hex(i & 255)}`,
    };
  }
  return { hypervisor, lxc: { lxc_configs: configs } };
}

function hex(value: number): string {
  return value.toString(16).padStart(2, "0").toUpperCase();
}
