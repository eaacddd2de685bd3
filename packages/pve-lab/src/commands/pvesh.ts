import { describe, describedRoutes } from "../api/description.ts";
import { Router } from "../api/router.ts";
import type { Method } from "../core/route.ts";
import { drop } from "../guests/config-file.ts";
import { call, finish } from "./client.ts";
import { FORMAT_OPTIONS, runTool, type Commands, type Entry } from "./cli.ts";
import { formatAnswer, formatOf } from "./formatter.ts";
import {
  parseOptions,
  usageLine,
  UsageError,
  type Arguments,
  type Properties,
  type Syntax,
} from "./getopt.ts";
import type { Command } from "./main.ts";
import { cell, records } from "./output.ts";

const METHODS: Readonly<Record<string, Method>> = {
  get: "GET",
  set: "PUT",
  create: "POST",
  delete: "DELETE",
};
/** What names a child, the most telling first: a guest's row has a name as well as its number. */
const CHILD_NAMES = [
  ...[
    "subdir",
    "vmid",
    "volid",
    "storage",
    "iface",
    "upid",
    "tokenid",
    "userid",
    "groupid",
    "roleid",
    "poolid",
  ],
  ...["realm", "pos", "cidr", "node", "name"],
];
const flag = { type: "boolean", optional: 1 };
const API_PATH: Properties = { api_path: { type: "string" } };

interface Found {
  /** Placeholders of the path, which no option may name. */
  readonly variables: readonly string[];
  /** Undefined where only the path is known: then every option is passed on. */
  readonly properties: Properties | undefined;
}

let routes: Router<string> | undefined;

function find(method: Method, path: string): Found | undefined {
  if (routes === undefined) {
    routes = new Router<string>();
    for (const name of describedRoutes) {
      const [verb = "", template = ""] = name.split(" ");
      routes.add(verb as Method, template === "/" ? "" : template, name);
    }
  }
  const match = routes.find(path.split("/").filter((part) => part !== ""));
  const name = match?.entries.get(method);
  if (match === undefined || name === undefined) return undefined;
  const described = describe(name);
  return {
    variables: Object.keys(match.variables),
    properties: described === undefined ? undefined : (described.parameters.properties ?? {}),
  };
}

/** `localhost` as node means this one, and slashes at either end mean nothing. */
function fullPath(node: string, path: string): string {
  const clean = `/${path.replace(/^\/+|\/+$/g, "")}`;
  return clean.replace(/^\/nodes\/localhost(?=\/|$)/, `/nodes/${node}`);
}

function syntaxOf(found: Found): Syntax {
  const taken = Object.entries(found.properties ?? {}).filter(([name]) => !found.variables.includes(name));
  return {
    properties: {
      ...FORMAT_OPTIONS,
      noproxy: flag,
      nooutput: flag,
      ...Object.fromEntries(taken),
      ...API_PATH,
    },
    takes: ["api_path"],
    fixed: new Set(found.variables),
  };
}

/** Options of a path that is described by its name only: all are texts. */
function withUnknown(syntax: Syntax, words: readonly string[]): Syntax {
  const names = words.flatMap((word) => /^--?([a-z][^=]*)/i.exec(word)?.[1] ?? []);
  const unknown = Object.fromEntries(names.map((name) => [name, { type: "string", optional: 1 }]));
  return { ...syntax, properties: { ...unknown, ...syntax.properties } };
}

async function request(command: Command, verb: string, words: readonly string[]): Promise<void> {
  const { node, print } = command;
  const method = METHODS[verb] ?? "GET";
  // As with PVE the path comes before any option.
  const [path = ""] = words;
  const found = path === "" ? undefined : find(method, fullPath(node, path));
  if (path !== "" && found === undefined) {
    process.stderr.write(`No '${verb}' handler defined for '${path}'\n`);
    process.exitCode = 1;
    return;
  }
  const known = syntaxOf(found ?? { variables: [], properties: {} });
  const syntax = found?.properties === undefined && path !== "" ? withUnknown(known, words) : known;
  const usage = (): string => {
    const own = Object.entries(syntax.properties).filter(
      ([name]) => !(name in FORMAT_OPTIONS) && name !== "nooutput",
    );
    return usageLine(`pvesh ${verb}`, { ...syntax, properties: Object.fromEntries(own) }, true);
  };
  try {
    await perform(
      command,
      method,
      parseOptions(words, syntax, (text) => void process.stderr.write(`${text}\n`)),
    );
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("400 ")) throw error;
    throw new UsageError(`${error.message}\n${usage()}`);
  }

  async function perform(
    { node: own }: Command,
    verbOf: Method,
    { positional, options }: Arguments,
  ): Promise<void> {
    const format = formatOf(options);
    const values: Record<string, string[]> = { ...options };
    for (const name of [...Object.keys(FORMAT_OPTIONS), "noproxy", "nooutput"])
      if (found?.properties?.[name] === undefined) drop(values, name);
    const answer = await call(verbOf, fullPath(own, positional[0] ?? ""), values);
    const quiet = format.quiet || options["nooutput"] !== undefined;
    if (typeof answer === "string" && answer.startsWith("UPID:") && verbOf !== "GET")
      await finish(own, answer, (line) => (quiet ? undefined : print(`${line}\n`)));
    if (!quiet) print(formatAnswer(answer, format));
  }
}

/** What lies below a path, with what can be done there: directory, read, write, create, delete. */
async function list(
  { node, print }: Command,
  { positional: [given = ""], options }: Arguments,
): Promise<void> {
  const path = fullPath(node, given);
  if (find("GET", path) === undefined) throw new Error(`no such resource '${given}'`);
  const rows = records(await call("GET", path));
  const [first] = rows;
  const key = CHILD_NAMES.find((name) => first?.[name] !== undefined);
  if (first !== undefined && key === undefined)
    throw new Error(`resource '${given}' does not define child links`);
  const children = rows.map((row) => cell(row[key ?? ""])).sort();
  const can = (child: string): string => {
    const below = `${path === "/" ? "" : path}/${child}`;
    const has = (method: Method, letter: string): string => (find(method, below) ? letter : "-");
    const directory = describedRoutes.some((name) => new RegExp(`^GET ${pattern(below)}/`).test(name))
      ? "D"
      : "-";
    return `${directory}${has("GET", "r")}${has("PUT", "w")}${has("POST", "c")}${has("DELETE", "d")}`;
  };
  const shown = children.map((name) => ({ capabilities: can(name), name }));
  const format = formatOf({ noborder: ["1"], noheader: ["1"], ...options });
  if (shown.length > 0) print(formatAnswer(shown, format, ["capabilities", "name"]));
}

/** The path with a placeholder allowed in place of each part. */
function pattern(path: string): string {
  return path
    .split("/")
    .map((part) => (part === "" ? "" : `(?:${part.replace(/[^\w-]/g, "\\$&")}|\\{\\w+\\})`))
    .join("/");
}

function usage({ node, print }: Command, { positional: [path = ""], options }: Arguments): Promise<void> {
  const only = options["command"]?.at(-1);
  const lines = Object.entries(METHODS).flatMap(([verb, method]) => {
    if (only !== undefined && verb !== only) return [];
    const found = find(method, fullPath(node, path));
    if (found === undefined) return [];
    const { properties = {}, variables } = found;
    return `USAGE: ${usageLine(`pvesh ${verb} ${path}`, { properties, takes: [], fixed: new Set(variables) })}\n`;
  });
  if (lines.length === 0)
    throw new Error(only === undefined ? `no such resource '${path}'` : `no '${only}' handler for '${path}'`);
  print(lines.join(""));
  return Promise.resolve();
}

const OWN = "PVE::CLI::pvesh";
const verb = (): Entry => ({
  class: OWN,
  properties: { ...API_PATH, noproxy: flag },
  takes: ["api_path"],
  formats: true,
  run: () => Promise.resolve(),
});

const COMMANDS: Commands = {
  ls: {
    class: OWN,
    properties: { ...API_PATH, noproxy: flag },
    takes: ["api_path"],
    formats: true,
    run: list,
  },
  usage: {
    class: OWN,
    properties: {
      ...API_PATH,
      verbose: flag,
      returns: flag,
      command: { type: "string", optional: 1, enum: Object.keys(METHODS) },
    },
    takes: ["api_path"],
    run: usage,
  },
  get: verb(),
  set: verb(),
  create: verb(),
  delete: verb(),
};

/** `pvesh get|ls|create|set|delete|usage PATH …` */
export function pvesh(command: Command): Promise<void> {
  const words = [...command.args];
  while (words[0] === "--noproxy" || words[0] === "--nooutput") words.push(words.shift() ?? "");
  const [first = "", ...rest] = words;
  if (METHODS[first] !== undefined) return request(command, first, rest);
  return runTool("pvesh", COMMANDS, { ...command, args: words });
}
