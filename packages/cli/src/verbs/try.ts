import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { newLog, places, root } from "../lib/checkout.ts";
import { ensureEngine, installPlugins, knownEngine } from "../lib/engine.ts";
import { isOfLab, ownVariables, stackConfig } from "../lib/environment.ts";
import { difference } from "../lib/difference.ts";
import { errorsOf, readEvents } from "../lib/events.ts";
import { Failure } from "../lib/failure.ts";
import { labPreflight, labRun, labUp } from "../lib/lab.ts";
import type { Preflight } from "../lib/lab.ts";
import { forgetFinishedCreates } from "../lib/pending.ts";
import { capture } from "../lib/process.ts";
import { duration, Progress } from "../lib/progress.ts";
import { nextCommand } from "../lib/pulumi-verb.ts";
import { clearStaleLocks } from "../lib/stale-lock.ts";
import { closing, publishPage } from "../lib/try-closing.ts";
import { UpProgress } from "../lib/up-progress.ts";

export const verb = () =>
  new Command("try")
    .description(
      "no Proxmox? Brings everything, starts a lab node on this machine, and builds all of it there",
    )
    .option("--port <number>", "first of three ports on 127.0.0.1 for the lab")
    .option("--stack <name>", "which stack; its Pulumi.<name>.yaml names the lab's node", "dev")
    .action(async (options: { port?: string; stack: string }) => {
      const since = Date.now();
      const { stack } = options;
      const port = options.port === undefined ? [] : ["--port", options.port];
      const hardware = hardwareOf(stack);
      const progress = new Progress();
      announce(progress, await labPreflight(port));
      await progress.step("the Pulumi engine and its plugins", (step) =>
        ensureEngine((line) => step.note(line.trim())),
      );
      const node = await progress.step("the lab node", (step) =>
        labUp([...port, ...hardware], (line) => {
          if (/^\s*[✓✗]/.test(line)) progress.say(`    ${line.trim()}`);
          else if (line.trim() !== "") step.note(line.replace(/^\s*…\s*/, ""));
        }),
      );
      await progress.step(`stack ${stack}, in a backend of this checkout's own`, () => prepareStack(stack));
      await progress.step(`pulumi up`, (step) => up(stack, progress, step));
      const page = await progress.step("the page answers", () => publishPage(node, stack));
      await closing(progress, { node, stack, page, time: duration(Date.now() - since) });
      const different = difference(stack);
      if (different !== "") progress.say(`\n${different}`);
    });

/** A stack of the lab may ask for hardware: disks of other sizes, GPUs. */
function hardwareOf(stack: string): string[] {
  if (!existsSync(join(root, `Pulumi.${stack}.yaml`))) {
    throw new Failure(`there is no Pulumi.${stack}.yaml.`, { code: 2 });
  }
  if (!isOfLab(stack)) {
    const message = `stack ${stack} is not one of the lab: it has no phoenix:nodeFile.`;
    throw new Failure(message, { next: `bin/phoenix up --stack ${stack}`, code: 2 });
  }
  const hardware = stackConfig(stack)["phoenix:labHardware"];
  return typeof hardware === "string" && hardware !== "" ? ["--hardware", join(root, hardware)] : [];
}

function announce(progress: Progress, { changes, undo }: Preflight): void {
  const time = knownEngine()
    ? "2 to 4 minutes"
    : "2 to 4 minutes; up to 15 where the Pulumi engine has to be compiled first";
  const own = [
    `this checkout: ${places.own} (ignored by git) gets the lab, a Pulumi home and the state`,
    `cache: ${places.cache} gets the Pulumi engine, if it is not there yet`,
    `time: about ${time}`,
  ];
  const back = [
    ...undo.map((line) => line.replace("`lab down`", "`bin/phoenix lab down`")),
    `then: rm -r ${places.own}`,
  ];
  const list = (lines: readonly string[]) => lines.map((line) => `  - ${line}`);
  progress.say(
    [
      "This will change on this machine:",
      ...list([...changes, ...own]),
      "What undoes it:",
      ...list(back),
      "",
    ].join("\n"),
  );
}

async function prepareStack(stack: string): Promise<void> {
  mkdirSync(places.backend, { recursive: true, mode: 0o700 });
  await installPlugins(places.pulumiHome);
  const env = { ...process.env, ...(await ownVariables()) };
  const selected = await capture("pulumi", ["stack", "select", stack, "--non-interactive"], {
    cwd: root,
    env,
  });
  await onlyStack(stack);
  if (selected.code === 0 && (await describesThisNode(stack, env))) return;
  // The lab was made anew behind this checkout's back: the old state is about a node that is gone.
  rmSync(places.backend, { recursive: true, force: true });
  mkdirSync(places.backend, { recursive: true, mode: 0o700 });
  // Pulumi writes the file anew on `init`; it is committed complete, and stays as it is.
  const settings = join(root, `Pulumi.${stack}.yaml`);
  const before = existsSync(settings) ? readFileSync(settings) : undefined;
  const made = await capture("pulumi", ["stack", "init", stack, "--non-interactive"], { cwd: root, env });
  if (before) writeFileSync(settings, before);
  if (made.code !== 0)
    throw new Failure(`stack ${stack} cannot be made: ${made.stderr.trim()}`, { next: "bin/phoenix doctor" });
}

/** Stacks of the lab share its disks and addresses. @throws Failure where another one stands on it */
async function onlyStack(stack: string): Promise<void> {
  const { stdout } = await labRun(["ls /var/lib/phoenix 2>/dev/null || true"]);
  const other = stdout.split("\n").find((name) => name !== "" && name !== stack);
  if (other === undefined) return;
  throw new Failure(`stack ${other} stands on this checkout's lab.`, {
    next: `bin/phoenix destroy --stack ${other}   (or all at once: bin/phoenix lab down)`,
  });
}

/** A state with resources has left its scripts on the node; a blank node is another one. */
async function describesThisNode(stack: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const { stdout } = await capture("pulumi", ["stack", "--show-urns", "--stack", stack], { cwd: root, env });
  if (!stdout.includes("phoenix:NodeScripts")) return true;
  return (await labRun([`test -d /var/lib/phoenix/${stack}`])).code === 0;
}

async function up(stack: string, progress: Progress, step: { note(text: string): void }): Promise<void> {
  const variables = await ownVariables();
  for (const line of clearStaleLocks(variables["PULUMI_BACKEND_URL"] ?? "", stack))
    progress.say(`    ${line}`);
  const log = newLog("try-up.log");
  const events = log.replace(/\.log$/, ".events.jsonl");
  const stop = new UpProgress(events, progress, step).follow();
  const args = [
    "up",
    "--yes",
    "--skip-preview",
    "--non-interactive",
    "--stack",
    stack,
    "--event-log",
    events,
  ];
  const env = { ...process.env, ...variables, PULUMI_DEBUG_COMMANDS: "true" };
  const { code, stderr } = await capture("pulumi", args, { cwd: root, env, log });
  stop();
  const seen = readEvents(events);
  if (code === 0) {
    await forgetFinishedCreates(seen, stack, env);
    return;
  }
  const errors = errorsOf(seen);
  const cause = errors.length > 0 ? errors.join("\n  ") : stderr.trim() || `it was ended (exit code ${code})`;
  const next = nextCommand("up", cause, stack);
  throw new Failure(`pulumi up failed: ${cause}`, { log, next });
}
