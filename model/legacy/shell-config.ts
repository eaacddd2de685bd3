import type { Json, JsonObject } from "../text.ts";
import type { Finding, SourceFile } from "../types.ts";
import { parseShell } from "./shell-parse.ts";
import type { ShellValues } from "./shell-parse.ts";

/** Variables that are about the scripts themselves, or that follow from others. */
const withoutEffect = new Set([
  "LOGFILE",
  "DEFAULT_LOGFILE",
  "LOGDIR",
  "MOUNT_POINT_BASE",
  "NFS_DATASET_LIST",
]);

/**
 * The shell configuration `phoenix_config.sh` of the oldest system, read as data: assignments and arrays. Nothing is
 * executed; every line that is something else is a warning with its number.
 */
export function readShellConfig(source: SourceFile): { value: JsonObject; findings: Finding[] } {
  const findings: Finding[] = [];
  const report = (line: number, message: string, remedy?: string): void => {
    const place = { file: source.path, line, column: 1, pointer: "" };
    const base = { severity: "warning", class: "file", ...place, message } as const;
    findings.push(remedy === undefined ? base : { ...base, remedy });
  };
  const values = parseShell(source.text, report);
  const used = new Set<string>();
  const text = (name: string): string | undefined => {
    used.add(name);
    const value = values.texts.get(name);
    return value === undefined || value === "" ? undefined : value;
  };
  const value: JsonObject = { $schema: "../schemas/phoenix_hypervisor_config.schema.json" };
  const server = text("PROXMOX_NFS_SERVER");
  const prefix = text("DEFAULT_SUBNET")?.split("/")[1];
  if (server !== undefined && prefix !== undefined) {
    value["network"] = { interfaces: { name: "vmbr0", address: `${server}/${prefix}` } };
    report(
      values.lines.get("PROXMOX_NFS_SERVER") ?? 1,
      `the host's address on vmbr0 is taken to be ${server}/${prefix}`,
    );
  } else value["network"] = {};
  value["zfs"] = zfs(values, used, text, report);
  const user = text("SMB_USER");
  if (user !== undefined) value["samba"] = { user, shares: [] };
  const ids = storageIds(values, used);
  if (Object.keys(ids).length > 0) value["proxmox_storage_ids"] = ids;
  for (const [name, line] of values.lines) {
    if (withoutEffect.has(name)) report(line, `\`${name}\` has no meaning here`, "left out");
    else if (!used.has(name)) report(line, `\`${name}\` is not known`, "left out");
  }
  return { value, findings };
}

type Report = (line: number, message: string, remedy?: string) => void;

function zfs(
  values: ShellValues,
  used: Set<string>,
  text: (name: string) => string | undefined,
  report: Report,
): JsonObject {
  const pools: Json[] = [];
  const datasets: Json[] = [];
  const result: JsonObject = {};
  const arc = text("ZFS_ARC_MAX");
  if (arc !== undefined) result["arc_max"] = arc;
  const types = values.maps.get("DATASET_STORAGE_TYPES") ?? new Map<string, string>();
  used.add("DATASET_STORAGE_TYPES");
  for (const [prefix, level] of [
    ["QUICKOS", "mirror"],
    ["FASTDATA", "single"],
  ] as const) {
    const name = text(`${prefix}_POOL`);
    for (const suffix of ["DRIVES", "DRIVE", "DATASET_LIST", "DATASET_PROPERTIES"]) {
      const variable = `${prefix}_${suffix}`;
      const line = values.lines.get(variable);
      used.add(variable);
      if (name === undefined && line !== undefined)
        report(
          line,
          `\`${variable}\` belongs to a pool that has no name: ${prefix}_POOL is missing`,
          "left out",
        );
    }
    if (name === undefined) continue;
    const line = values.lines.get(`${prefix}_POOL`) ?? 1;
    const drives = text(`${prefix}_DRIVES`) ?? text(`${prefix}_DRIVE`) ?? "";
    const listed = values.arrays.get(`${prefix}_DRIVES`) ?? drives.split(/\s+/);
    const disks = listed.filter((drive) => drive !== "");
    if (disks.length === 0) {
      const remedy = "name them in `zfs.pools[].disks` by /dev/disk/by-id";
      report(line, `the disks of \`${name}\` are not in this file: they were asked for`, remedy);
    }
    pools.push({ name, raid_level: level, disks });
    const properties = values.maps.get(`${prefix}_DATASET_PROPERTIES`) ?? new Map<string, string>();
    for (const dataset of values.arrays.get(`${prefix}_DATASET_LIST`) ?? [...properties.keys()]) {
      const [type, content] = (types.get(`${name}/${dataset}`) ?? "").split(":");
      const settings = properties.get(dataset);
      const served = type === "zfspool" || type === "dir";
      if (type !== undefined && type !== "" && !served) {
        const place = values.lines.get("DATASET_STORAGE_TYPES") ?? line;
        report(place, `the storage type \`${type}\` of ${name}/${dataset} is not served`, "left out");
      }
      datasets.push({
        name: dataset,
        pool: name,
        ...(settings === undefined ? {} : { properties: settings }),
        ...(served ? { proxmox_storage_type: type, proxmox_content_type: content ?? "none" } : {}),
      });
    }
  }
  return { ...result, pools, datasets };
}

/** `DEFAULT_STORAGE_ID_QUICKOS_VM` → `quickos_vm`. */
function storageIds(values: ShellValues, used: Set<string>): JsonObject {
  const ids: JsonObject = {};
  for (const [name, value] of values.texts) {
    const key = /^DEFAULT_STORAGE_ID_(.+)$/.exec(name)?.[1];
    if (key === undefined) continue;
    used.add(name);
    ids[key.toLowerCase()] = value;
  }
  return ids;
}
