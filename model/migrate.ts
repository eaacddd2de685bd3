import { unifiedDiff } from "./diff.ts";
import { Findings, sortFindings } from "./findings.ts";
import { rewriteAcross } from "./legacy/across.ts";
import { rewriteContainers } from "./legacy/containers.ts";
import { rewriteHypervisor } from "./legacy/hypervisor.ts";
import { Rewriter } from "./legacy/rewriter.ts";
import { readShellConfig } from "./legacy/shell-config.ts";
import { dropUnserved } from "./legacy/unserved.ts";
import { Locator } from "./locate.ts";
import { walk } from "./schema-walk.ts";
import { secretName } from "./schema-errors.ts";
import { schemas } from "./schemas.ts";
import { isObject, parseFile } from "./text.ts";
import type { JsonObject, ParsedFile, Path } from "./text.ts";
import type { Finding, SourceFile } from "./types.ts";

export interface Migrated {
  /** Where `after` belongs: the file's own path; for a shell configuration a JSON file beside it. */
  path: string;
  after: string;
  /** Unified; empty if nothing changes. */
  diff: string;
}

export interface Migration {
  files: Migrated[];
  /** What was read how, and what could not be read. An error means that its file is not among `files`. */
  findings: Finding[];
}

interface Work {
  source: SourceFile;
  path: string;
  kind: "hypervisor" | "lxc";
  rewriter: Rewriter;
  indent: string;
  before: string;
}

/**
 * Writes files of the replaced systems in today's form. Pure: texts in, texts out. Give the hypervisor file and the
 * container file together: some older spellings can only be understood with both.
 */
export function migrate(sources: readonly SourceFile[]): Migration {
  const findings = new Findings();
  const works = sources.flatMap((source) => open(source, findings));
  const hypervisor = works.find((work) => work.kind === "hypervisor");
  const lxc = works.find((work) => work.kind === "lxc");
  for (const work of works) {
    if (work.kind === "hypervisor") rewriteHypervisor(work.rewriter);
    else rewriteContainers(work.rewriter);
  }
  if (lxc !== undefined) {
    const nobody = new Rewriter({}, new Locator([]), new Findings());
    rewriteAcross(hypervisor?.rewriter ?? nobody, lxc.rewriter);
  }
  for (const work of works) {
    dropUnserved(work.rewriter, work.kind, schemas[work.kind]);
    literalSecrets(work);
    dropWithoutEffect(work);
  }
  return { files: works.map(write), findings: sortFindings(findings.list) };
}

function open(source: SourceFile, findings: Findings): Work[] {
  const base = { source, before: source.text };
  if (source.problem === undefined && isShell(source)) {
    const { value, findings: shellFindings } = readShellConfig(source);
    findings.list.push(...shellFindings);
    const rewriter = new Rewriter(value, new Locator([]), new Findings());
    const path = source.path.replace(/[^/]*$/, "phoenix_hypervisor_config.json");
    return [{ ...base, before: "", path, kind: "hypervisor", rewriter, indent: "  " }];
  }
  const parsed = parseFile(source);
  findings.list.push(...parsed.findings);
  const file: ParsedFile | undefined = parsed.file;
  if (file === undefined || !isObject(file.value)) return [];
  const rewriter = new Rewriter(file.value, new Locator([file]), findings);
  const indent = /^([ \t]+)\S/m.exec(source.text)?.[1] ?? "  ";
  const kind = "lxc_configs" in file.value ? "lxc" : "hypervisor";
  return [{ ...base, path: source.path, kind, rewriter, indent }];
}

function isShell({ path, text }: SourceFile): boolean {
  return path.endsWith(".sh") || text.startsWith("#!");
}

/** The literal goes, and is nowhere written again: the person sets the secret. */
function literalSecrets({ rewriter, kind }: Work): void {
  const path: Path = ["users", "password_hash"];
  if (kind !== "hypervisor" || rewriter.text(path) === undefined) return;
  const name = secretName(path);
  const command = "set it with `pulumi config set --secret phoenix:users_password_hash`";
  rewriter.replace(path, { secret: name }, "a literal secret became a reference", command);
}

function dropWithoutEffect({ rewriter, kind }: Work): void {
  const paths: Path[] = [];
  walk(schemas[kind], rewriter.root, (path, schema) => {
    if (schema?.["deprecated"] === true) paths.push(path);
  });
  for (const path of paths) {
    rewriter.drop(path, `\`${String(path.at(-1))}\` has no effect`, "left out");
    for (let parent = path.slice(0, -1); parent.length > 0; parent = parent.slice(0, -1)) {
      const object = rewriter.object(parent);
      if (object === undefined || Object.keys(object).length > 0) break;
      rewriter.remove(parent);
    }
  }
}

function write({ path, before, rewriter, indent }: Work): Migrated {
  const value: JsonObject = rewriter.root;
  const after = JSON.stringify(value, null, indent) + (before.endsWith("}") ? "" : "\n");
  return { path, after, diff: unifiedDiff(before, after, path) };
}
