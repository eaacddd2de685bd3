import type { Property } from "../core/property.ts";

export type Properties = Readonly<Record<string, Property>>;

/** What a command takes, as PVE::JSONSchema::get_options reads it. */
export interface Syntax {
  readonly properties: Properties;
  /** Names of the positional parameters, in order; `extra-args` takes all that are left. */
  readonly takes: readonly string[];
  /** Parameters that the command line sets itself: no option may name them. */
  readonly fixed: ReadonlySet<string>;
}

/** Words of a command line, sorted: options by name, and the positional ones in their order. */
export interface Arguments {
  readonly positional: string[];
  readonly options: Record<string, string[]>;
}

/** Text for standard error; the command ends with 255. */
export class UsageError extends Error {}

/** A fault of the caller's words: Proxmox VE adds the command's usage below it. */
export class BadRequest extends UsageError {
  constructor(words: string) {
    super(`400 ${words}`);
  }
}

const TRUE = /^(?:1|on|yes|true)$/i;
const FALSE = /^(?:0|off|no|false)$/i;

/** Every name that an option can have; `net[n]` stands for all of its numbers. */
function optionNames({ properties, fixed }: Syntax): string[] {
  return Object.keys(properties).filter((name) => !fixed.has(name));
}

function numbered(word: string, names: readonly string[]): string | undefined {
  const [, base, number] = /^([a-z]+)(\d+)$/.exec(word) ?? [];
  if (base === undefined || number === undefined || Number(number) > (base === "net" ? 31 : 255))
    return undefined;
  return names.includes(`${base}[n]`) ? word : undefined;
}

/** Perl's Getopt::Long: case does not matter, and an abbreviation will do as long as it is one option's. */
function resolve(word: string, names: readonly string[], warn: (text: string) => void): string | undefined {
  const small = word.toLowerCase();
  const exact = names.find((name) => name.toLowerCase() === small) ?? numbered(small, names);
  if (exact !== undefined) return exact;
  const begun = names.filter((name) => name.toLowerCase().startsWith(small));
  const [only] = begun;
  if (only !== undefined && begun.length === 1 && !only.endsWith("[n]")) return only;
  if (begun.length === 0) warn(`Unknown option: ${small}`);
  else
    warn(
      `Option ${small} is ambiguous (${begun
        .map((name) => name.replace("[n]", "0"))
        .sort()
        .join(", ")})`,
    );
  return undefined;
}

export function propertyOf(properties: Properties, name: string): Property | undefined {
  return properties[name] ?? properties[name.replace(/\d+$/, "[n]")];
}

const isList = ({ format }: Property): boolean => typeof format === "string" && format.includes("-list");

function optionText(property: Property, given: readonly string[]): string[] {
  if (property.type === "array") return [...given];
  if (isList(property)) return [given.join(",")];
  const last = given.at(-1) ?? "";
  if (property.type !== "boolean") return [last];
  if (last === "" || TRUE.test(last)) return ["1"];
  if (FALSE.test(last)) return ["0"];
  throw new BadRequest("unable to parse boolean option");
}

/**
 * Reads a command's words as Proxmox VE's tools do.
 *
 * @param warn takes the lines that Getopt::Long prints before the error
 * @returns the positional words in the order of `takes` (extra ones behind), and the options' texts
 * @throws BadRequest
 */
export function parseOptions(
  words: readonly string[],
  syntax: Syntax,
  warn: (text: string) => void,
): Arguments {
  const names = optionNames(syntax);
  const given: Record<string, string[]> = {};
  const positional: string[] = [];
  const rest = [...words];
  let faults = 0;
  const complain = (text: string): void => {
    faults++;
    warn(text);
  };
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      positional.push(...rest.splice(0));
      break;
    }
    const [, option, , inline] = /^--?([^-=][^=]*)(=(.*))?$/s.exec(word) ?? [];
    if (option === undefined) {
      positional.push(word);
      continue;
    }
    const name = resolve(option, names, complain);
    if (name === undefined) continue;
    let value = inline;
    if (propertyOf(syntax.properties, name)?.type === "boolean") {
      const next = rest[0];
      if (value === undefined && next !== undefined && !/^-./.test(next)) value = rest.shift();
    } else {
      value ??= rest.shift();
      if (value === undefined || inline === "") {
        complain(`Option ${option.toLowerCase()} requires an argument`);
        continue;
      }
    }
    (given[name] ??= []).push(value ?? "");
  }
  if (faults > 0) throw new BadRequest("unable to parse option");
  checkPositional(positional, syntax);
  const options: Record<string, string[]> = {};
  for (const [name, texts] of Object.entries(given))
    options[name] = optionText(propertyOf(syntax.properties, name) ?? {}, texts);
  return { positional, options };
}

function checkPositional(positional: readonly string[], { takes, properties }: Syntax): void {
  const named = takes.filter((name) => name !== "extra-args");
  const missing = named.slice(positional.length).find((name) => !properties[name]?.optional);
  if (missing !== undefined) throw new BadRequest("not enough arguments");
  if (positional.length > named.length && named.length === takes.length)
    throw new BadRequest("too many arguments");
}

/** One line: `pct start <vmid> [OPTIONS]`, as PVE::RESTHandler::getopt_usage writes its short form. */
export function usageLine(prefix: string, syntax: Syntax, formats = false): string {
  const { properties, takes } = syntax;
  const words = takes.map((name) => {
    const property = properties[name] ?? {};
    if (isList(property)) return `{<${name}>}`;
    return property.optional ? `[<${name}>]` : `<${name}>`;
  });
  const others = optionNames(syntax)
    .filter((name) => !takes.includes(name))
    .sort();
  for (const name of others)
    if (!properties[name]?.optional) words.push(`--${name} <${properties[name]?.type ?? "string"}>`);
  return `${prefix} ${words.join(" ")}${others.length > 0 ? " [OPTIONS]" : ""}${formats ? " [FORMAT_OPTIONS]" : ""}`;
}
