import { Command } from "commander";
import { stringify } from "yaml";
import type { FileOptions } from "../lib/configuration.ts";
import { chosenModel, containerOf } from "../lib/configuration.ts";
import { fileOptions } from "../lib/file-options.ts";

export const verb = () =>
  fileOptions(new Command("show"))
    .description("one container's effective configuration, with all that it inherits")
    .argument("<ctid>", "the container's or template's number")
    .option("--json", "for tools")
    .action((ctid: string, options: FileOptions & { json?: boolean }) => {
      const spec = containerOf(chosenModel(options), ctid);
      // A manifest is the script's own text; who wants it opens the file.
      const effective = JSON.parse(
        JSON.stringify(spec, (key, value: unknown) => (key === "manifest" ? undefined : value)),
      ) as object;
      process.stdout.write(options.json ? `${JSON.stringify(effective, null, 2)}\n` : stringify(effective));
    });
