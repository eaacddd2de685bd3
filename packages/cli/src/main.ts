import { CommanderError } from "commander";
import type { Command } from "commander";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { failureLines, Failure } from "./lib/failure.ts";

/** What a verb's file exports: its command line, or, where all arguments belong to somebody else, what takes them. */
interface VerbFile {
  /** The action does the work and may set process.exitCode. */
  readonly verb?: () => Command;
  readonly passThrough?: (args: readonly string[]) => Promise<void>;
}

// One file per verb, loaded only when asked for: `validate` is to answer at once.
const verbs: Record<string, () => Promise<VerbFile>> = {
  try: () => import("./verbs/try.ts"),
  env: () => import("./verbs/env.ts"),
  preview: () => import("./verbs/preview.ts"),
  up: () => import("./verbs/up.ts"),
  refresh: () => import("./verbs/refresh.ts"),
  destroy: () => import("./verbs/destroy.ts"),
  validate: () => import("./verbs/validate.ts"),
  graph: () => import("./verbs/graph.ts"),
  show: () => import("./verbs/show.ts"),
  features: () => import("./verbs/features.ts"),
  migrate: () => import("./verbs/migrate.ts"),
  urns: () => import("./verbs/urns.ts"),
  status: () => import("./verbs/status.ts"),
  drift: () => import("./verbs/drift.ts"),
  repair: () => import("./verbs/repair.ts"),
  rollback: () => import("./verbs/rollback.ts"),
  recover: () => import("./verbs/recover.ts"),
  lab: () => import("./verbs/lab.ts"),
  doctor: () => import("./verbs/doctor.ts"),
  disks: () => import("./verbs/disks.ts"),
  access: () => import("./verbs/access.ts"),
  test: () => import("./verbs/test.ts"),
};

const usage = 2;

async function main(): Promise<void> {
  const [name, ...args] = process.argv.slice(2);
  const overview = () => readFileSync(join(import.meta.dirname, "../overview.txt"), "utf8");
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(overview());
    return;
  }
  const load = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (!load) throw new Failure(`there is no verb '${name}'.`, { next: "bin/phoenix", code: usage });
  const { verb, passThrough } = await load();
  await passThrough?.(args);
  await verb?.().name(`bin/phoenix ${name}`).exitOverride().parseAsync(args, { from: "user" });
}

// A reader that stops early (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

try {
  await main();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : usage; // commander has said what is wrong
  } else {
    for (const line of failureLines(error)) process.stderr.write(`${line}\n`);
    process.exitCode = error instanceof Failure ? error.code : 1;
  }
}
