import { Command } from "commander";
import { hasOwnPulumi, places, readNodeFile, root } from "../lib/checkout.ts";
import { knownEngine } from "../lib/engine.ts";
import { pulumiEnvironment, selectedStack } from "../lib/environment.ts";
import { capture } from "../lib/process.ts";

export const verb = () =>
  new Command("doctor")
    .description("which Node, engine, plugins, stack and node are in use")
    .action(async () => {
      const rows: [string, string][] = [
        ["checkout", root],
        ["node", `${process.version} (${process.execPath})`],
        ["own Pulumi home", hasOwnPulumi() ? places.pulumiHome : "none (bin/phoenix try makes one)"],
        ["lab", readNodeFile()?.endpoint ?? "none"],
      ];
      const engine = knownEngine();
      rows.push(["engine", engine ? `${engine.origin}, ${engine.bin}` : "none of this checkout's own"]);
      try {
        const environment = await pulumiEnvironment();
        const version = await capture("pulumi", ["version"], { env: environment.variables });
        rows.push(
          ["pulumi", version.stdout.trim()],
          ["backend", `${environment.backend} (${environment.owner}'s)`],
        );
        rows.push(["stack", await selectedStack(environment, [])]);
        const plugins = await capture("pulumi", ["plugin", "ls", "--json"], {
          cwd: root,
          env: environment.variables,
        });
        if (plugins.code === 0) {
          for (const plugin of JSON.parse(plugins.stdout) as { name: string; version: string }[]) {
            rows.push(["plugin", `${plugin.name} ${plugin.version}`]);
          }
        }
      } catch (error) {
        rows.push(["pulumi", error instanceof Error ? error.message : String(error)]);
      }
      for (const [name, value] of rows) process.stdout.write(`${name.padEnd(16)} ${value}\n`);
    });
