import type { Input, Resolved } from "./resolution.ts";
import { pathOf } from "./inherit.ts";
import type { Explained } from "./types.ts";

/** The effective configuration of a container, each value with its origin and place. */
export function explainContainer(
  ctid: number,
  resolved: ReadonlyMap<number, Resolved>,
  { locator, configs }: Input,
): Explained[] | undefined {
  const found = resolved.get(ctid);
  if (found === undefined) return undefined;
  const { spec, effective } = found;
  const rows: Explained[] = [];
  for (const [key, { value, origin }] of effective) {
    if (key === "features" || key === "pct_options") continue;
    if (origin.kind !== "container") {
      rows.push({ key, value, origin: origin.kind });
      continue;
    }
    const { file, line, column } = locator.find(pathOf(effective, ctid, key));
    rows.push({ key, value, origin: String(origin.ctid), place: { file, line, column } });
  }
  for (const feature of [...spec.inheritedFeatures, ...spec.features]) {
    const owner = "from" in feature ? Number(feature.from) : ctid;
    const uses = configs.get(owner)?.features ?? [];
    const index = uses.findIndex((use) => (typeof use === "string" ? use : use.name) === feature.name);
    const { file, line, column } = locator.find(["lxc_configs", String(owner), "features", index]);
    const { name, parameters } = feature;
    const value = Object.keys(parameters).length === 0 ? name : { name, parameters };
    rows.push({ key: "features[]", value, origin: String(owner), place: { file, line, column } });
  }
  for (const [ability, on] of Object.entries(spec.settings)) {
    const needing = [...spec.inheritedFeatures, ...spec.features].find(
      (feature) => (feature.manifest?.needs as Record<string, unknown> | undefined)?.[ability] === true,
    );
    const said = ((effective.get("pct_options")?.value ?? []) as string[]).some((o) =>
      o.startsWith(`${ability}=`),
    );
    const origin = needing !== undefined ? `needed by ${needing.name}` : said ? "pct_options" : "default";
    rows.push({ key: `pct_options.${ability}`, value: on, origin });
  }
  return rows;
}

/** The explanation as aligned lines: key, value, origin. */
export function formatExplanation(rows: readonly Explained[]): string {
  const cells = rows.map(({ key, value, origin, place }) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
    place === undefined ? origin : `${origin}  ${place.file}:${place.line}`,
  ]);
  const width = (i: number): number => Math.max(...cells.map((row) => row[i]?.length ?? 0));
  const [first, second] = [width(0), Math.min(width(1), 60)];
  return cells
    .map(([a = "", b = "", c = ""]) => `${a.padEnd(first)}  ${b.padEnd(second)}  ${c}`.trimEnd())
    .join("\n");
}
