import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { readRecord } from "./cache.ts";
import { pluginFolder, pluginProgram, plugins, pulumiVersion, type Origin } from "./pins.ts";
import { find } from "./provide.ts";

/** One thing that a stack needs, and whether it is the official one. */
export interface Finding {
  readonly name: string;
  readonly version: string;
  readonly state: Origin | "missing";
  readonly program?: string;
}

/** What is in use, without the network and without changing anything; `home` is the Pulumi home that counts. */
export async function examine(home?: string): Promise<Finding[]> {
  const engine = await find("engine");
  const found = await find("plugins");
  const findings: Finding[] = ["pulumi", "pulumi-language-nodejs"].map((name) =>
    engine
      ? { name, version: pulumiVersion, state: engine.origin, program: join(engine.folder, name) }
      : { name, version: pulumiVersion, state: "missing" },
  );
  for (const plugin of plugins) {
    const program = join(
      home ? join(home, "plugins") : (found?.folder ?? ""),
      pluginFolder(plugin),
      pluginProgram(plugin),
    );
    const { name, version } = plugin;
    if (!(home || found) || !existsSync(program)) findings.push({ name, version, state: "missing" });
    else findings.push({ name, version, state: originOf(program), program });
  }
  return findings;
}

/** A program that does not lie in our cache came with the person's own Pulumi. */
function originOf(program: string): Origin {
  const part = dirname(dirname(dirname(realpathSync(program))));
  return readRecord("plugins", part)?.origin ?? "path";
}
