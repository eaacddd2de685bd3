import { join } from "node:path";
import { build } from "./build.ts";
import { folderOf, makeOnce, readRecord } from "./cache.ts";
import { Failure } from "./failure.ts";
import { download, releaseHost } from "./official.ts";
import { engineOnPath, pluginsOfPerson } from "./on-path.ts";
import { plugins, pulumiVersion, type Origin, type Part } from "./pins.ts";
import { say, seconds } from "./say.ts";

/** Where a part is, and where it came from. */
export interface Provided {
  readonly origin: Origin;
  /** engine: the folder with `pulumi` and its language host; plugins: the folder with one folder per plugin. */
  readonly folder: string;
}

const inside = { engine: "bin", plugins: "plugins" } as const;

/** Finds a part on this machine, without the network and without changing anything. */
export async function find(part: Part): Promise<Provided | undefined> {
  const own = part === "engine" ? await engineOnPath() : pluginsOfPerson();
  if (own) return { origin: "path", folder: own };
  for (const origin of ["official", "built"] as const) {
    const folder = folderOf(part, origin);
    if (readRecord(part, folder)) return { origin, folder: join(folder, inside[part]) };
  }
  return undefined;
}

/** Finds a part, else downloads its official release, else builds it. @throws Failure if nothing works. */
export async function provide(part: Part): Promise<Provided> {
  const found = await find(part);
  if (found) {
    for (const name of namesOf(part)) say(`✓ ${name} (${describe[found.origin]})`);
    return found;
  }
  const origin = (await downloaded(part)) ? "official" : "built";
  if (origin === "built") await makeOnce(part, "built", (folder) => build(part, folder));
  return { origin, folder: join(folderOf(part, origin), inside[part]) };
}

const describe: { [origin in Origin]: string } = {
  path: "yours",
  official: "official release, here already",
  built: "built, here already",
};

async function downloaded(part: Part): Promise<boolean> {
  const host = releaseHost();
  if (!host) return false;
  const begun = Date.now();
  try {
    await makeOnce(part, "official", (folder) => download(part, folder, host));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say(`  no official release: ${error.message}`);
    say(`  building ${namesOf(part).join(", ")} from source instead`);
    return false;
  }
  for (const name of namesOf(part)) say(`✓ ${name} (official release, ${seconds(begun)} s)`);
  return true;
}

function namesOf(part: Part): string[] {
  if (part === "engine") return [`pulumi ${pulumiVersion}`];
  return plugins.map(({ name, version }) => `plugin ${name} ${version}`);
}
