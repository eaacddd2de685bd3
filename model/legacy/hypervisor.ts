import { isObject, textOf } from "../text.ts";
import type { Json, JsonObject, Path } from "../text.ts";
import { raidLevels } from "../vdevs.ts";
import type { Rewriter } from "./rewriter.ts";
import { dropAbsent, firewallRules, numberToText, schemaPath, textToNumber, toSpaced } from "./values.ts";

/** Older spellings of the hypervisor file whose meaning is unambiguous. */
export function rewriteHypervisor(rewriter: Rewriter): void {
  schemaPath(rewriter, "phoenix_hypervisor_config.schema.json");
  dropAbsent(rewriter);
  oldNvidia(rewriter);
  misplacedFirewall(rewriter);
  firewallRules(rewriter, ["firewall", "global_firewall_rules"]);
  nameServers(rewriter);
  arcMax(rewriter);
  levelsOfRaid(rewriter);
  datasetProperties(rewriter);
  sameDatasetTwice(rewriter);
  storageIds(rewriter);
  sambaOptions(rewriter);
  hostPaths(rewriter);
}

function oldNvidia(rewriter: Rewriter): void {
  for (const [old, key] of [
    ["driver_version", "version"],
    ["runfile_url", "runfile_url"],
  ] as const) {
    const value = rewriter.text(["nvidia", old]);
    if (value !== undefined && rewriter.get(["nvidia_driver", key]) === undefined) {
      rewriter.rename(["nvidia", old], ["nvidia_driver", key], value);
    }
  }
  if (Object.keys(rewriter.object(["nvidia"]) ?? { x: 1 }).length === 0) rewriter.remove(["nvidia"]);
}

/** Inside `shared_volumes` it turned the firewall off without a word. */
function misplacedFirewall(rewriter: Rewriter): void {
  const from: Path = ["shared_volumes", "firewall"];
  const firewall = rewriter.object(from);
  if (firewall === undefined || "host_path" in firewall) return;
  if (rewriter.get(["firewall"]) !== undefined) {
    const remedy = "keep the one at the top of the file";
    rewriter.error(from, "`firewall` stands in `shared_volumes` and at the top of the file", remedy, "key");
    rewriter.remove(from);
    return;
  }
  const rule =
    "a firewall is no shared volume; where it stood, the old system did not find it and left the host open";
  rewriter.rename(from, ["firewall"], firewall, rule);
}

function nameServers(rewriter: Rewriter): void {
  const path: Path = ["network", "interfaces", "dns_nameservers"];
  const value = rewriter.get(path);
  if (value === undefined) return;
  const text = toSpaced(value);
  if (text === undefined || text === value) return;
  rewriter.replace(path, text, `counts as "${text}"`, "name servers are one text, separated by spaces");
}

function arcMax(rewriter: Rewriter): void {
  textToNumber(rewriter, ["zfs", "arc_max_gb"]);
  const from: Path = ["zfs", "arc_max"];
  const value = rewriter.get(from);
  const bytes = typeof value === "number" ? value : Number(value);
  if (value === undefined || !Number.isFinite(bytes) || bytes < 2 ** 30) return;
  if (rewriter.get(["zfs", "arc_max_gb"]) !== undefined) return;
  rewriter.rename(from, ["zfs", "arc_max_gb"], Math.round(bytes / 2 ** 30), "bytes became GiB");
}

/** What other systems call a level; which of ours is meant is for the person to say. */
const foreignLevels: Record<string, string> = {
  raid0: "stripe",
  raid1: "mirror",
  raid5: "raidz1",
  raid6: "raidz2",
  raid01: "raid10",
  raidz4: "raidz3",
};

function levelsOfRaid(rewriter: Rewriter): void {
  rewriter.array(["zfs", "pools"]).forEach((_, i) => {
    const path: Path = ["zfs", "pools", i, "raid_level"];
    const level = rewriter.text(path);
    if (level === undefined) return;
    const plain = level.toLowerCase().replaceAll(/[\s_-]/g, "");
    const today = { raidz: "raidz1", draid: "draid1", "raid1+0": "raid10" }[plain] ?? plain;
    const foreign = foreignLevels[today];
    if (foreign !== undefined) {
      const message = `\`${level}\` is not a level of ZFS`;
      rewriter.error(path, message, `did you mean \`${foreign}\`?`);
      rewriter.write(path, foreign);
    } else if (today !== level && (raidLevels as string[]).includes(today)) {
      rewriter.replace(path, today, `\`${level}\` is now \`${today}\``, "levels are in small letters");
    }
  });
}

/** `recordsize=16K,compression=lz4` → an object. */
function datasetProperties(rewriter: Rewriter): void {
  rewriter.array(["zfs", "datasets"]).forEach((dataset, i) => {
    const path: Path = ["zfs", "datasets", i, "properties"];
    const text = rewriter.text(path);
    if (text !== undefined) {
      const parts = text.split(",").map((part) => part.trim());
      const bad = parts.find((part) => part !== "" && !/^[a-z0-9_:.-]+=\S+$/.test(part));
      if (bad !== undefined) {
        rewriter.error(path, `\`${bad}\` is not \`<property>=<value>\``, 'an object: {"recordsize": "16K"}');
        rewriter.remove(path);
        return;
      }
      const object: JsonObject = {};
      for (const part of parts.filter((item) => item !== "")) {
        const [key = "", value = ""] = part.split(/=(.*)/s);
        object[key] = value;
      }
      const rule = "properties are an object with one key each";
      rewriter.replace(path, object, `one text counts as ${JSON.stringify(object)}`, rule);
    }
    const properties = isObject(dataset) ? dataset["properties"] : undefined;
    if (!isObject(properties)) return;
    for (const key of Object.keys(properties)) numberToText(rewriter, [...path, key]);
  });
}

/** `fastData-shared-iso` in the pool fastData is its `shared-iso` under the name of the storage. */
function sameDatasetTwice(rewriter: Rewriter): void {
  const datasets = (): JsonObject[] => rewriter.array(["zfs", "datasets"]).filter(isObject);
  for (let i = datasets().length - 1; i >= 0; i--) {
    const { name, pool, ...rest } = datasets()[i] ?? {};
    if (typeof name !== "string" || typeof pool !== "string" || !name.startsWith(`${pool}-`)) continue;
    const shortName = name.slice(pool.length + 1);
    const other = datasets().find(
      (candidate) => candidate["name"] === shortName && candidate["pool"] === pool,
    );
    if (other === undefined) continue;
    const otherRest = Object.fromEntries(
      Object.entries(other).filter(([key]) => key !== "name" && key !== "pool"),
    );
    const path: Path = ["zfs", "datasets", i];
    if (JSON.stringify(sorted(rest)) === JSON.stringify(sorted(otherRest))) {
      const rule = `it is \`${shortName}\` under the id of its storage; left out`;
      rewriter.warn(
        [...path, "name"],
        `the dataset \`${shortName}\` is listed a second time as \`${name}\``,
        rule,
      );
      rewriter.remove(path);
    } else {
      const remedy = "if it is another one, give it a name that does not begin with the pool's";
      const message = `the dataset \`${shortName}\` is listed a second time as \`${name}\`, with other settings`;
      rewriter.error([...path, "name"], message, remedy);
    }
  }
}

function sorted(value: Json | JsonObject): Json {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, member]) => [key, sorted(member)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const fold = (text: string): string => text.toLowerCase().replaceAll(/[_/]/g, "-");

/** `lxc-disks` in quickOS was `quickos_lxc`, `shared-iso` in fastData `fastdata_iso`. */
function nickname(dataset: JsonObject): string {
  const role = textOf(dataset["name"])
    .replace(/^shared-(prod-data-)?/, "")
    .replace(/-disks$|s$/, "");
  return `${textOf(dataset["pool"])}_${role}`.toLowerCase();
}

/** A table of storage ids by nicknames → the id stands at the dataset, where it differs from `<pool>-<name>`. */
function storageIds(rewriter: Rewriter): void {
  const table = rewriter.object(["proxmox_storage_ids"]);
  if (table === undefined) return;
  const datasets = rewriter.array(["zfs", "datasets"]).filter(isObject);
  const idOf = (dataset: JsonObject): string => `${textOf(dataset["pool"])}-${textOf(dataset["name"])}`;
  for (const [key, id] of Object.entries(table)) {
    const path: Path = ["proxmox_storage_ids", key];
    if (typeof id !== "string") continue;
    if (datasets.some((dataset) => (dataset["storage_id"] ?? idOf(dataset)) === id)) {
      rewriter.drop(
        path,
        `\`${key}\` says what holds anyway: the storage of a dataset is \`<pool>-<name>\``,
        "left out",
      );
      continue;
    }
    const index = datasets.findIndex((dataset) => {
      const folded = fold(idOf(dataset));
      return folded === fold(key) || folded === fold(id) || nickname(dataset) === key.toLowerCase();
    });
    const dataset = datasets[index];
    if (dataset === undefined) {
      rewriter.error(
        path,
        `no dataset has the storage \`${id}\``,
        "take it out, or add the dataset to `zfs.datasets`",
      );
      rewriter.remove(path);
      continue;
    }
    rewriter.rename(path, ["zfs", "datasets", index, "storage_id"], id, "the id stands at its dataset");
  }
  if (Object.keys(rewriter.object(["proxmox_storage_ids"]) ?? { x: 1 }).length === 0) {
    rewriter.remove(["proxmox_storage_ids"]);
  }
}

const sambaWords: Record<string, { key: string; invert: boolean }> = {
  browseable: { key: "browsable", invert: false },
  browsable: { key: "browsable", invert: false },
  writable: { key: "read_only", invert: true },
  writeable: { key: "read_only", invert: true },
  public: { key: "guest_ok", invert: false },
};

/** `browseable=yes writable=yes` → keys of their own. */
function sambaOptions(rewriter: Rewriter): void {
  rewriter.array(["samba", "shares"]).forEach((_, i) => {
    const path: Path = ["samba", "shares", i, "options"];
    const text = rewriter.text(path);
    if (text === undefined) return;
    const found: JsonObject = {};
    for (const [, word = "", answer = ""] of text.matchAll(/([A-Za-z_]+)\s*=\s*([A-Za-z0-9]+)/g)) {
      const meaning = sambaWords[word.toLowerCase()];
      if (meaning === undefined) {
        rewriter.error(
          path,
          `the Samba option \`${word}\` is not known`,
          "`browsable`, `read_only`, `guest_ok`",
        );
        continue;
      }
      found[meaning.key] = /^(yes|true|1)$/i.test(answer) !== meaning.invert;
    }
    const rule = "options are keys of their own";
    rewriter.warn(path, `\`options\` counts as ${JSON.stringify(found)}`, rule, "key");
    rewriter.remove(path);
    for (const [key, value] of Object.entries(found)) {
      const to: Path = ["samba", "shares", i, key];
      if (rewriter.get(to) === undefined) rewriter.write(to, value);
      rewriter.locator.moved(to, path);
    }
  });
}

/** `/mnt/pve/<pool>/…`: datasets were never mounted there. */
function hostPaths(rewriter: Rewriter): void {
  const base = rewriter.text(["mount_point_base"]) ?? "/mnt/pve";
  const pools = rewriter.array(["zfs", "pools"]).map((pool) => (isObject(pool) ? textOf(pool["name"]) : ""));
  for (const name of Object.keys(rewriter.object(["shared_volumes"]) ?? {})) {
    const path: Path = ["shared_volumes", name, "host_path"];
    const hostPath = rewriter.text(path);
    if (hostPath?.startsWith(`${base}/`) !== true) continue;
    const rest = hostPath.slice(base.length + 1);
    if (!pools.includes(rest.split("/")[0] ?? "")) continue;
    const rule = "datasets are mounted at `/<pool>/<name>`";
    rewriter.replace(path, `/${rest}`, `${hostPath} is now /${rest}`, rule);
  }
}
