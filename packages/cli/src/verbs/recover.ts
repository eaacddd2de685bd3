import { Command } from "commander";
import type { Model } from "../../../../model/index.ts";
import { withNode } from "../drift/node.ts";
import { chosenModel } from "../lib/configuration.ts";
import { changeLines, containerChanges, containerOfUrn } from "../lib/container-changes.ts";
import { isOfLab, nodeOf, pulumiEnvironment, selectedStack } from "../lib/environment.ts";
import type { StepMetadata } from "../lib/events.ts";
import { Failure } from "../lib/failure.ts";
import { nodeSettings } from "../lib/node-settings.ts";
import { clearStaleLocks } from "../lib/stale-lock.ts";
import { countOf, nameOf, types } from "../recover/state.ts";
import { survey } from "../recover/survey.ts";
import type { Standing } from "../recover/survey.ts";
import { Engine, takeBack } from "../recover/take-back.ts";

const say = (lines: readonly string[]): void => void process.stdout.write(`${lines.join("\n")}\n`);

export const verb = () =>
  new Command("recover")
    .description(
      "the state was lost and the node is intact: takes back what carries this stack's mark, as it stands there",
    )
    .option("--stack <name>", "a stack other than the selected one")
    .option("--yes", "do it; without it, a stack that is not the lab's only gets the list")
    .action(async (options: { stack?: string; yes?: boolean }) => {
      const { backend, variables } = await pulumiEnvironment();
      const args = options.stack === undefined ? [] : ["--stack", options.stack];
      const stack = await selectedStack({ owner: "caller", backend, variables }, args);
      say([
        `backend ${backend} · stack ${stack} · node ${nodeOf(stack)}`,
        ...clearStaleLocks(backend, stack),
      ]);
      const engine = new Engine(stack, variables);
      mustBeEmpty(stack, await engine.export());
      const model = chosenModel({ stack });
      const standing = await withNode(nodeSettings(stack).ssh, variables, (run) => survey(run, stack, model));
      say(standingLines(standing, stack, model));
      refuseForeign(standing, stack);
      if (options.yes !== true && !isOfLab(stack)) {
        say(["Nothing was done.", `  try next:  bin/phoenix recover --stack ${stack} --yes`]);
        return;
      }
      say(["Reading the node into the state ..."]);
      const planned = await takeBack(engine, standing, model);
      say([...mendedLines(planned), "Running the scripts again ..."]);
      await engine.run(
        ["up", "--yes", "--skip-preview"],
        true,
        "the guests and storages are back in the state, but not every script could be run again",
        "bin/phoenix preview, then bin/phoenix up   (it goes on where this run ended)",
      );
      say(differenceLines(await engine.run(["preview"], false, "everything is back, but the preview fails")));
    });

/** @throws Failure where there is no stack, or one whose state is not lost */
function mustBeEmpty(stack: string, state: string | undefined): void {
  if (state === undefined) {
    throw new Failure(`there is no stack ${stack} in the backend.`, {
      next: `pulumi stack init ${stack}, then bin/phoenix recover --stack ${stack}`,
    });
  }
  const count = countOf(state);
  if (count === 0) return;
  throw new Failure(
    `the state of stack ${stack} is not lost: it has ${count} resources. Nothing was touched.`,
    {
      next: "bin/phoenix refresh, then bin/phoenix up",
    },
  );
}

/** What will be taken back, and what not, before anything is done. */
export function standingLines({ marks, storages }: Standing, stack: string, model: Model): string[] {
  const specs = [...model.templates, ...model.containers];
  const word = ({ vmid, name, isTemplate }: (typeof specs)[number]) =>
    `  ${isTemplate ? "template" : "container"} ${vmid} ${name}`;
  const missing = specs.filter(({ vmid }) => !marks.has(vmid)).map(word);
  return [
    `What stands on the node comes back into the state of stack ${stack}:`,
    ...specs.filter(({ vmid }) => marks.has(vmid)).map(word),
    ...storages.map((id) => `  storage ${id} (the node has a note that this stack made it)`),
    "  pools, datasets, volumes, settings, features: their scripts run again, and mend what is not as configured",
    ...(missing.length > 0 ? ["Not there, so it will be made:", ...missing] : []),
  ];
}

/** @throws Failure that names what is in the way */
export function refuseForeign({ foreign, foreignStorages }: Standing, stack: string): void {
  const problems = [
    ...foreign.map((vmid) => `guest ${vmid} is there and does not carry the mark of stack ${stack}`),
    ...foreignStorages.map(
      (id) => `storage ${id} is there, and the node has no note that stack ${stack} made it`,
    ),
  ];
  if (problems.length === 0) return;
  throw new Failure(`nothing was touched: ${problems.join("; ")}.`, {
    next: "give what is configured another CTID or id, or take the configuration that made what is there",
  });
}

/** Guests and storages that the refresh found otherwise than configured. */
function mendedLines(planned: readonly StepMetadata[]): string[] {
  return planned
    .filter(({ op, type }) => op === "update" && type.startsWith("proxmoxve:") && type !== types.download)
    .map(
      ({ urn, diffs }) => `  ${nameOf(urn)} is not as configured and will be: ${(diffs ?? []).join(", ")}`,
    );
}

/** The last word, by an ordinary preview. */
export function differenceLines(steps: readonly StepMetadata[]): string[] {
  const differing = steps.filter(({ op }) => op !== "same" && op !== "read");
  if (differing.length === 0) return ["Everything is back in the state, and the preview is empty."];
  return [
    "Everything is back in the state, as it stands on the node. Today's configuration is another one; the next up would mean:",
    ...changeLines(containerChanges(steps)),
    ...[...new Set(differing.filter(({ urn }) => !containerOfUrn(urn)).map(({ urn }) => `  ${nameOf(urn)}`))],
    "  try next:  bin/phoenix preview --diff",
  ];
}
