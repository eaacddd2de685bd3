import { Command } from "commander";
import { renderGraph } from "../../../../model/index.ts";
import type { FileOptions } from "../lib/configuration.ts";
import { chosenModel } from "../lib/configuration.ts";
import { fileOptions } from "../lib/file-options.ts";

export const verb = () =>
  fileOptions(new Command("graph"))
    .description("draws the machine as Mermaid text")
    .option("--dot", "DOT instead of Mermaid")
    .action((options: FileOptions & { dot?: boolean }) => {
      process.stdout.write(
        `${renderGraph(chosenModel(options), options.dot ? "dot" : "mermaid").trimEnd()}\n`,
      );
    });
