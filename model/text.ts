import { createScanner, parseTree, printParseErrorCode } from "jsonc-parser";
import type { Node, ParseError } from "jsonc-parser";
import type { Finding, SourceFile } from "./types.ts";

export type Path = readonly (string | number)[];
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** A file that was read: its value and the tree that knows where each part stands. */
export interface ParsedFile {
  path: string;
  text: string;
  value: Json;
  tree: Node;
}

export function toPointer(path: Path): string {
  return path.map((part) => "/" + String(part).replaceAll("~", "~0").replaceAll("/", "~1")).join("");
}

export function fromPointer(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value if it is a text, else an empty one. */
export function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** Line and column, both from 1, of an offset. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}

const syntaxMessages: Record<string, string> = {
  InvalidSymbol: "not a JSON value",
  InvalidNumberFormat: "not a JSON number",
  PropertyNameExpected: "a key in double quotes is expected here",
  ValueExpected: "a value is expected here",
  ColonExpected: "a colon is expected here",
  CommaExpected: "a comma is expected here",
  CloseBraceExpected: "the closing brace `}` is missing",
  CloseBracketExpected: "the closing bracket `]` is missing",
  EndOfFileExpected: "the file goes on after its end",
  InvalidCommentToken: "JSON has no comments",
  UnexpectedEndOfComment: "a comment that does not end; JSON has no comments",
  UnexpectedEndOfString: "a text that does not end on its line",
  UnexpectedEndOfNumber: "a number that does not end",
  InvalidUnicode: "an invalid \\u escape",
  InvalidEscapeCharacter: "an unknown escape in a text",
  InvalidCharacter: "a control character in a text; write it as an escape",
};

function syntaxMessage(code: string, text: string, offset: number): string {
  const before = text.slice(0, offset).trimEnd().at(-1);
  const here = text[offset] ?? "";
  if (before === "," && /[}\]]/.test(here)) return "there is a comma after the last entry";
  if (here === "'") return "texts stand in double quotes";
  return syntaxMessages[code] ?? code;
}

/** No configuration nests a tenth as deep, and readers that call themselves end in a crash some thousands deep. */
const MAX_DEPTH = 100;

/** Where the text first nests deeper than that. */
function tooDeep(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    const first = text.charAt(scanner.getTokenOffset());
    if (first === "}" || first === "]") depth -= 1;
    if (first === "{" || first === "[") depth += 1;
    if (depth > MAX_DEPTH) return scanner.getTokenOffset();
  }
  return undefined;
}

/** Strict JSON: comments, trailing commas and a key given twice are errors. */
export function parseFile(source: SourceFile): { file?: ParsedFile; findings: Finding[] } {
  const at = (
    cls: Finding["class"],
    offset: number,
    message: string,
    pointer = "",
    remedy?: string,
  ): Finding => ({
    severity: "error",
    class: cls,
    file: source.path,
    ...lineAndColumn(source.text, offset),
    pointer,
    message,
    ...(remedy === undefined ? {} : { remedy }),
  });
  if (source.problem !== undefined) return { findings: [at("file", 0, source.problem)] };
  // A byte order mark is invisible, and some editors write one; it changes nothing.
  const text = source.text.startsWith("\uFEFF") ? " " + source.text.slice(1) : source.text;
  if (text.trim() === "") {
    const remedy =
      "an empty file would mean that nothing at all is wanted; an overlay that changes nothing is {}";
    return { findings: [at("file", 0, "the file is empty", "", remedy)] };
  }
  const deep = tooDeep(text);
  if (deep !== undefined) {
    return {
      findings: [at("syntax", deep, `lists and objects stand more than ${MAX_DEPTH} deep in each other`)],
    };
  }
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  // One mistake makes the parser stumble several times; only the first at a place says something.
  const findings: Finding[] = [];
  let lastLine = 0;
  for (const error of errors) {
    const code = printParseErrorCode(error.error);
    const finding = at("syntax", error.offset, syntaxMessage(code, text, error.offset));
    if (finding.line !== lastLine) findings.push(finding);
    lastLine = finding.line;
  }
  if (tree === undefined) {
    return { findings: findings.length > 0 ? findings : [at("syntax", 0, "not a JSON value")] };
  }
  const value = toValue(tree, [], (path, offset, first) => {
    const key = JSON.stringify(path.at(-1));
    if (first === undefined) {
      findings.push(at("syntax", offset, `${key} cannot be a key`, toPointer(path)));
      return;
    }
    const message = `the key ${key} is given twice; first in line ${lineAndColumn(text, first).line}`;
    findings.push(at("syntax", offset, message, toPointer(path), "keep one of the two"));
  });
  return findings.length > 0 ? { findings } : { file: { path: source.path, text, value, tree }, findings };
}

type OnBadKey = (path: Path, offset: number, first?: number) => void;

/** Names with a meaning in JavaScript, at which the merge library stops or trips. */
const reservedKeys = new Set(["__proto__", "constructor", "prototype", "hasOwnProperty", "toJSON"]);

function toValue(node: Node, path: Path, bad: OnBadKey): Json {
  if (node.type === "array")
    return (node.children ?? []).map((child, i) => toValue(child, [...path, i], bad));
  if (node.type !== "object") return node.value as Json;
  const result: JsonObject = {};
  const seen = new Map<string, number>();
  for (const property of node.children ?? []) {
    const [keyNode, valueNode] = property.children ?? [];
    if (keyNode === undefined || valueNode === undefined) continue;
    const key = String(keyNode.value);
    const childPath = [...path, key];
    if (reservedKeys.has(key)) {
      bad(childPath, keyNode.offset);
      continue;
    }
    const first = seen.get(key);
    if (first !== undefined) bad(childPath, keyNode.offset, first);
    seen.set(key, keyNode.offset);
    result[key] = toValue(valueNode, childPath, bad);
  }
  return result;
}
