import { Command } from "commander";
import { lookAtNode } from "../doctor/look.ts";
import { diskRow } from "../doctor/page.ts";
import { pulumiEnvironment, selectedStack } from "../lib/environment.ts";
import { Failure } from "../lib/failure.ts";
import { nodeSettings } from "../lib/node-settings.ts";

export const verb = () =>
  new Command("disks")
    .description(
      "the node's disks by stable identity, with what is on them; the empty ones as JSON for zfs.pools[].disks",
    )
    .option("--stack <name>", "a stack other than the selected one")
    .option("--json", "all of it, for tools")
    .action(async (options: { stack?: string; json?: boolean }) => {
      const environment = await pulumiEnvironment();
      const stack = await selectedStack(
        environment,
        options.stack === undefined ? [] : ["--stack", options.stack],
      );
      const looked = await lookAtNode(nodeSettings(stack), stack, environment.variables);
      if ("problem" in looked) throw new Failure(looked.problem.what, { next: looked.problem.remedy });
      const { disks } = looked.facts;
      const empty = disks.flatMap(({ identity, found }) =>
        found.length === 0 && identity !== undefined ? [identity] : [],
      );
      if (options.json) {
        process.stdout.write(`${JSON.stringify({ empty, disks }, null, 2)}\n`);
        return;
      }
      // The JSON alone goes to standard output: it can be piped.
      process.stderr.write(`${disks.map(diskRow).join("\n") || "There are no disks."}\n\n`);
      process.stdout.write(`"disks": ${JSON.stringify(empty, null, 2)}\n`);
    });
