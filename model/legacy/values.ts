import { isObject } from "../text.ts";
import type { Json, Path } from "../text.ts";
import type { Rewriter } from "./rewriter.ts";

/** Keys whose empty text always meant that there is none. */
const emptyMeansAbsent = new Set([
  "password_hash",
  "ssh_public_key",
  "runfile_url",
  "application_script",
  "mac_address",
]);

/** `NOT_SET`, `null` and some empty texts count as absent, as they did. */
export function dropAbsent(rewriter: Rewriter): void {
  const absent: { path: Path; value: Json }[] = [];
  const walk = (value: Json, path: Path): void => {
    const key = String(path.at(-1));
    if (value === "NOT_SET" || value === null || (value === "" && emptyMeansAbsent.has(key))) {
      if (typeof path.at(-1) === "string") absent.push({ path, value });
    } else if (Array.isArray(value)) value.forEach((item, i) => walk(item, [...path, i]));
    else if (isObject(value))
      for (const [name, member] of Object.entries(value)) walk(member, [...path, name]);
  };
  walk(rewriter.root, []);
  for (const { path, value } of absent) {
    rewriter.warn(path, `${JSON.stringify(value)} counts as absent`, "the key can be left out");
    rewriter.remove(path);
  }
}

/** Whole numbers and decimals written as text. */
export function textToNumber(rewriter: Rewriter, path: Path): void {
  const text = rewriter.text(path);
  if (text === undefined || !/^\s*\d+(\.\d+)?\s*$/.test(text)) return;
  const value = Number(text);
  rewriter.replace(
    path,
    value,
    `${JSON.stringify(text)} counts as the number ${value}`,
    "numbers stand without quotes",
  );
}

/** Numbers where a text is wanted. */
export function numberToText(rewriter: Rewriter, path: Path): void {
  const value = rewriter.get(path);
  if (typeof value !== "number" && typeof value !== "boolean") return;
  const text = String(value);
  rewriter.replace(path, text, `${text} counts as the text "${text}"`, "a text stands in quotes");
}

/** A list of addresses, or one with commas, as a text with spaces between. */
export function toSpaced(value: Json): string | undefined {
  if (Array.isArray(value))
    return value.every((item) => typeof item === "string") ? value.join(" ") : undefined;
  if (typeof value !== "string") return undefined;
  return value
    .split(/[\s,]+/)
    .filter((part) => part !== "")
    .join(" ");
}

export function firewallRules(rewriter: Rewriter, path: Path): void {
  rewriter.array(path).forEach((_, i) => numberToText(rewriter, [...path, i, "port"]));
}

/** A schema named by the path it had on the old system's host. */
export function schemaPath(rewriter: Rewriter, file: string): void {
  const old = rewriter.text(["$schema"]);
  if (old?.startsWith("/usr/local/phoenix_hypervisor/") !== true) return;
  const path = `../schemas/${file}`;
  rewriter.replace(
    ["$schema"],
    path,
    `the schema is no longer at ${old}`,
    `"$schema": "${path}", relative to the file`,
  );
}
