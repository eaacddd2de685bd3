import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newLog, places, root } from "./checkout.ts";
import { Failure } from "./failure.ts";
import { capture } from "./process.ts";

/** Where the engine lies. */
export interface Engine {
  /** A folder with pulumi and pulumi-language-nodejs. */
  readonly bin: string;
  readonly plugins: string;
  readonly origin: "official" | "path" | "built";
}

const entry = join(root, "packages/offline-engine/src/main.ts");
const record = join(places.own, "engine.json");

/** The engine that `try` found or built; undefined before that, or when the cache was emptied. */
export function knownEngine(): Engine | undefined {
  if (!existsSync(record)) return undefined;
  const engine = JSON.parse(readFileSync(record, "utf8")) as Engine;
  return existsSync(join(engine.bin, "pulumi")) ? engine : undefined;
}

/** Finds or builds the engine; minutes where it has to be compiled. @throws Failure with the log of the build. */
export async function ensureEngine(onLine: (line: string) => void): Promise<Engine> {
  const log = newLog("engine.log");
  const result = await capture("node", [entry, "ensure", "--json"], { cwd: root, log, onLine });
  if (result.code !== 0) {
    const cause = result.stderr.trim().split("\n").at(-1) ?? "";
    throw new Failure(`the Pulumi engine could not be brought: ${cause}`, { log, next: "bin/phoenix try" });
  }
  const engine = JSON.parse(result.stdout) as Engine;
  mkdirSync(places.own, { recursive: true });
  writeFileSync(record, `${JSON.stringify(engine, null, 2)}\n`);
  return engine;
}

/** Links the plugins into a Pulumi home. */
export async function installPlugins(home: string): Promise<void> {
  const log = newLog("plugins.log");
  const result = await capture("node", [entry, "install", "--home", home], { cwd: root, log });
  if (result.code !== 0) {
    const cause = result.stderr.trim().split("\n").at(-1) ?? "";
    throw new Failure(`the plugins could not be put into ${home}: ${cause}`, {
      log,
      next: "bin/phoenix try",
    });
  }
}
