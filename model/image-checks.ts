import type { Findings } from "./findings.ts";
import type { HypervisorConfig } from "./generated/hypervisor-config.ts";
import type { Locator } from "./locate.ts";

/** What the node fetches from itself did not come over any network. */
const OWN = /^https?:\/\/(127(\.\d+){3}|localhost|\[::1\])[:/]/;

/**
 * Nothing is fetched without a checksum, and none is made up: a preview stops at it.
 * @param unbuilt `warn` is for looking at a configuration
 */
export function checkImageSources(
  { os_templates: templates = [] }: Pick<HypervisorConfig, "os_templates">,
  locator: Locator,
  findings: Findings,
  unbuilt: "warn" | "error",
): void {
  for (const [i, { name, storage, url, checksum, existing }] of templates.entries()) {
    if (url === undefined || checksum !== undefined || existing === true || OWN.test(url)) continue;
    const file = url.slice(url.lastIndexOf("/") + 1);
    findings.add(
      locator,
      ["os_templates", i, "url"],
      `the checksum of the OS template \`${name}\` is missing`,
      {
        severity: unbuilt === "warn" ? "warning" : "error",
        remedy:
          '"checksum": {"algorithm": "sha512", "value": ...}; of Proxmox\'s images the node knows it: ' +
          `\`pveam update; grep -A 30 ${file.split("_")[0]} /var/lib/pve-manager/apl-info/*\`. ` +
          `Or bring the image by \`pveam download ${storage} ${file}\`, which verifies it, and say "existing": true`,
      },
    );
  }
}
