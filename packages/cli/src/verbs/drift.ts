import { Command } from "commander";
import { inspect, openStack } from "../drift/inspect.ts";
import { driftTable, exitCode } from "../drift/table.ts";

export const verb = () =>
  new Command("drift")
    .description(
      "asks the node, read-only, what is no longer as configured. 0 nothing, 2 drift, 1 could not be told",
    )
    .argument("[ctids...]", "only these containers; without any also the host")
    .option("--stack <name>", "a stack other than the selected one")
    .option("--json", "for tools")
    .action(async (ctids: string[], options: { stack?: string; json?: boolean }) => {
      const stack = await openStack(options.stack === undefined ? [] : ["--stack", options.stack]);
      const findings = await inspect(stack, ctids);
      process.exitCode = exitCode(findings);
      if (options.json) {
        const plain = findings.map(({ container, feature, inherited, verdict, reasons }) => ({
          container,
          feature,
          inherited,
          verdict,
          reasons,
        }));
        process.stdout.write(`${JSON.stringify({ stack: stack.name, findings: plain }, null, 2)}\n`);
        return;
      }
      const table = driftTable(findings);
      const clean = findings.filter(({ verdict }) => verdict === "clean").length;
      table.push(`${clean} of ${findings.length} as configured.`);
      if (process.exitCode === 2) table.push("Mend it: bin/phoenix repair");
      process.stdout.write(`${table.join("\n")}\n`);
    });
