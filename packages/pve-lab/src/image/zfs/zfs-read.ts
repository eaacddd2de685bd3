import type { Options } from "./options.ts";
import { UsageError, parseOptions } from "./options.ts";
import { askedKey, emulated, findEmulated, fullName, isBookkeeping, show } from "./properties.ts";
import { must } from "./real.ts";
import type { Column } from "./table.ts";
import { renderTable } from "./table.ts";

interface Value {
  readonly value: string;
  readonly source: string;
}

type Rows = Map<string, Value>;

/** Read-only properties of OpenZFS that follow from others here, or that zfs-fuse does not know. */
const derived: Readonly<Record<string, string | undefined>> = {
  logicalused: "used",
  logicalreferenced: "referenced",
  refcompressratio: "compressratio",
  written: "usedbydataset",
  guid: undefined,
  createtxg: undefined,
  objsetid: undefined,
};

const none: Value = { value: "-", source: "-" };
const isSnapshot = (dataset: string): boolean => dataset.includes("@");

function askedOf(rows: Rows, dataset: string, name: string, exact: boolean): Value | undefined {
  const property = findEmulated(name);
  if (property === undefined) return undefined;
  const asked = rows.get(askedKey(property.name));
  if (asked !== undefined && asked.value !== "-") {
    return isSnapshot(dataset) && property.nearest === undefined
      ? none
      : { value: show(property, asked.value, exact), source: asked.source };
  }
  const native = rows.get(property.name);
  if (native !== undefined) return native;
  return isSnapshot(dataset) || property.fallback === undefined
    ? none
    : { value: property.fallback, source: "default" };
}

function valueOf(rows: Rows, dataset: string, name: string, exact: boolean): Value {
  if (name === "name") return { value: dataset, source: "-" };
  const asked = askedOf(rows, dataset, name, exact);
  if (asked !== undefined) return asked;
  if (name in derived) {
    const origin = derived[name];
    return (origin === undefined ? undefined : rows.get(origin)) ?? none;
  }
  return rows.get(name) ?? none;
}

/** What zfs-fuse has to be asked for, to know these properties. */
function toAsk(names: readonly string[]): string[] {
  const wanted = new Set<string>();
  for (const name of names) {
    const property = findEmulated(name);
    if (property !== undefined) {
      wanted.add(askedKey(property.name));
      if (property.nearest !== undefined) wanted.add(property.name);
    } else if (name in derived) {
      const origin = derived[name];
      if (origin !== undefined) wanted.add(origin);
    } else wanted.add(name);
  }
  wanted.delete("name");
  return wanted.size === 0 ? ["type"] : [...wanted];
}

function fetch(
  names: readonly string[],
  exact: boolean,
  range: readonly string[],
  datasets: readonly string[],
): Map<string, Rows> {
  const flags = ["get", "-H", ...(exact ? ["-p"] : []), ...range, "-o", "name,property,value,source"];
  const found = new Map<string, Rows>();
  for (const line of must("zfs", [...flags, names.join(","), ...datasets]).split("\n")) {
    const [dataset, property, value, source] = line.split("\t");
    if (dataset === undefined || property === undefined || value === undefined) continue;
    const rows = found.get(dataset) ?? new Map<string, Value>();
    found.set(dataset, rows);
    rows.set(property, { value, source: source ?? "-" });
  }
  return found;
}

const typeNames: Readonly<Record<string, string | undefined>> = {
  fs: "filesystem",
  filesystem: "filesystem",
  vol: "volume",
  volume: "volume",
  snap: "snapshot",
  snapshot: "snapshot",
  all: "all",
  bookmark: "",
  bookmarks: "",
};

function typeList(options: Options): string | undefined {
  const given = options.last("t");
  if (given === undefined) return undefined;
  const types = given.split(",").map((type) => {
    const name = typeNames[type];
    if (name === undefined) throw new UsageError(`invalid type '${type}'`);
    return name;
  });
  return types.filter((type) => type !== "").join(",");
}

function range(options: Options): string[] {
  const depth = options.last("d");
  return [...(options.has("r") ? ["-r"] : []), ...(depth === undefined ? [] : ["-d", depth])];
}

const fields = ["name", "property", "value", "received", "source"] as const;

/** zfs get */
export function zfsGet(args: readonly string[]): number {
  const options = parseOptions(args, "rHpd:o:s:t:");
  const [wanted, ...datasets] = options.operands;
  if (wanted === undefined) throw new UsageError("missing property argument");
  const exact = options.has("p");
  let places: readonly string[] = datasets;
  let reach = range(options);
  const types = typeList(options);
  if (types !== undefined) {
    places = must("zfs", ["list", "-H", "-o", "name", "-t", types, ...reach, ...datasets])
      .split("\n")
      .filter((name) => name !== "");
    reach = [];
    if (places.length === 0) return 0;
  }
  const everything = wanted === "all";
  const names = everything ? [] : wanted.split(",").map(fullName);
  const found = fetch(everything ? ["all"] : toAsk(names), exact, reach, places);
  const sources = options.last("s")?.split(",");
  const shown = (options.last("o") ?? "name,property,value,source").split(",");
  const columns = shown.flatMap((field) => (field === "all" ? [...fields] : [field]));
  for (const column of columns) {
    if (!(fields as readonly string[]).includes(column))
      throw new UsageError(`invalid column name '${column}'`);
  }
  const rows: string[][] = [];
  for (const [dataset, values] of found) {
    const list = everything ? allNames(values, dataset) : names;
    for (const name of list) {
      const { value, source } = valueOf(values, dataset, name, exact);
      const kind = source === "-" ? "none" : source.startsWith("inherited") ? "inherited" : source;
      if (sources !== undefined && !sources.includes(kind)) continue;
      const cell: Record<string, string> = { name: dataset, property: name, value, source, received: "-" };
      rows.push(columns.map((column) => cell[column] ?? "-"));
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

function allNames(values: Rows, dataset: string): string[] {
  const names = [...values.keys()].filter((name) => !isBookkeeping(name));
  const own = names.filter((name) => !name.includes(":"));
  const users = names.filter((name) => name.includes(":"));
  const added = isSnapshot(dataset)
    ? []
    : emulated.filter((property) => !own.includes(property.name)).map((property) => property.name);
  return [...own, ...added, ...users];
}

const titles: Readonly<Record<string, string>> = {
  available: "AVAIL",
  referenced: "REFER",
  compression: "COMPRESS",
  recordsize: "RECSIZE",
  compressratio: "RATIO",
  reservation: "RESERV",
  refreservation: "REFRESERV",
  readonly: "RDONLY",
  logicalused: "LUSED",
  logicalreferenced: "LREFER",
  dnodesize: "DNSIZE",
};
const numeric = new Set([
  "used",
  "available",
  "referenced",
  "quota",
  "refquota",
  "reservation",
  "refreservation",
  "volsize",
  "recordsize",
  "compressratio",
  "logicalused",
  "logicalreferenced",
]);

/** zfs list */
export function zfsList(args: readonly string[]): number {
  const options = parseOptions(args, "rHpd:o:s:S:t:");
  const types = typeList(options);
  const exact = options.has("p");
  const columns = (options.last("o") ?? "name,used,avail,refer,mountpoint").split(",").map(fullName);
  const sorting = [
    ...options.all("s").flatMap((name) => ["-s", fullName(name)]),
    ...options.all("S").flatMap((name) => ["-S", fullName(name)]),
  ];
  const names = must("zfs", [
    "list",
    "-H",
    "-o",
    "name",
    ...range(options),
    ...(types === undefined ? [] : ["-t", types]),
    ...sorting,
    ...options.operands,
  ])
    .split("\n")
    .filter((name) => name !== "");
  const listed = names[0] === "no datasets available" ? [] : names;
  if (listed.length === 0) {
    if (!options.has("H")) process.stdout.write("no datasets available\n");
    return 0;
  }
  const found = fetch(toAsk(columns), exact, [], listed);
  const rows = listed.map((dataset) =>
    columns.map(
      (column) => valueOf(found.get(dataset) ?? new Map<string, Value>(), dataset, column, exact).value,
    ),
  );
  const heads: Column[] = columns.map((column) => ({
    title: titles[column] ?? column.toUpperCase(),
    right: numeric.has(column),
  }));
  process.stdout.write(renderTable(heads, rows, options.has("H")));
  return 0;
}
