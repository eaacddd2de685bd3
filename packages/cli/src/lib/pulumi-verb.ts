import { spawn } from "node:child_process";
import { newLog, root } from "./checkout.ts";
import { isOfLab, nodeOf, pulumiEnvironment, selectedStack } from "./environment.ts";
import type { PulumiEnvironment } from "./environment.ts";
import { changeLines, containerChanges } from "./container-changes.ts";
import { chosenOutcome } from "./configuration.ts";
import { difference } from "./difference.ts";
import { errorsOf, readEvents } from "./events.ts";
import type { EngineEvent } from "./events.ts";
import { Failure } from "./failure.ts";
import { capture } from "./process.ts";
import { outcomeLines, outcomesOf } from "./outcomes.ts";
import { forgetFinishedCreates } from "./pending.ts";
import { refuseProtected } from "./protected.ts";
import { clearStaleLocks } from "./stale-lock.ts";

type PulumiVerb = "preview" | "up" | "refresh" | "destroy";

const asksFirst: readonly PulumiVerb[] = ["up", "refresh", "destroy"];

/** Only a part is to go: Pulumi itself looks whether that is protected. */
const selects = /^(-t$|--(target|exclude|exclude-protected)\b)/;

/** `bin/phoenix preview|up|refresh|destroy`: that verb of Pulumi on the selected stack, with these arguments. */
export async function runPulumiVerb(verb: PulumiVerb, args: readonly string[]): Promise<void> {
  const environment = await pulumiEnvironment();
  if (args.includes("--help") || args.includes("-h")) {
    process.exitCode = (await pulumi([verb, "--help"], environment)).code;
    return;
  }
  const stack = await selectedStack(environment, args);
  // With --json, standard output belongs to the caller's parser.
  const say = args.some((arg) => arg === "--json" || arg === "-j") ? process.stderr : process.stdout;
  say.write(`backend ${environment.backend} · stack ${stack} · node ${nodeOf(stack)}\n`);
  if (asksFirst.includes(verb)) {
    for (const line of clearStaleLocks(environment.backend, stack)) say.write(`${line}\n`);
  }
  const log = newLog(`${verb}.events.jsonl`);
  const yes = isOfLab(stack) && asksFirst.includes(verb) && !args.some((arg) => /^(-y|--yes)/.test(arg));
  // What needs no confirmation needs no preview before it either; `preview` is there for looking.
  const implied = yes ? (verb === "up" ? ["--yes", "--skip-preview"] : ["--yes"]) : [];
  if (verb === "destroy") {
    if (!args.some((arg) => selects.test(arg))) await refuseProtected(stack, environment);
    for (const line of await staysLines(stack, environment)) say.write(`${line}\n`);
  }
  if (implied.includes("--skip-preview")) await previewFirst(stack, args, environment);
  const { code, stderr } = await pulumi([verb, ...implied, "--event-log", log, ...args], environment);
  for (const line of containerLines(verb, stack, readEvents(log))) say.write(`${line}\n`);
  if (code === 0) {
    if (verb === "up") await forgetFinishedCreates(readEvents(log), stack, environment.variables);
    const different = verb === "up" ? difference(stack) : "";
    if (different !== "") say.write(`\n${different}\n`);
    return;
  }
  const errors = errorsOf(readEvents(log));
  const cause = errors.length > 0 ? errors.join("\n  ") : lastError(stderr);
  throw new Failure(`pulumi ${verb} failed: ${cause}`, { log, next: nextCommand(verb, cause, stack), code });
}

/** What will still be on the host afterwards, as the last run said it: destroy does not run the program. */
async function staysLines(stack: string, environment: PulumiEnvironment): Promise<string[]> {
  const command = ["stack", "output", "staysBehind", "--json", "--stack", stack];
  const { code, stdout } = await capture("pulumi", command, { cwd: root, env: environment.variables });
  const stays = code === 0 ? (JSON.parse(stdout) as string[]) : [];
  return stays.length === 0 ? [] : ["This stays on the host:", ...stays.map((thing) => `  ${thing}`)];
}

/** Some refusals can only be seen in a preview: nobody is asked, but none is skipped. */
async function previewFirst(
  stack: string,
  args: readonly string[],
  environment: PulumiEnvironment,
): Promise<void> {
  const log = newLog("up-preview.events.jsonl");
  const env = { ...environment.variables, PULUMI_DEBUG_COMMANDS: "true" };
  const shared = args.filter((arg) => !/^--(skip-preview|continue-on-error)\b/.test(arg));
  const command = ["preview", "--non-interactive", "--event-log", log, ...shared];
  const { code, stderr } = await capture("pulumi", command, { cwd: root, env });
  if (code === 0) return;
  const errors = errorsOf(readEvents(log));
  const cause = errors.length > 0 ? errors.join("\n  ") : lastError(stderr);
  throw new Failure(`nothing was touched: ${cause}`, {
    log,
    next: nextCommand("preview", cause, stack),
    code,
  });
}

/** What a preview means for the containers, or what became of them in a run; nothing for a run that did not begin. */
function containerLines(verb: PulumiVerb, stack: string, events: readonly EngineEvent[]): string[] {
  const begun = events.flatMap(({ resourcePreEvent }) =>
    resourcePreEvent ? [resourcePreEvent.metadata] : [],
  );
  if (verb === "preview") {
    const lines = changeLines(containerChanges(begun));
    return lines.length > 0 ? ["For the containers:", ...lines] : [];
  }
  if (verb !== "up" || begun.length === 0) return [];
  const configuration = chosenOutcome({ stack });
  return configuration.ok
    ? ["The containers:", ...outcomeLines(outcomesOf(events, configuration.model))]
    : [];
}

/** On this terminal, so that Pulumi's own display and questions work; standard error is kept for the last words. */
function pulumi(
  args: readonly string[],
  environment: PulumiEnvironment,
): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve, reject) => {
    // --event-log is a flag for debugging, which this variable switches on.
    const env = { ...environment.variables, PULUMI_DEBUG_COMMANDS: "true" };
    const child = spawn("pulumi", args, { cwd: root, env, stdio: ["inherit", "inherit", "pipe"] });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (piece: string) => {
      stderr += piece;
      process.stderr.write(piece);
    });
    // Ctrl-C reaches Pulumi from the terminal itself; it then ends in its own time.
    process.on("SIGINT", () => undefined);
    process.on("SIGTERM", () => void child.kill("SIGTERM"));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, stderr }));
  });
}

const lastError = (stderr: string): string =>
  stderr
    .trim()
    .split("\n")
    .findLast((line) => line.startsWith("error:"))
    ?.slice("error:".length)
    .trim() ?? "see above";

/** The command that most likely leads on. */
export function nextCommand(verb: string, cause: string, stack: string): string {
  const again = `bin/phoenix ${verb}   (it goes on where this run ended)`;
  if (/REBOOT_NEEDED/.test(cause))
    return `reboot the node (${isOfLab(stack) ? "bin/phoenix lab ssh reboot" : "ssh to it: reboot"}), then ${again}`;
  if (/because it is protected|marked for protection/.test(cause))
    return `set "protect": false there, ${again.replace(verb, "up")}, then this again`;
  if (/currently locked/.test(cause)) return "pulumi cancel   (if that other run is really dead)";
  if (
    /dial|connection refused|ECONNREFUSED|EHOSTUNREACH|no answer within|i\/o timeout|no route to host|is the lab up/i.test(
      cause,
    )
  ) {
    return isOfLab(stack) ? "bin/phoenix lab status" : "ssh to the node by hand, then the same command";
  }
  if (/:\d+:\d+/.test(cause) && /etc\/|\.json/.test(cause)) return "bin/phoenix validate";
  if (/no changes were expected|changes were proposed|expect-no-changes/i.test(cause))
    return "bin/phoenix preview --diff";
  return verb === "preview" ? "bin/phoenix doctor" : again;
}
