import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, sep } from "node:path";
import { cacheRoot } from "./cache.ts";
import { run } from "./command.ts";
import { pluginFolder, pluginProgram, plugins, pulumiVersion } from "./pins.ts";

/** Finds a program on PATH. */
export function which(name: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  for (const folder of (environment["PATH"] ?? "").split(delimiter)) {
    const file = join(folder || ".", name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
  return undefined;
}

const ours = (file: string) => realpathSync(file).startsWith(cacheRootReal() + sep);
const cacheRootReal = () => (existsSync(cacheRoot()) ? realpathSync(cacheRoot()) : cacheRoot());

/** The folder of a `pulumi` of exactly our version that the person already has, with its language host. */
export async function engineOnPath(): Promise<string | undefined> {
  const found = which("pulumi");
  if (!found || ours(found)) return undefined;
  const { code, stdout } = await run(found, ["version"]);
  if (code !== 0 || stdout.trim() !== `v${pulumiVersion}`) return undefined;
  const folder = dirname(realpathSync(found));
  return existsSync(join(folder, "pulumi-language-nodejs")) ? folder : undefined;
}

/** The plugin folder of the person's own Pulumi home, if all plugins are there and none is ours. */
export function pluginsOfPerson(): string | undefined {
  const folder = join(process.env["PULUMI_HOME"] || join(homedir(), ".pulumi"), "plugins");
  const theirs = plugins.every((plugin) => {
    const program = join(folder, pluginFolder(plugin), pluginProgram(plugin));
    return existsSync(program) && !ours(program);
  });
  return theirs ? folder : undefined;
}
