/** One Debian archive that the machine's own apt uses. */
export interface AptSource {
  readonly uri: string;
  readonly kind: "main" | "security";
}

export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

interface Entry {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
}

function parseDeb822(text: string): Entry[] {
  const entries: Entry[] = [];
  for (const block of text.split(/\n[ \t]*\n/)) {
    const fields = new Map<string, string>();
    let current = "";
    for (const line of block.split("\n")) {
      if (line.startsWith("#")) continue;
      if (/^[ \t]/.test(line) && current !== "") {
        fields.set(current, `${fields.get(current) ?? ""} ${line.trim()}`);
        continue;
      }
      const match = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
      if (match === null) continue;
      current = (match[1] ?? "").toLowerCase();
      fields.set(current, (match[2] ?? "").trim());
    }
    const words = (field: string): string[] =>
      (fields.get(field) ?? "").split(/\s+/).filter((word) => word !== "");
    if (/^(no|false|0|off)$/i.test(fields.get("enabled") ?? "")) continue;
    if (!words("types").includes("deb")) continue;
    entries.push({ uris: words("uris"), suites: words("suites") });
  }
  return entries;
}

function parseOneLine(text: string): Entry[] {
  const entries: Entry[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line);
    if (match !== null) entries.push({ uris: [match[1] ?? ""], suites: [match[2] ?? ""] });
  }
  return entries;
}

const releases =
  /^(buster|bullseye|bookworm|trixie|forky|sid|oldoldstable|oldstable|stable|testing|unstable)\b/;

/** Debian's own archives carry their name as a path segment; vendors' repositories do not. */
function kindOf(uri: string, suite: string): "main" | "security" | undefined {
  const segments = uri.split("/").filter((segment) => segment !== "");
  if (segments.includes("debian-security") || suite.endsWith("-security") || suite.endsWith("/updates")) {
    return releases.test(suite) ? "security" : undefined;
  }
  return segments.includes("debian") && releases.test(suite) ? "main" : undefined;
}

/**
 * Finds the Debian mirrors in the machine's own apt sources, in both of apt's formats (sources.list(5)); foreign
 * entries are ignored. Files that apt itself would not read (other endings) are ignored too.
 */
export function debianSources(files: readonly SourceFile[]): AptSource[] {
  const found: AptSource[] = [];
  for (const file of files) {
    const entries = file.name.endsWith(".sources")
      ? parseDeb822(file.text)
      : file.name.endsWith(".list")
        ? parseOneLine(file.text)
        : [];
    for (const entry of entries) {
      for (const rawUri of entry.uris) {
        const uri = rawUri.replace(/\/+$/, "");
        if (!/^https?:\/\//.test(uri)) continue;
        for (const suite of entry.suites) {
          const kind = kindOf(uri, suite);
          if (kind === undefined) continue;
          if (!found.some((other) => other.uri === uri && other.kind === kind)) found.push({ uri, kind });
        }
      }
    }
  }
  return found;
}

/** sources.list lines for Debian 12 from the machine's mirrors. */
export function bookwormLines(sources: readonly AptSource[]): string[] {
  const lines: string[] = [];
  const main = sources.find((source) => source.kind === "main");
  const security = sources.find((source) => source.kind === "security");
  if (main !== undefined) {
    lines.push(`deb ${main.uri} bookworm main`, `deb ${main.uri} bookworm-updates main`);
  }
  if (security !== undefined) lines.push(`deb ${security.uri} bookworm-security main`);
  return lines;
}
