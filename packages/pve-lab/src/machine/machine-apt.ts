import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import type { Recipe } from "../image/recipe.ts";
import type { SourceFile } from "./apt-sources.ts";
import { bookwormLines, debianSources } from "./apt-sources.ts";
import { attempt } from "./run.ts";
import { Failure } from "./steps.ts";

function sourceFiles(root = "/etc/apt"): SourceFile[] {
  const files: SourceFile[] = [];
  const main = path.join(root, "sources.list");
  if (existsSync(main)) files.push({ name: main, text: readFileSync(main, "utf8") });
  const directory = path.join(root, "sources.list.d");
  for (const name of existsSync(directory) ? readdirSync(directory).sort() : []) {
    if (/\.(list|sources)$/.test(name))
      files.push({ name, text: readFileSync(path.join(directory, name), "utf8") });
  }
  return files;
}

/** apt settings without which a mirror may be unusable: proxies and the leave to use old snapshots. */
const carried = /^(Acquire::(?:Check-Valid-Until|Check-Date|https?::Proxy)) "([^"]*)";$/;

/** How Debian packages are reached from here: what images are made from. Throws {@link Failure} if there is no mirror. */
export async function machineRecipe(): Promise<Recipe> {
  const sources = bookwormLines(debianSources(sourceFiles()));
  if (sources.length === 0) {
    throw new Failure(
      "this machine's apt sources name no Debian mirror (http or https)",
      "add one, e.g. a file /etc/apt/sources.list.d/debian.sources, and run `apt-get update`",
    );
  }
  const dump = await attempt("apt-config", ["dump"]);
  const aptOptions: string[] = [];
  for (const line of dump.stdout.split("\n")) {
    const match = carried.exec(line);
    if (match !== null && match[2] !== "") aptOptions.push(`${match[1] ?? ""} "${match[2] ?? ""}"`);
  }
  return { sources, aptOptions: aptOptions.sort(), architecture: "amd64" };
}
