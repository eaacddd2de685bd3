import { Command } from "commander";
import { openStack } from "../drift/inspect.ts";
import { chosenOutcome } from "../lib/configuration.ts";
import { Failure } from "../lib/failure.ts";
import { look } from "../status/look.ts";
import { statusCode, statusTable } from "../status/table.ts";

export const verb = () =>
  new Command("status")
    .description(
      "each container: state, health, template generation, features with versions, drift. 0 all well, 2 something is off",
    )
    .argument("[ctids...]", "only these containers")
    .option("--stack <name>", "a stack other than the selected one")
    .option("--json", "for tools")
    .action(async (ctids: string[], options: { stack?: string; json?: boolean }) => {
      const stack = await openStack(options.stack === undefined ? [] : ["--stack", options.stack]);
      const names = configuredNames(stack.name);
      const strange = ctids.filter((ctid) => !names.has(ctid) && !stack.containers.includes(ctid));
      if (strange.length > 0)
        throw new Failure(`stack ${stack.name} has no container ${strange.join(", ")}.`);
      const containers = await look(stack, names, ctids);
      process.exitCode = statusCode(containers);
      const text = options.json
        ? JSON.stringify({ stack: stack.name, containers }, null, 2)
        : statusTable(containers).join("\n");
      process.stdout.write(`${text}\n`);
    });

/** Names by CTID; a configuration that is not valid just now says nothing about what is there. */
function configuredNames(stack: string): Map<string, string> {
  const outcome = chosenOutcome({ stack });
  const containers = outcome.ok ? outcome.model.containers : [];
  return new Map(containers.map(({ vmid, name }) => [String(vmid), name]));
}
