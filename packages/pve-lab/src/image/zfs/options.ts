/** A usage error: message on standard error, exit status 2, as zfs and zpool do. */
export class UsageError extends Error {}

export interface Options {
  has(letter: string): boolean;
  last(letter: string): string | undefined;
  all(letter: string): readonly string[];
  readonly operands: readonly string[];
}

/**
 * getopt(3) with GNU permutation.
 * @param spec letters; a colon after a letter means that it takes a value
 */
export function parseOptions(args: readonly string[], spec: string): Options {
  const found = new Map<string, string[]>();
  const operands: string[] = [];
  const queue = [...args];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === "--") {
      operands.push(...queue);
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      operands.push(word);
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word.charAt(at);
      const place = spec.indexOf(letter);
      if (letter === ":" || place === -1) throw new UsageError(`invalid option '${letter}'`);
      const values = found.get(letter) ?? [];
      found.set(letter, values);
      if (spec.charAt(place + 1) !== ":") {
        values.push("");
        continue;
      }
      const value = at + 1 < word.length ? word.slice(at + 1) : queue.shift();
      if (value === undefined) throw new UsageError(`missing argument for '${letter}' option`);
      values.push(value);
      break;
    }
  }
  return {
    has: (letter) => found.has(letter),
    last: (letter) => found.get(letter)?.at(-1),
    all: (letter) => found.get(letter) ?? [],
    operands,
  };
}

/** `name=value` of -o and of `zfs set`. */
export function splitProperty(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`missing '=' for property=value argument`);
  return [text.slice(0, at), text.slice(at + 1)];
}
