/** Command line as PVE's tools read it: positional parameters, `--option value`, `-option value`, `--option=value`. */
export interface Arguments {
  readonly positional: string[];
  readonly options: Record<string, string[]>;
}

export class UsageError extends Error {}

const BOOLEAN_TEXT = /^(?:0|1|yes|no|on|off|true|false)$/i;

/**
 * @param flags options whose value may be left out
 * @throws UsageError when an option lacks its value
 */
export function parseArguments(args: readonly string[], flags: ReadonlySet<string>): Arguments {
  const positional: string[] = [];
  const options: Record<string, string[]> = {};
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] ?? "";
    const match = /^--?([a-zA-Z][\w-]*)(?:=(.*))?$/s.exec(argument);
    if (match?.[1] === undefined) {
      if (argument === "--") {
        positional.push(...args.slice(i + 1));
        break;
      }
      positional.push(argument);
      continue;
    }
    const name = match[1];
    let value = match[2];
    if (value === undefined) {
      const next = args[i + 1];
      if (flags.has(name)) {
        const given = next !== undefined && BOOLEAN_TEXT.test(next);
        if (given) i++;
        value = given ? next : "1";
      } else {
        if (next === undefined) throw new UsageError(`Option ${name} requires an argument`);
        value = next;
        i++;
      }
    }
    (options[name] ??= []).push(value);
  }
  return { positional, options };
}
