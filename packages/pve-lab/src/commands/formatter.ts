import { cell, prettyJson, records, sorted } from "./output.ts";
import { yaml } from "./yaml.ts";

/** How an answer is to be printed: the options of PVE::CLIFormatter. */
export interface Format {
  readonly form: "text" | "json" | "json-pretty" | "yaml";
  readonly border: boolean;
  readonly header: boolean;
  readonly quiet: boolean;
  /** Lines of the terminal's own character set around the cells. */
  readonly unicode: boolean;
}

const isOn = (options: Readonly<Record<string, string[]>>, name: string): boolean =>
  options[name]?.at(-1) === "1";

/** @param environment tells the character set by LC_ALL, LC_CTYPE or LANG */
export function formatOf(
  options: Readonly<Record<string, string[]>>,
  environment: NodeJS.ProcessEnv = process.env,
): Format {
  const locale = [environment["LC_ALL"], environment["LC_CTYPE"], environment["LANG"]].find(Boolean) ?? "";
  return {
    form: (options["output-format"]?.at(-1) ?? "text") as Format["form"],
    border: !isOn(options, "noborder"),
    header: !isOn(options, "noheader"),
    quiet: isOn(options, "quiet"),
    unicode: /utf-?8/i.test(locale),
  };
}

interface Frame {
  readonly bar: string;
  readonly top: readonly [string, string, string, string];
  readonly head: readonly [string, string, string, string];
  readonly middle: readonly [string, string, string, string];
  readonly bottom: readonly [string, string, string, string];
}

const UNICODE: Frame = {
  bar: "│",
  top: ["┌", "─", "┬", "┐"],
  head: ["╞", "═", "╪", "╡"],
  middle: ["├", "─", "┼", "┤"],
  bottom: ["└", "─", "┴", "┘"],
};
const ASCII: Frame = {
  bar: "|",
  top: ["+", "-", "+", "+"],
  head: ["+", "=", "+", "+"],
  middle: ["+", "-", "+", "+"],
  bottom: ["+", "-", "+", "+"],
};

/** A table as PVE::CLIFormatter draws it: a cell may have several lines; sorted by its first column. */
export function textTable(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, unknown>>[],
  { border, header, unicode }: Pick<Format, "border" | "header" | "unicode">,
): string {
  const numeric = (column: string): boolean => rows.some((row) => typeof row[column] === "number");
  const lines = rows.map((row) => columns.map((column) => cell(row[column]).split("\n")));
  const widths = columns.map((column, i) =>
    Math.max(column.length, ...lines.flatMap((row) => row[i]?.map((line) => line.length) ?? [])),
  );
  const frame = unicode ? UNICODE : ASCII;
  const rule = ([left, line, cross, right]: Frame["top"]): string =>
    `${left}${widths.map((width) => line.repeat(width + 2)).join(cross)}${right}\n`;
  const line = (cells: readonly string[], title = false): string => {
    const padded = cells.map((text, i) => {
      if (!border && i === cells.length - 1) return text;
      const width = widths[i] ?? 0;
      return !title && numeric(columns[i] ?? "") ? text.padStart(width) : text.padEnd(width);
    });
    return border ? `${frame.bar} ${padded.join(` ${frame.bar} `)} ${frame.bar}\n` : `${padded.join(" ")}\n`;
  };
  let text = border ? rule(frame.top) : "";
  if (header) text += line(columns, true);
  lines.forEach((row, index) => {
    if (border && (index > 0 || header)) text += rule(index === 0 ? frame.head : frame.middle);
    const height = Math.max(1, ...row.map((one) => one.length));
    for (let i = 0; i < height; i++) text += line(row.map((one) => one[i] ?? ""));
  });
  return text + (border ? rule(frame.bottom) : "");
}

/** Prints an answer of the API. @param columns those of a list, in order; else all that occur, by name */
export function formatAnswer(answer: unknown, format: Format, columns?: readonly string[]): string {
  if (format.quiet) return "";
  if (format.form === "json") return `${JSON.stringify(sorted(answer))}\n`;
  if (format.form === "json-pretty") return prettyJson(answer);
  if (format.form === "yaml") return yaml(sorted(answer));
  if (answer === null || answer === undefined) return "";
  if (Array.isArray(answer)) return listText(answer, format, columns);
  if (typeof answer !== "object") return `${cell(answer)}\n`;
  const pairs = Object.entries(answer)
    .filter(([, value]) => value !== null && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key, value: cell(value) }));
  return pairs.length === 0 ? "" : textTable(["key", "value"], pairs, format);
}

function listText(answer: readonly unknown[], format: Format, columns?: readonly string[]): string {
  if (answer.length === 0) return "";
  if (!answer.every((row) => typeof row === "object" && row !== null))
    return textTable(
      ["value"],
      answer.map((value) => ({ value: cell(value) })).sort((a, b) => (a.value < b.value ? -1 : 1)),
      { ...format, header: false },
    );
  const rows = records(answer);
  const shown = columns ?? [...new Set(rows.flatMap((row) => Object.keys(row)))].sort();
  const [first = ""] = shown;
  const key = ({ [first]: value }: Record<string, unknown>): string | number =>
    typeof value === "number" ? value : cell(value);
  return textTable(
    shown,
    [...rows].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0)),
    format,
  );
}
