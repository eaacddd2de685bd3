import { writeFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { Command } from "commander";
import { formatFindings, migrate } from "../../../../model/index.ts";
import { readTexts } from "../lib/configuration.ts";

export const verb = () =>
  new Command("migrate")
    .description(
      "shows files of the replaced systems in today's form, as a diff; writes them only with --write",
    )
    .argument(
      "<files...>",
      "hypervisor and container file together; phoenix_config.sh is read as data, never run",
    )
    .option("--write", "write what the diff shows")
    .action((files: string[], options: { write?: boolean }) => {
      const { files: migrated, findings } = migrate(readTexts(files));
      for (const { path, after, diff } of migrated) {
        const shown = relative(process.cwd(), resolve(path));
        process.stdout.write(diff === "" ? `${shown} is in today's form.\n` : `${diff.trimEnd()}\n`);
        if (diff === "" || !options.write) continue;
        writeFileSync(path, after);
        process.stdout.write(`✓ ${shown} written\n`);
      }
      if (findings.length > 0) process.stderr.write(`${formatFindings(findings)}\n`);
      if (findings.some(({ severity }) => severity === "error")) process.exitCode = 1;
    });
