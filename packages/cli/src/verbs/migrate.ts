import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { Command } from "commander";
import type { Migrated } from "../../../../model/index.ts";
import { formatFindings, migrate } from "../../../../model/index.ts";
import { readTexts } from "../lib/configuration.ts";
import { Failure } from "../lib/failure.ts";

interface Options {
  readonly write?: string;
  readonly overwrite?: boolean;
}

export const verb = () =>
  new Command("migrate")
    .description("shows files of the replaced systems in today's form, as a diff; changes no file by itself")
    .argument(
      "<files...>",
      "hypervisor and container file together; phoenix_config.sh is read as data, never run",
    )
    .option("--write <folder>", "also write the new form into this folder, which is made where it is missing")
    .option("--overwrite", "with --write: files that are there already are replaced")
    .action((files: string[], options: Options) => {
      if (options.overwrite && options.write === undefined) {
        throw new Failure("--overwrite says how to --write, and no folder to write to is given.", {
          code: 2,
        });
      }
      const { files: migrated, findings } = migrate(readTexts(files));
      for (const { path, diff } of migrated) {
        process.stdout.write(diff === "" ? `${shown(path)} is in today's form.\n` : `${diff.trimEnd()}\n`);
      }
      if (findings.length > 0) process.stderr.write(`${formatFindings(findings)}\n`);
      const failed = findings.some(({ severity }) => severity === "error");
      if (failed) process.exitCode = 1;
      if (options.write === undefined) return;
      if (failed) throw new Failure("nothing is written: not everything could be read.");
      writeAll(migrated, options.write, options.overwrite ?? false);
    });

const shown = (path: string): string => {
  const inside = relative(process.cwd(), resolve(path));
  return inside.startsWith("..") ? resolve(path) : inside;
};

/** All files or none. @throws Failure that names what is in the way */
function writeAll(migrated: readonly Migrated[], folder: string, overwrite: boolean): void {
  const places = migrated.map(({ path, after }) => ({ place: join(folder, basename(path)), after }));
  const twice = places.find(({ place }, i) => places.findIndex((other) => other.place === place) < i);
  if (twice) throw new Failure(`two of the files would become ${twice.place}; give one of them at a time.`);
  const taken = places.filter(({ place }) => existsSync(place)).map(({ place }) => place);
  if (taken.length > 0 && !overwrite) {
    throw new Failure(`nothing is written: ${taken.join(", ")} would be overwritten.`, {
      next: "another folder, or --overwrite once the diff above is what you want",
    });
  }
  mkdirSync(folder, { recursive: true });
  for (const { place, after } of places) {
    writeFileSync(place, after);
    process.stdout.write(`✓ ${shown(place)} written\n`);
  }
}
