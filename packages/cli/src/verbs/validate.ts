import { Command } from "commander";
import { formatFindings } from "../../../../model/index.ts";
import type { FileOptions } from "../lib/configuration.ts";
import { chosenOutcome } from "../lib/configuration.ts";
import { fileOptions } from "../lib/file-options.ts";

export const verb = () =>
  fileOptions(new Command("validate"))
    .description(
      "checks the configuration: no engine, node or network needed. 0 valid, 1 invalid, 2 wrong usage",
    )
    .option("--json", "findings for tools")
    .action((options: FileOptions & { json?: boolean }) => {
      const outcome = chosenOutcome(options);
      const findings = outcome.ok ? outcome.warnings : outcome.findings;
      if (!outcome.ok) process.exitCode = 1;
      if (options.json) {
        process.stdout.write(`${JSON.stringify({ valid: outcome.ok, findings }, null, 2)}\n`);
        return;
      }
      if (findings.length > 0) process.stdout.write(`${formatFindings(findings)}\n`);
      if (!outcome.ok) return;
      const { host, templates, containers } = outcome.model;
      const count = (n: number, word: string) => `${n} ${word}${n === 1 ? "" : "s"}`;
      const parts = [
        count(host.pools.length, "pool"),
        count(host.datasets.length, "dataset"),
        count(host.storages.length, "storage"),
        count(templates.length, "template"),
        count(containers.length, "container"),
      ];
      process.stdout.write(`The configuration is valid: ${parts.join(", ")}.\n`);
    });
