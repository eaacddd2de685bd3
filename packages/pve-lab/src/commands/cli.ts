import { describe } from "../api/description.ts";
import {
  parseOptions,
  usageLine,
  UsageError,
  type Arguments,
  type Properties,
  type Syntax,
} from "./getopt.ts";
import type { Command } from "./main.ts";

/** One command of a tool. */
export interface Entry {
  /** The Perl class in which Proxmox VE has it: the overview groups by it. */
  readonly class: string;
  /** `METHOD /path` whose description says what the command takes. */
  readonly describes?: string;
  /** What it takes, or what it takes besides. */
  readonly properties?: Properties;
  readonly takes?: readonly string[];
  /** Parameters that the command sets itself, beside `node`. */
  readonly fixed?: readonly string[];
  /** Takes the options for the output's form. */
  readonly formats?: true;
  readonly run: (command: Command, args: Arguments) => Promise<void>;
}

export interface Alias {
  readonly alias: string;
}

export interface Commands {
  readonly [name: string]: Entry | Alias | Commands;
}

const flag = { type: "boolean", optional: 1 };

/** What all commands with `[FORMAT_OPTIONS]` take. */
export const FORMAT_OPTIONS: Properties = {
  "output-format": { type: "string", optional: 1, enum: ["text", "json", "json-pretty", "yaml"] },
  "human-readable": flag,
  noborder: flag,
  noheader: flag,
  quiet: flag,
};

type One = Entry | Alias | Commands | undefined;
const isEntry = (one: One): one is Entry =>
  one !== undefined && typeof Reflect.get(one, "run") === "function";
const isAlias = (one: One): one is Alias =>
  one !== undefined && typeof Reflect.get(one, "alias") === "string";

/** What the command's options and positional words are. */
export function syntaxOf(entry: Entry): Syntax {
  const described = entry.describes === undefined ? undefined : describe(entry.describes);
  const formats = entry.formats ? FORMAT_OPTIONS : {};
  return {
    properties: { ...formats, ...described?.parameters.properties, ...entry.properties },
    takes: entry.takes ?? [],
    fixed: new Set(["node", ...(entry.fixed ?? [])]),
  };
}

function usageOf(prefix: string, entry: Entry): string {
  const { properties, ...syntax } = syntaxOf(entry);
  const own = Object.entries(properties).filter(([name]) => !entry.formats || !(name in FORMAT_OPTIONS));
  return usageLine(prefix, { ...syntax, properties: Object.fromEntries(own) }, entry.formats);
}

/** Sub-commands before commands, commands by their class, all by name. */
function inOrder(commands: Commands): string[] {
  const key = (name: string): string => {
    const one = commands[name];
    return isEntry(one) ? `1 ${one.class} ${name}` : `0 ${name}`;
  };
  return Object.keys(commands).sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function usageLines(prefix: string, commands: Commands, gap: string): string {
  let before: string | undefined;
  let text = "";
  for (const name of inOrder(commands)) {
    const one = commands[name];
    if (isEntry(one)) {
      if (before !== undefined && before !== one.class) text += gap;
      text += `       ${usageOf(`${prefix} ${name}`, one)}\n`;
      before = one.class;
    } else if (one !== undefined && !isAlias(one)) text += usageLines(`${prefix} ${name}`, one, "") + gap;
  }
  return text;
}

/** The overview that follows an unknown or incomplete command. */
export function overview(tool: string, commands: Commands): string {
  return `USAGE: ${tool} <COMMAND> [ARGS] [OPTIONS]\n\n${usageLines(tool, commands, "\n")}`;
}

interface Found {
  /** The command as far as it was understood, with its abbreviations written out. */
  readonly name: string;
  readonly found: Entry | Commands | undefined;
  readonly rest: readonly string[];
}

/** A word that is the beginning of one command only stands for it. */
function expand(commands: Commands, word: string): string {
  if (commands[word] !== undefined) return word;
  const begun = Object.keys(commands).filter((name) => name.startsWith(word) && !isAlias(commands[name]));
  return begun.length === 1 ? (begun[0] ?? word) : word;
}

/** Walks down the words as far as they name commands. */
export function resolveCommand(tool: string, commands: Commands, words: readonly string[]): Found {
  let here = commands;
  let name = tool;
  for (const [index, given] of words.entries()) {
    const word = expand(here, given);
    const next = here[word];
    name += ` ${word}`;
    if (isAlias(next)) {
      const renamed = [...words.slice(0, index), ...next.alias.split(" "), ...words.slice(index + 1)];
      return resolveCommand(tool, commands, renamed);
    }
    if (next === undefined) {
      const mayBecome = Object.keys(here).some((other) => other.startsWith(word));
      return { name, found: mayBecome ? here : undefined, rest: words.slice(1) };
    }
    if (isEntry(next)) return { name, found: next, rest: words.slice(index + 1) };
    here = next;
  }
  return { name, found: here, rest: [] };
}

function help(tool: string, commands: Commands): Entry {
  return {
    class: "PVE::CLIHandler",
    properties: { "extra-args": { optional: 1, type: "array" }, verbose: flag },
    takes: ["extra-args"],
    run: ({ print }, { positional }) => {
      if (positional.length === 0) print(overview(tool, commands));
      else {
        const { name, found } = resolveCommand(tool, commands, positional);
        if (found === undefined) abort(`unknown command '${name}'`, tool, commands);
        else
          print(
            `USAGE: ${isEntry(found) ? `${usageOf(name, found)}\n` : usageLines(name, found, "").trimStart()}`,
          );
      }
      return Promise.resolve();
    },
  };
}

function abort(reason: string, tool: string, commands: Commands): never {
  throw new UsageError(`ERROR: ${reason}\n${overview(tool, commands)}`.trimEnd());
}

/**
 * Runs one command of a tool as PVE::CLIHandler does.
 *
 * @throws UsageError with PVE's words; any other error is the command's own
 */
export async function runTool(tool: string, own: Commands, command: Command): Promise<void> {
  const commands: Commands = { ...own };
  Object.assign(commands, { help: help(tool, commands) });
  if (command.args.length === 0) abort("no command specified", tool, commands);
  const { name, found, rest } = resolveCommand(tool, commands, command.args);
  if (found === undefined) abort(`unknown command '${name}'`, tool, commands);
  if (!isEntry(found)) abort(`incomplete command '${name}'`, tool, commands);
  try {
    const warn = (text: string): void => void process.stderr.write(`${text}\n`);
    await found.run(command, parseOptions(rest, syntaxOf(found), warn));
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("400 ")) throw error;
    throw new UsageError(`${error.message}\n${usageOf(name, found)}`);
  }
}
