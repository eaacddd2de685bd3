import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One heading of a guide with the commands of its shell blocks, one a line, without their comments. */
export interface Chapter {
  readonly title: string;
  readonly commands: readonly string[];
}

/** Reads a guide as somebody who types what it says. */
export function readGuide(name: string): Chapter[] {
  const text = readFileSync(join(import.meta.dirname, "../../docs/guides", name), "utf8");
  return text
    .split(/^## /m)
    .slice(1)
    .map((part) => ({
      title: part.split("\n", 1)[0] ?? "",
      commands: [...part.matchAll(/^```sh\n([^]*?)^```/gm)].flatMap(([, block = ""]) =>
        block
          .split("\n")
          .map((line) => line.replace(/\s+#\s.*$/, "").trim())
          .filter((line) => line !== ""),
      ),
    }));
}
