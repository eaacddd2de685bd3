import { UsageError, parseOptions } from "./options.ts";
import { RealFailed, must } from "./real.ts";
import { parseSize } from "./sizes.ts";
import { renderTable } from "./table.ts";
import { diskName, parseVdev, rewriteConfig } from "./vdevs.ts";
import { fullPoolName, isPoolProperty, poolNames, poolValues } from "./zpool-properties.ts";

const sizes = new Set(["size", "free", "allocated"]);

/** zfs-fuse tells pool sizes in three digits only; exact output is as exact as that. */
function cell(name: string, value: string, exact: boolean): string {
  if (!exact) return value;
  if (sizes.has(name)) return String(parseSize(value) ?? value);
  if (name === "capacity" || name === "fragmentation") return value.replace("%", "");
  return name === "dedupratio" ? value.replace(/x$/, "") : value;
}

function chosen(operands: readonly string[]): string[] {
  const pools = poolNames();
  for (const name of operands) {
    if (pools.includes(name)) continue;
    process.stderr.write(`cannot open '${name}': no such pool\n`);
    throw new RealFailed(1);
  }
  return operands.length > 0 ? [...operands] : pools;
}

function checkNames(names: readonly string[]): void {
  for (const name of names) {
    if (!isPoolProperty(name) && !name.startsWith("feature@"))
      throw new UsageError(`bad property list: invalid property '${name}'`);
  }
}

/** zpool get */
export function zpoolGet(args: readonly string[]): number {
  const options = parseOptions(args, "Hpo:");
  const [wanted, ...operands] = options.operands;
  if (wanted === undefined) throw new UsageError("missing property argument");
  const exact = options.has("p");
  const names = wanted === "all" ? [] : wanted.split(",").map(fullPoolName);
  checkNames(names);
  const columns = (options.last("o") ?? "name,property,value,source")
    .replace(/^all$/, "name,property,value,source")
    .split(",");
  const rows: string[][] = [];
  for (const pool of chosen(operands)) {
    const values = poolValues(pool);
    const list = wanted === "all" ? [...values.keys()].filter((name) => name !== "name") : names;
    for (const name of list) {
      const found = values.get(name) ?? { value: "-", source: "-" };
      const fields: Record<string, string> = {
        name: pool,
        property: name,
        value: cell(name, found.value, exact),
        source: found.source,
      };
      rows.push(columns.map((column) => fields[column] ?? "-"));
    }
  }
  process.stdout.write(
    renderTable(
      columns.map((column) => ({ title: column.toUpperCase() })),
      rows,
      options.has("H"),
    ),
  );
  return 0;
}

const titles: Readonly<Record<string, string>> = {
  allocated: "ALLOC",
  checkpoint: "CKPOINT",
  expandsize: "EXPANDSZ",
  fragmentation: "FRAG",
  capacity: "CAP",
  dedupratio: "DEDUP",
};
const standard = [
  "name",
  "size",
  "allocated",
  "free",
  "checkpoint",
  "expandsize",
  "fragmentation",
  "capacity",
  "dedupratio",
  "health",
  "altroot",
];

/** zpool list */
export function zpoolList(args: readonly string[]): number {
  const options = parseOptions(args, "gHLpPvo:T:");
  const exact = options.has("p");
  const script = options.has("H");
  const columns = (options.last("o")?.split(",") ?? standard).map(fullPoolName);
  checkNames(columns);
  const pools = chosen(options.operands.filter((operand) => !/^\d+$/.test(operand)));
  if (pools.length === 0) {
    if (!script) process.stdout.write("no pools available\n");
    return 0;
  }
  const rows: string[][] = [];
  for (const pool of pools) {
    const values = poolValues(pool);
    rows.push(columns.map((column) => cell(column, values.get(column)?.value ?? "-", exact)));
    if (options.has("v")) rows.push(...vdevRows(pool, columns, script, options.has("P"), options.has("L")));
  }
  const heads = columns.map((column, index) => ({
    title: titles[column] ?? column.toUpperCase(),
    right: index > 0 && column !== "health" && column !== "altroot",
  }));
  process.stdout.write(renderTable(heads, rows, script));
  return 0;
}

/** The pool's parts under it; only their health is known here. */
function vdevRows(
  pool: string,
  columns: readonly string[],
  script: boolean,
  full: boolean,
  followed: boolean,
): string[][] {
  const vdevs = must("zpool", ["status", pool]).split("\n").map(parseVdev);
  return vdevs
    .filter((vdev) => vdev !== undefined)
    .filter((vdev) => vdev.depth > 0)
    .map((vdev) => {
      const name = vdev.disk ? diskName(vdev.name, full, followed) : vdev.name;
      const label = script ? `\t${name}` : `${"  ".repeat(vdev.depth)}${name}`;
      return columns
        .filter((column) => column !== "altroot")
        .map((column, index) => (index === 0 ? label : column === "health" ? vdev.state || "-" : "-"));
    });
}

/** zpool status */
export function zpoolStatus(args: readonly string[]): number {
  const options = parseOptions(args, "cdDegiLpPstT:vx");
  const flags = ["v", "x"].filter((letter) => options.has(letter)).map((letter) => `-${letter}`);
  const text = must("zpool", [
    "status",
    ...flags,
    ...options.operands.filter((operand) => !/^\d+$/.test(operand)),
  ]);
  process.stdout.write(
    rewriteConfig(text.replace(/^ scrub: none requested\n/gm, ""), options.has("P"), options.has("L")),
  );
  return 0;
}
