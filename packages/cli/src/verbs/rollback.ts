import { Command } from "commander";
import { openStack } from "../drift/inspect.ts";
import type { Stack } from "../drift/inspect.ts";
import { withNode } from "../drift/node.ts";
import { root } from "../lib/checkout.ts";
import { isOfLab } from "../lib/environment.ts";
import { Failure } from "../lib/failure.ts";
import { capture } from "../lib/process.ts";
import { markForReapplication } from "../lib/reapply.ts";
import { affected, rollBack } from "../lib/rollback.ts";

export const verb = () =>
  new Command("rollback")
    .description(
      "brings a container back to one of its snapshots; what is then no longer as configured is marked, and applied again by the next `up`",
    )
    .argument("<ctid>")
    .argument(
      "<name>",
      "of the snapshot, as `pct listsnapshot` says it: pre-configured, final-form, your own",
    )
    .option("--stack <name>", "a stack other than the selected one")
    .option("--yes", "do not ask: what the container holds now is lost, its volumes stay as they are")
    .action(async (ctid: string, name: string, options: { stack?: string; yes?: boolean }) => {
      if (!/^[A-Za-z][\w-]+$/.test(name))
        throw new Failure(`'${name}' is not a snapshot's name.`, { code: 2 });
      const stack = await openStack(options.stack === undefined ? [] : ["--stack", options.stack]);
      const { connection } = stack;
      if (connection === undefined || !stack.containers.includes(ctid))
        throw new Failure(`stack ${stack.name} has no container ${ctid}.`);
      if (options.yes !== true && !isOfLab(stack.name)) {
        throw new Failure(`what CT ${ctid} holds now would be lost (its volumes stay as they are).`, {
          next: `bin/phoenix rollback ${ctid} ${name} --yes`,
        });
      }
      const findings = await withNode(connection, stack.variables, (run) => rollBack(stack, ctid, name, run));
      const runs = affected(findings);
      await mark(
        stack,
        runs.flatMap(({ urn }) => urn ?? []),
        `rolled back to ${name}`,
      );
      const names = runs.map(({ feature }) => feature).join(", ");
      process.stdout.write(
        runs.length === 0
          ? `CT ${ctid} is as in ${name}, and as configured.\n`
          : `CT ${ctid} is as in ${name}. Marked to be applied again: ${names}\n  try next:  bin/phoenix up\n`,
      );
    });

async function mark(stack: Stack, urns: readonly string[], why: string): Promise<void> {
  if (urns.length === 0) return;
  const options = { cwd: root, env: stack.variables };
  const exported = await capture("pulumi", ["stack", "export", "--stack", stack.name], options);
  const input = exported.code === 0 ? markForReapplication(exported.stdout, urns, why) : "";
  const imported = await capture("pulumi", ["stack", "import", "--stack", stack.name], { ...options, input });
  if (imported.code !== 0)
    throw new Failure(
      `the container is rolled back, but its steps could not be marked: ${imported.stderr.trim()}`,
      {
        next: "bin/phoenix repair",
      },
    );
}
