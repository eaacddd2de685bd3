import { existsSync, lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { pluginFolder, pluginProgram, plugins } from "./pins.ts";
import { say } from "./say.ts";

/**
 * Links the plugins into a Pulumi home. Each gets a folder of its own with a link to the program in it: Pulumi lists
 * only real folders. A plugin that somebody installed there for real is left as it is.
 */
export function install(from: string, home: string): void {
  for (const plugin of plugins) {
    const source = join(resolve(from), pluginFolder(plugin), pluginProgram(plugin));
    const folder = join(resolve(home), "plugins", pluginFolder(plugin));
    const target = join(folder, pluginProgram(plugin));
    const there = lstatSync(target, { throwIfNoEntry: false });
    if (there && !there.isSymbolicLink()) {
      say(`✓ plugin ${plugin.name} ${plugin.version} (was there)`);
      continue;
    }
    if (!there || readlinkSync(target) !== source) link(source, folder, target);
    say(`✓ plugin ${plugin.name} ${plugin.version} (linked)`);
  }
}

function link(source: string, folder: string, target: string): void {
  if (!existsSync(folder)) {
    // An older link in place of the folder leads out of this home: it goes, what it leads to stays.
    rmSync(folder, { force: true });
    mkdirSync(folder, { recursive: true });
  }
  const beside = `${target}.${process.pid}`;
  symlinkSync(source, beside);
  renameSync(beside, target);
}
