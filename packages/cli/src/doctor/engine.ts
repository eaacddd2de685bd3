import { homedir } from "node:os";
import { join } from "node:path";
import { root } from "../lib/checkout.ts";
import { pulumiEnvironment, selectedStack } from "../lib/environment.ts";
import type { PulumiEnvironment } from "../lib/environment.ts";
import { Failure } from "../lib/failure.ts";
import { capture } from "../lib/process.ts";
import { error, warning } from "./problem.ts";
import type { Problem } from "./problem.ts";

/** A program that a stack needs: whose it is, or that it is missing. */
export interface EngineProgram {
  readonly name: string;
  readonly version: string;
  readonly state: "path" | "official" | "built" | "missing";
}

export interface EngineFacts {
  readonly programs: readonly EngineProgram[];
  readonly environment?: PulumiEnvironment;
  readonly stack?: string;
  readonly problems: readonly Problem[];
}

const entry = join(root, "packages/offline-engine/src/main.ts");

/** Engine, plugins, backend and stack; needs no node and no network. */
export async function lookAtEngine(wantedStack: string | undefined): Promise<EngineFacts> {
  const problems: Problem[] = [];
  let environment: PulumiEnvironment | undefined;
  let stack: string | undefined;
  try {
    environment = await pulumiEnvironment();
    stack = await selectedStack(environment, wantedStack === undefined ? [] : ["--stack", wantedStack]);
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    const say = environment === undefined ? error : warning;
    problems.push(say(failure.message, failure.next ?? "bin/phoenix try"));
  }
  const home = environment?.variables["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
  const { stdout } = await capture("node", [entry, "doctor", "--json", "--home", home], {
    cwd: root,
    env: environment?.variables ?? process.env,
  });
  const programs = JSON.parse(stdout) as EngineProgram[];
  for (const { name, version, state } of programs) {
    // A CLI of one's own may be of another version; Pulumi itself then says what it thinks of it.
    if (state !== "missing" || environment === undefined || name.startsWith("pulumi")) continue;
    problems.push(
      warning(
        `the plugin ${name} ${version} is not in ${join(home, "plugins")}`,
        "Pulumi fetches it at the first run; on a machine without internet: bin/phoenix try",
      ),
    );
  }
  return { programs, ...(environment ? { environment } : {}), ...(stack ? { stack } : {}), problems };
}
