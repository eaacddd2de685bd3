import type { BaseSpec } from "./base-spec.ts";
import type { Findings } from "./findings.ts";
import type { Base, HypervisorConfig } from "./generated/hypervisor-config.ts";
import type { Locator } from "./locate.ts";

export function resolveBase(config: HypervisorConfig, locator: Locator, findings: Findings): BaseSpec {
  const { base = {}, network, timezone } = config;
  checkRepositories(base, locator, findings);
  const { hostname, interfaces } = network;
  const [address = ""] = interfaces.address.split("/");
  return {
    ...(hostname === undefined ? {} : { hostname: { hostname, address } }),
    disabledRepositories: base.disabled_repositories ?? [],
    repositories: byName(base.repositories).map(([name, repository]) => ({
      name,
      types: repository.types ?? ["deb"],
      uris: repository.uris,
      suites: repository.suites,
      components: repository.components ?? [],
      ...(repository.key.text === undefined ? {} : { keyText: repository.key.text }),
      ...(repository.key.path === undefined ? {} : { keyPath: repository.key.path }),
      ...(repository.key.sha256 === undefined ? {} : { keySha256: repository.key.sha256 }),
      allow: repository.allow ?? [],
    })),
    ...(base.upgrade === undefined ? {} : { upgrade: base.upgrade }),
    packages: base.packages ?? [],
    ...(timezone === undefined ? {} : { timezone }),
    timeServers: base.time_servers ?? [],
    logRotations: byName(base.log_rotation).map(([name, rotation]) => ({
      name,
      files: rotation.files,
      frequency: rotation.frequency ?? "weekly",
      keep: rotation.keep ?? 4,
      ...(rotation.max_size === undefined ? {} : { maxSize: rotation.max_size }),
      compress: rotation.compress ?? true,
    })),
  };
}

/** By name, so that the order in the file is no change. */
function byName<T>(entries: Record<string, T> | undefined): [string, T][] {
  return Object.entries(entries ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

function checkRepositories(base: Base, locator: Locator, findings: Findings): void {
  for (const [name, { key }] of byName(base.repositories)) {
    const path = ["base", "repositories", name, "key"];
    if ((key.text === undefined) === (key.path === undefined)) {
      const message = `the repository \`${name}\` needs one key: its \`text\`, or the \`path\` of a file on the node`;
      findings.add(locator, path, message, { what: "key" });
    } else if (key.text !== undefined && key.sha256 !== undefined) {
      const message = "a key that stands here as text needs no checksum";
      findings.add(locator, [...path, "sha256"], message, { remedy: "leave it out" });
    }
    if (base.disabled_repositories?.includes(name)) {
      findings.add(locator, path.slice(0, 3), `the repository \`${name}\` is configured and switched off`, {
        remedy: "give it another name, or take it out of `disabled_repositories`",
        what: "key",
      });
    }
  }
}
