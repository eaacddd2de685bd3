import type { Findings } from "./findings.ts";
import type { Locator } from "./locate.ts";
import pending from "./pending-keys.json" with { type: "json" };
import { patternOf, walk } from "./schema-walk.ts";
import type { Schema } from "./schema-walk.ts";
import type { Json, Path } from "./text.ts";

const pendingLeaves = { hypervisor: new Set(pending.hypervisor), lxc: new Set(pending.lxc) };

/** Features and applications of the earlier systems whose scripts are still to be written. */
export const pendingFeatures: ReadonlySet<string> = new Set(pending.features);
export const pendingApplications: ReadonlySet<string> = new Set(pending.applications);

/** Says which keys have no effect: those accepted for compatibility, and those whose consumer is still to be built. */
export function warnUnused(
  value: Json,
  file: "hypervisor" | "lxc",
  schema: Schema,
  locator: Locator,
  findings: Findings,
): void {
  const groups = new Map<string, Path[]>();
  walk(schema, value, (path, sub, current) => {
    if (sub === undefined) return;
    if (sub["deprecated"] === true) {
      const why = /without effect: (.*)\.$/.exec(String(sub["description"]))?.[1] ?? "";
      const message = `\`${String(path.at(-1))}\` has no effect: ${why}`;
      findings.warn(locator, path, message, { class: "schema", remedy: "it can be left out", what: "key" });
      return;
    }
    const pattern = patternOf(name(path, schema));
    // An empty list has no leaves, and asks for nothing.
    if (!pendingLeaves[file].has(pattern) || sub["default"] === current) return;
    const group = groupOf(path);
    const key = patternOf(group);
    groups.set(key, [...(groups.get(key) ?? []), group]);
  });
  for (const paths of groups.values()) {
    const [first = []] = paths;
    const ctids = [
      ...new Set(paths.filter((path) => path[0] === "lxc_configs").map((path) => String(path[1]))),
    ];
    const where = ctids.length > 1 ? ` (in ${ctids.join(", ")})` : "";
    const message = `\`${String(first.at(-1))}\` is understood and checked, but nothing acts on it yet${where}`;
    const ctid = ctids.length > 1 ? null : undefined;
    findings.warn(locator, first, message, { class: "schema", what: "key", ctid });
  }
}

/** One warning for a section of the file, or for a key of containers. */
function groupOf(path: Path): Path {
  if (path[0] === "lxc_configs") return path.slice(0, 3);
  if (path[1] === "interfaces") return path.slice(0, 3);
  return ["network", "zfs", "proxmox_defaults"].includes(String(path[0]))
    ? path.slice(0, 2)
    : path.slice(0, 1);
}

/** Names that a person chose are `*` in the list of leaves. */
function name(path: Path, schema: Schema): Path {
  const properties = schema["properties"] as Record<string, Schema>;
  const chosen = properties[String(path[0])]?.["patternProperties"] !== undefined;
  return chosen && path.length > 1 ? [path[0] ?? "", "0", ...path.slice(2)] : path;
}
