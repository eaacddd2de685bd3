/** What a shell file assigns. Nothing is executed. */
export interface ShellValues {
  texts: Map<string, string>;
  arrays: Map<string, string[]>;
  maps: Map<string, Map<string, string>>;
  /** Line of the last assignment, from 1. */
  lines: Map<string, number>;
}

type Report = (line: number, message: string, remedy?: string) => void;

const word = "[A-Za-z_][A-Za-z0-9_]*";
const assignment = new RegExp(
  `^(?:(?:export|readonly|local|declare|typeset)\\s+(?:-\\w+\\s+)*)?(${word})(?:\\[([^\\]]+)\\])?=(.*)$`,
);
/** Words that only say how a variable is kept. */
const declaration = new RegExp(
  `^(?:export|readonly|local|declare|typeset)\\s+(?:-\\w+\\s+)*${word}(?:\\s+${word})*$`,
);

/** Assignments and arrays, line by line; everything else is reported. */
export function parseShell(text: string, report: Report): ShellValues {
  const values: ShellValues = { texts: new Map(), arrays: new Map(), maps: new Map(), lines: new Map() };
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const start = i + 1;
    let line = stripComment(lines[i] ?? "").trim();
    while (line.endsWith("\\") && i + 1 < lines.length) {
      line = `${line.slice(0, -1).trimEnd()} ${stripComment(lines[++i] ?? "").trim()}`.trim();
    }
    if (line === "" || declaration.test(line)) continue;
    const match = assignment.exec(line);
    if (match === null) {
      report(start, `not an assignment, not read: ${line.length > 60 ? line.slice(0, 57) + "..." : line}`);
      continue;
    }
    const [, name = "", key, right = ""] = match;
    if (right.startsWith("(") && !right.startsWith("((")) {
      let list = right.slice(1);
      // An array goes on until its closing bracket; a text with a bracket in it is in quotes.
      while (!closes(list) && i + 1 < lines.length) list += "\n" + stripComment(lines[++i] ?? "");
      if (!closes(list)) report(start, `the list \`${name}\` does not end`);
      readList(name, list.replace(/\)\s*$/, ""), start, values, report);
      continue;
    }
    const value = plain(right.trim(), values, name);
    if (value === undefined)
      report(start, `\`${name}\` would have to be computed, not read: ${right.trim()}`);
    else if (key === undefined) values.texts.set(name, value);
    else mapOf(values, name).set(unquote(key), value);
    if (value !== undefined) values.lines.set(name, start);
  }
  return values;
}

function mapOf(values: ShellValues, name: string): Map<string, string> {
  const map = values.maps.get(name) ?? new Map<string, string>();
  values.maps.set(name, map);
  return map;
}

function readList(name: string, list: string, line: number, values: ShellValues, report: Report): void {
  values.lines.set(name, line);
  const items: string[] = [];
  for (const [token] of list.matchAll(/\[[^\]]+\]=(?:"[^"]*"|'[^']*'|[^\s]+)|"[^"]*"|'[^']*'|[^\s]+/g)) {
    const pair = /^\[([^\]]+)\]=(.*)$/s.exec(token);
    const value = plain(pair === null ? token : (pair[2] ?? ""), values, name);
    if (value === undefined)
      report(line, `an entry of \`${name}\` would have to be computed, not read: ${token}`);
    else if (pair === null) items.push(value);
    else mapOf(values, name).set(unquote(pair[1] ?? ""), value);
  }
  if (items.length > 0 || !values.maps.has(name)) values.arrays.set(name, items);
}

/** A value that stands there: literal, `${X:-default}` of itself, or a variable that was assigned before. */
function plain(right: string, values: ShellValues, name: string): string | undefined {
  if (/^'[^']*'$/.test(right)) return right.slice(1, -1);
  const inner = unquote(right);
  if (/[`]|\$\(|[;|&<>]/.test(inner) || (inner === right && /\s/.test(right))) return undefined;
  const unknown: string[] = [];
  const value = inner
    .replace(
      new RegExp(`\\$\\{(${word}):?-("?)([^}]*?)\\2\\}`, "g"),
      (_, variable: string, _quote, fallback: string) => {
        const known = variable === name ? undefined : values.texts.get(variable);
        const text = known === undefined || known === "" ? fallback : known;
        const other = /^\$\{?([A-Za-z_]\w*)\}?$/.exec(text)?.[1];
        return other === undefined ? text : (values.texts.get(other) ?? "");
      },
    )
    .replace(new RegExp(`\\$\\{?(${word})\\}?`, "g"), (_, variable: string) => {
      const known = values.texts.get(variable);
      if (known === undefined) unknown.push(variable);
      return known ?? "";
    });
  return unknown.length > 0 || value.includes("$") ? undefined : value;
}

function unquote(text: string): string {
  const match = /^(["'])(.*)\1$/s.exec(text.trim());
  return match === null ? text.trim() : (match[2] ?? "");
}

function closes(list: string): boolean {
  const bare = list.replaceAll(/"[^"]*"|'[^']*'/g, "");
  return bare.includes(")");
}

/** `#` begins a comment at the start of a word outside quotes. */
function stripComment(line: string): string {
  let quote: string | undefined;
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? "";
    if (quote !== undefined) {
      if (char === quote) quote = undefined;
    } else if (char === '"' || char === "'") quote = char;
    else if (char === "#" && (i === 0 || /\s/.test(line[i - 1] ?? ""))) return line.slice(0, i);
  }
  return line;
}
