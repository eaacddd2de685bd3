import { Command } from "commander";
import { featurePage, featureSchema, formatFindings, listFeatures } from "../../../../model/index.ts";
import { chosenSources } from "../lib/configuration.ts";
import { Failure } from "../lib/failure.ts";

export const verb = () =>
  new Command("features")
    .description("every feature that a container can name, those of your own folders among them")
    .option("--stack <name>", "with the folders that Pulumi.<name>.yaml names in phoenix:featureFolders")
    .option(
      "--schema",
      "the container file's JSON Schema with these features and their parameters, for an editor",
    )
    .action((options: { stack?: string; schema?: boolean }) => {
      const list = listFeatures(chosenSources(options));
      if (list.findings.length > 0) {
        throw new Failure(`not every feature can be read.\n${formatFindings(list.findings)}`);
      }
      const text = options.schema ? JSON.stringify(featureSchema(list), null, 2) : featurePage(list);
      process.stdout.write(`${text}\n`);
    });
