import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { ensureAgent } from "./agent.ts";
import { hasOwnPulumi, places, readNodeFile, root } from "./checkout.ts";
import { knownEngine } from "./engine.ts";
import { Failure } from "./failure.ts";
import { capture } from "./process.ts";
import { dropBrokenSideFiles } from "./side-files.ts";

/** Whose Pulumi a verb talks to: the caller's variables first, then the checkout's own, then the person's login. */
export interface PulumiEnvironment {
  readonly owner: "caller" | "checkout" | "person";
  readonly variables: NodeJS.ProcessEnv;
  readonly backend: string;
}

/** What every run gets, whoever owns the stack. A variable that the caller has set stays. */
const always = { PULUMI_CONTINUE_ON_ERROR: "true", PULUMI_SKIP_UPDATE_CHECK: "true" };

/** The passphrase of stack `dev`: it guards a throwaway lab only and is published with Pulumi.dev.yaml. */
const labPassphrase = "phoenix-lab";

/** The PATH with these folders first, each once. */
export function pathWith(folders: readonly string[], path: string): string {
  const rest = path.split(delimiter).filter((folder) => folder !== "" && !folders.includes(folder));
  return [...folders, ...rest].join(delimiter);
}

const ownBackend = (): string => `file://${places.backend}`;

/** The variables of the checkout's own Pulumi, agent included (started if need be). */
export async function ownVariables(): Promise<Record<string, string>> {
  dropBrokenSideFiles(ownBackend());
  const engine = knownEngine();
  const node = readNodeFile();
  const folders = [...(engine ? [engine.bin] : []), dirname(process.execPath)];
  const variables: Record<string, string> = {
    PATH: pathWith(folders, process.env["PATH"] ?? ""),
    PULUMI_HOME: places.pulumiHome,
    PULUMI_BACKEND_URL: ownBackend(),
    PULUMI_CONFIG_PASSPHRASE: labPassphrase,
    ...always,
  };
  if (node) {
    variables["PROXMOX_VE_API_TOKEN"] = node.apiToken;
    variables["SSH_AUTH_SOCK"] = await ensureAgent(node);
  }
  return variables;
}

/** Chooses as the README says; never makes a stack, a backend or a lab. What a killed run left half written is gone then. */
export async function pulumiEnvironment(): Promise<PulumiEnvironment> {
  const environment = await chooseEnvironment();
  dropBrokenSideFiles(environment.backend);
  return environment;
}

async function chooseEnvironment(): Promise<PulumiEnvironment> {
  const { PULUMI_HOME: home, PULUMI_BACKEND_URL: url } = process.env;
  // After eval "$(bin/phoenix env)"; a backend that was set since then is the caller's word.
  const isOwn = home === places.pulumiHome && (!url || url === ownBackend());
  if ((home || url) && !isOwn) {
    return {
      owner: "caller",
      variables: withPulumi({ ...always, ...process.env }),
      backend: url || login(home),
    };
  }
  if (hasOwnPulumi()) {
    const variables = { ...process.env, ...(await ownVariables()) };
    return { owner: "checkout", variables, backend: variables["PULUMI_BACKEND_URL"] ?? "" };
  }
  return { owner: "person", variables: withPulumi({ ...always, ...process.env }), backend: login(undefined) };
}

/** A Pulumi on the PATH wins; else the engine that this checkout knows. */
function withPulumi(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const path = variables["PATH"] ?? "";
  if (path.split(delimiter).some((folder) => folder !== "" && existsSync(join(folder, "pulumi"))))
    return variables;
  const engine = knownEngine();
  if (!engine) {
    throw new Failure(
      "there is no `pulumi` on the PATH. Install it, or let Phoenix bring a lab and an engine.",
      {
        next: "bin/phoenix try",
      },
    );
  }
  return { ...variables, PATH: pathWith([engine.bin], path) };
}

function login(home: string | undefined): string {
  const project = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as { backend?: { url?: string } };
  if (project.backend?.url) return project.backend.url;
  const file = join(home ?? join(homedir(), ".pulumi"), "credentials.json");
  if (!existsSync(file)) return "Pulumi's default (not logged in)";
  return (JSON.parse(readFileSync(file, "utf8")) as { current?: string }).current || "Pulumi's default";
}

/** The stack that `pulumi ARGS` would use; its short name. @throws Failure where none is selected. */
export async function selectedStack(
  environment: PulumiEnvironment,
  args: readonly string[],
): Promise<string> {
  const named = stackArgument(args) ?? environment.variables["PULUMI_STACK"];
  if (named) return shortName(named);
  const shown = await capture("pulumi", ["stack", "--show-name", "--non-interactive"], {
    cwd: root,
    env: environment.variables,
  });
  if (shown.code === 0) return shortName(shown.stdout.trim());
  const said = shown.stderr.trim().split("\n").at(-1) ?? "";
  const next = environment.owner === "checkout" ? "bin/phoenix try" : "pulumi stack select NAME";
  throw new Failure(`no stack is selected (${environment.backend}): ${said}`, { next });
}

/** The value of --stack or -s among a Pulumi verb's arguments. */
export function stackArgument(args: readonly string[]): string | undefined {
  for (const [index, arg] of args.entries()) {
    if (arg === "--") return undefined;
    if (arg === "--stack" || arg === "-s") return args[index + 1];
    const joined = /^(?:--stack|-s)=(.*)$/.exec(arg);
    if (joined) return joined[1];
  }
  return undefined;
}

const shortName = (name: string): string => name.split("/").at(-1) ?? name;

/** What `Pulumi.<stack>.yaml` says, without the secrets. */
export function stackConfig(stack: string): Record<string, unknown> {
  const file = join(root, `Pulumi.${stack}.yaml`);
  if (!existsSync(file)) return {};
  return (parse(readFileSync(file, "utf8")) as { config?: Record<string, unknown> } | null)?.config ?? {};
}

/** A node file is written by a lab: what such a stack makes is there to be thrown away. */
export function isOfLab(stack: string): boolean {
  return Boolean(stackConfig(stack)["phoenix:nodeFile"]);
}

/** The node that a stack's configuration names, for the first line of a run. */
export function nodeOf(stack: string): string {
  const config = stackConfig(stack);
  const file = config["phoenix:nodeFile"];
  if (typeof file === "string" && file !== "") {
    const node = readNodeFile(resolve(root, file));
    return node ? `${node.name} (${node.endpoint})` : `none: ${file} is not there (is the lab up?)`;
  }
  const name = config["phoenix:node"];
  const endpoint = config["phoenix:endpoint"];
  return `${typeof name === "string" ? name : "pve"} (${typeof endpoint === "string" ? endpoint : "phoenix:endpoint is not set"})`;
}
