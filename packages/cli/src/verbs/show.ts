import { Command } from "commander";
import { formatExplanation } from "../../../../model/index.ts";
import type { FileOptions } from "../lib/configuration.ts";
import { chosenConfiguration, containerOf } from "../lib/configuration.ts";
import { fileOptions } from "../lib/file-options.ts";

export const verb = () =>
  fileOptions(new Command("show"))
    .description("one container's effective configuration: every value, who says so, and where it is written")
    .argument("<ctid>", "the container's or template's number")
    .option("--json", "for tools")
    .action((ctid: string, options: FileOptions & { json?: boolean }) => {
      const configuration = chosenConfiguration(options);
      const { vmid } = containerOf(configuration.model, ctid);
      const rows = configuration.explain(vmid) ?? [];
      process.stdout.write(`${options.json ? JSON.stringify(rows, null, 2) : formatExplanation(rows)}\n`);
    });
