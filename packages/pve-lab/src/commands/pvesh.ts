import { drop } from "../guests/config-file.ts";
import { parseArguments, UsageError } from "./arguments.ts";
import { call, finish } from "./client.ts";
import type { Command } from "./main.ts";
import { cell, prettyJson, records, sorted, table } from "./output.ts";

const METHODS: Readonly<Record<string, string>> = {
  get: "GET",
  ls: "GET",
  create: "POST",
  set: "PUT",
  delete: "DELETE",
};

/** `pvesh get|create|set|delete PATH [--parameter value] [--output-format json]` */
export async function pvesh({ node, args, print }: Command): Promise<void> {
  const [verb = "", ...rest] = args;
  const method = METHODS[verb];
  if (method === undefined) throw new UsageError(`ERROR: unknown command 'pvesh ${verb}'`);
  const { positional, options } = parseArguments(
    rest,
    new Set(["nooutput", "noproxy", "quiet", "human-readable"]),
  );
  const [path] = positional;
  if (path === undefined) throw new UsageError("400 not enough arguments");
  const format = options["output-format"]?.at(-1) ?? "text";
  const quiet = options["nooutput"] !== undefined || options["quiet"] !== undefined;
  for (const key of [
    "output-format",
    "nooutput",
    "noproxy",
    "quiet",
    "human-readable",
    "noborder",
    "noheader",
  ])
    drop(options, key);
  const full = `/${path.replace(/^\/+/, "").replace(/\/+$/, "")}`.replace(
    /^\/nodes\/localhost(?=\/|$)/,
    `/nodes/${node}`,
  );
  const answer = await call(method, full, options);
  if (typeof answer === "string" && answer.startsWith("UPID:") && method !== "GET") {
    await finish(node, answer, (line) => (quiet ? undefined : print(`${line}\n`)));
    if (!quiet) print(format === "json" ? `${JSON.stringify(answer)}\n` : `${answer}\n`);
    return;
  }
  if (!quiet) show(answer, format, print);
}

function show(answer: unknown, format: string, print: (text: string) => void): void {
  if (format === "json") {
    print(`${JSON.stringify(sorted(answer))}\n`);
    return;
  }
  if (format === "json-pretty") {
    print(prettyJson(answer));
    return;
  }
  if (answer === null) return;
  if (Array.isArray(answer) && answer.every((row) => typeof row === "object" && row !== null)) {
    const rows = records(answer);
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].sort();
    print(
      table(
        columns,
        rows.map((row) => columns.map((column) => cell(row[column]))),
      ),
    );
    return;
  }
  if (Array.isArray(answer)) {
    print(answer.map((row) => `${cell(row)}\n`).join(""));
    return;
  }
  if (typeof answer !== "object") {
    print(`${cell(answer)}\n`);
    return;
  }
  const rows = Object.entries(answer).sort(([a], [b]) => (a < b ? -1 : 1));
  print(
    table(
      ["key", "value"],
      rows.map(([key, value]) => [key, cell(value)]),
    ),
  );
}
