import { Command } from "commander";
import { formatFindings } from "../../../../model/index.ts";
import type { Model } from "../../../../model/index.ts";
import { neededRights } from "../access/privileges.ts";
import { ApiError, read, readPermissions } from "../doctor/api.ts";
import { compare, compareRights } from "../doctor/compare.ts";
import type { Wanted } from "../doctor/wanted.ts";
import { lookAtEngine } from "../doctor/engine.ts";
import type { EngineFacts } from "../doctor/engine.ts";
import type { NodeFacts } from "../doctor/facts.ts";
import { lookAtAgent, lookAtNode } from "../doctor/look.ts";
import { enginePage, nodePage, problemPage } from "../doctor/page.ts";
import { error } from "../doctor/problem.ts";
import type { Problem } from "../doctor/problem.ts";
import { apiProblem } from "../doctor/reach.ts";
import { chosenOutcome } from "../lib/configuration.ts";
import { ownStorages } from "../doctor/state.ts";
import { Failure } from "../lib/failure.ts";
import { nodeSettings } from "../lib/node-settings.ts";
import type { NodeSettings } from "../lib/node-settings.ts";
import { apiToken } from "../lib/token.ts";

interface Report {
  readonly engine: EngineFacts;
  readonly settings?: NodeSettings;
  readonly token?: string;
  readonly node?: NodeFacts;
  readonly problems: readonly Problem[];
}

export const verb = () =>
  new Command("doctor")
    .description(
      "looks at engine and node before the first run, and says what of the configuration will not work there. Changes nothing. 0 nothing in the way, 1 something",
    )
    .option("--stack <name>", "a stack other than the selected one")
    .option("--json", "for tools")
    .action(async (options: { stack?: string; json?: boolean }) => {
      const report = await examine(options.stack);
      const inTheWay = report.problems.filter(({ severity }) => severity === "error").length;
      process.exitCode = inTheWay > 0 ? 1 : 0;
      process.stdout.write(`${options.json ? asJson(report) : page(report).join("\n")}\n`);
    });

async function examine(wantedStack: string | undefined): Promise<Report> {
  const engine = await lookAtEngine(wantedStack);
  const { environment, stack } = engine;
  if (!environment || stack === undefined) return { engine, problems: engine.problems };
  const { variables } = environment;
  const problems: Problem[] = [...engine.problems];
  const model = modelOf(stack, problems);
  let settings: NodeSettings;
  try {
    settings = nodeSettings(stack);
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    return { engine, problems: [...problems, error(failure.message, failure.next ?? "")] };
  }
  const agent = await lookAtAgent(variables);
  if (agent) problems.push(agent);
  const token = await apiToken(stack, variables);
  const [looked, states] = await Promise.all([
    lookAtNode(settings, stack, variables),
    ownStorages(stack, variables),
  ]);
  if ("problem" in looked) problems.push(looked.problem);
  const wanted = model && { stack, node: settings.name, model, ownStorages: states };
  if (wanted && "facts" in looked) problems.push(...compare(wanted, looked.facts));
  problems.push(...(await rightsOf(settings, token, stack, wanted)));
  return {
    engine,
    settings,
    ...(token === undefined ? {} : { token: token.split("=")[0] ?? "" }),
    ...("facts" in looked ? { node: looked.facts } : {}),
    problems,
  };
}

function modelOf(stack: string, problems: Problem[]): Model | undefined {
  const outcome = chosenOutcome({ stack });
  if (outcome.ok) return outcome.model;
  problems.push(
    error(
      `the configuration is not valid\n${formatFindings(outcome.findings)}`,
      `bin/phoenix validate --stack ${stack}`,
    ),
  );
  return undefined;
}

async function rightsOf(
  settings: NodeSettings,
  token: string | undefined,
  stack: string,
  wanted: Wanted | undefined,
): Promise<Problem[]> {
  if (token === undefined) return [error("there is no API token", `bin/phoenix access --stack ${stack}`)];
  try {
    await read(settings, token, "/version");
    if (!wanted) return [];
    const has = await readPermissions(settings, token, neededRights(wanted.model, settings.name));
    return compareRights(wanted, has);
  } catch (failure) {
    if (!(failure instanceof ApiError)) throw failure;
    return [apiProblem(failure.code, failure.message, new URL(settings.endpoint).origin, stack)];
  }
}

function page({ engine, settings, token, node, problems }: Report): string[] {
  const lines = enginePage(engine);
  if (settings) {
    const { ssh } = settings;
    lines.push(
      `${"node".padEnd(10)} ${settings.name}, ${settings.endpoint}, ssh ${ssh.user}@${ssh.host}:${ssh.port}`,
      `${"token".padEnd(10)} ${token ?? "none"}`,
    );
  }
  if (node) lines.push(...nodePage(node));
  lines.push("", ...problemPage(problems));
  const errors = problems.filter(({ severity }) => severity === "error").length;
  if (errors > 0) lines.push(`${errors} ${errors === 1 ? "thing is" : "things are"} in the way.`);
  else
    lines.push(
      node ? "Nothing is in the way: pulumi preview" : "Nothing is in the way so far; no node was looked at.",
    );
  return lines;
}

function asJson({ engine, settings, token, node, problems }: Report): string {
  const { programs, environment, stack } = engine;
  const backend = environment ? { backend: environment.backend, owner: environment.owner } : {};
  const report = {
    engine: { node: process.version, programs, ...backend },
    stack,
    settings,
    token,
    node,
    problems,
  };
  return JSON.stringify(report, null, 2);
}
