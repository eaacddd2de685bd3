/**
 * Derives the lab's API description from Proxmox VE's own: `node src/schema/generate.ts PVE_API_JSON`.
 * The source is one object, `"METHOD /path"` → {parameters, returns, permissions, …}. We keep what verification
 * and authorisation need of the routes that the lab may serve, and the names of all others (they answer 501).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toJavaScriptPattern } from "./perl-pattern.ts";

const AREAS: Readonly<Record<string, RegExp>> = {
  access: /^\/(access(?!\/(openid|tfa|domains\/))|version|pools)/,
  cluster:
    /^\/cluster(\/(resources|status|nextid|tasks|backup|backup-info\/not-backed-up|replication|ha\/resources))?$/,
  storage:
    /^\/(storage|nodes\/\{node\}\/(storage(?!\/\{storage\}\/(file-restore|rrd|oci|import))|scan\/zfs))/,
  lxc: /^\/nodes\/\{node\}\/lxc(?!\/\{vmid\}\/(rrd|vncwebsocket|mtunnel|remote_migrate|migrate|firewall\/log))/,
  node: /^\/nodes(\/\{node\}(\/(version|status|network(\/\{iface\})?|dns|time|hosts|tasks.*|query-url-metadata|disks\/(list|zfs)|qemu|aplinfo|subscription|services|apt\/versions|replication))?)?$/,
};

const PROSE = new Set([
  "description",
  "verbose_description",
  "typetext",
  "format_description",
  "title",
  "default",
]);

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** `holder` is true where the keys of `value` are names of properties, not keywords. */
function trim(value: Json, holder: boolean): Json {
  if (Array.isArray(value)) return value.map((item) => trim(item, false));
  if (value === null || typeof value !== "object") return value;
  const kept: { [key: string]: Json } = {};
  for (const [key, item] of Object.entries(value)) {
    if (!holder && PROSE.has(key) && key !== "default") continue;
    if (!holder && key === "default") continue;
    if (!holder && key === "enum" && item === null) continue;
    if (!holder && key === "pattern" && typeof item === "string") kept[key] = toJavaScriptPattern(item);
    else if (!holder && (key === "minimum" || key === "maximum")) kept[key] = Number(item);
    else
      kept[key] = trim(
        item,
        !holder && (key === "properties" || (key === "format" && typeof item === "object")),
      );
  }
  return kept;
}

interface Described {
  parameters?: Json;
  permissions?: { [key: string]: Json };
  returns?: { type?: Json };
}

function main(source: string): void {
  const description = JSON.parse(readFileSync(source, "utf8")) as Record<string, Described>;
  const names = Object.keys(description).sort();
  const areas: Record<string, Record<string, Json>> = {};
  for (const name of names) {
    const path = name.slice(name.indexOf(" ") + 1);
    const area = Object.keys(AREAS).find((key) => AREAS[key]?.test(path));
    const entry = description[name];
    if (area === undefined || entry === undefined) continue;
    const permissions = Object.fromEntries(
      Object.entries(entry.permissions ?? {}).filter(([key]) => key !== "description"),
    );
    const group = (areas[area] ??= {});
    group[name] = {
      parameters: trim(entry.parameters ?? {}, false),
      ...(entry.permissions ? { permissions } : {}),
      returns: entry.returns?.type ?? null,
    };
  }
  const folder = import.meta.dirname;
  for (const [area, routes] of Object.entries(areas)) {
    const lines = Object.entries(routes).map(
      ([name, route]) => `  ${JSON.stringify(name)}: ${JSON.stringify(route)}`,
    );
    writeFileSync(join(folder, `${area}.json`), `{\n${lines.join(",\n")}\n}\n`);
  }
  writeFileSync(join(folder, "index.json"), `${JSON.stringify(names, null, 1)}\n`);
}

const [source] = process.argv.slice(2);
if (source === undefined) {
  process.stderr.write("usage: node src/schema/generate.ts PVE_API_JSON\n");
  process.exit(2);
}
main(source);
