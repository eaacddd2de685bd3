import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The checkout that this file lies in. */
export const root = realpathSync(join(import.meta.dirname, "../../../.."));

const own = join(root, ".phoenix");

/** Everything that `try` makes for this checkout; git-ignored. */
export const places = {
  own,
  pulumiHome: join(own, "pulumi-home"),
  backend: join(own, "backend"),
  agent: join(own, "agent.sock"),
  log: join(own, "log"),
  nodeFile: join(process.env["PHOENIX_LAB_STATE"] || join(own, "lab"), "node.json"),
  cache:
    process.env["PHOENIX_CACHE"] ||
    join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "phoenix"),
} as const;

/** True once `try` has made a Pulumi home for this checkout. */
export const hasOwnPulumi = (): boolean => existsSync(places.pulumiHome);

/** The lab's connection facts, as `lab up` writes them. */
export interface NodeFile {
  readonly name: string;
  readonly endpoint: string;
  readonly address: string;
  readonly apiToken: string;
  readonly ssh: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly hostKey: string;
    readonly keyFile: string;
  };
}

/** Undefined where there is no lab. @throws SyntaxError for a damaged file. */
export function readNodeFile(path: string = places.nodeFile): NodeFile | undefined {
  if (!existsSync(path)) return undefined;
  return JSON.parse(readFileSync(path, "utf8")) as NodeFile;
}

const keptLogs = 40;

/** A fresh path in .phoenix/log; the oldest ones go. */
export function newLog(name: string): string {
  mkdirSync(places.log, { recursive: true, mode: 0o700 });
  const old = readdirSync(places.log).sort();
  for (const file of old.slice(0, Math.max(0, old.length - keptLogs)))
    rmSync(join(places.log, file), { force: true });
  const time = new Date().toISOString().replace(/[:.]/g, "-").slice(0, 23);
  return join(places.log, `${time}-${name}`);
}
