import type { Findings } from "./findings.ts";
import type {
  Dataset,
  HypervisorConfig,
  OsTemplate,
  PruneOptions,
  StorageEntry,
} from "./generated/hypervisor-config.ts";
import type { Locator } from "./locate.ts";
import { noneTwice, unknownName } from "./names.ts";
import { list } from "./schema-errors.ts";
import type { Path } from "./text.ts";
import type { OsTemplateSpec, PruneSpec, StorageSpec } from "./types.ts";
import { mountPointOf, zfsOf } from "./zfs.ts";

export function storageIdOf(dataset: Pick<Dataset, "pool" | "name" | "storage_id">): string {
  return dataset.storage_id ?? `${dataset.pool}-${dataset.name.replaceAll("/", "-")}`;
}

/** What a storage of a type can hold: `plugindata` of the plugins in Proxmox's pve-storage, src/PVE/Storage/*Plugin.pm. */
function contentOf(type: string): readonly string[] {
  const blocks = ["images", "rootdir"];
  const shares = ["iso", "vztmpl", "backup", "snippets", "import"];
  const files = [...blocks, ...shares];
  const known: Record<string, readonly string[]> = {
    dir: [...files, "none"],
    btrfs: [...files, "none"],
    nfs: files,
    cifs: files,
    cephfs: shares,
    glusterfs: ["images", ...shares],
    zfspool: blocks,
    lvm: blocks,
    lvmthin: blocks,
    rbd: blocks,
    zfs: ["images"],
    iscsi: ["images", "none"],
    iscsidirect: ["images", "none"],
    pbs: ["backup", "none"],
    esxi: ["import"],
  };
  // A plugin that is not Proxmox's own says itself what it holds.
  return known[type] ?? [...files, "none"];
}

/** What each type is told apart by; a storage of any other can only be there already. */
const placeOf: Record<string, readonly (keyof StorageEntry)[]> = {
  zfspool: ["pool"],
  dir: ["path"],
  nfs: ["server", "export"],
};
const optionsOf: Record<string, readonly (keyof StorageEntry)[]> = {
  zfspool: ["nodes"],
  dir: ["nodes", "prune"],
  nfs: ["nodes", "prune", "options"],
};
const allOptions = ["pool", "path", "server", "export", "options", "nodes", "prune"] as const;

export function toStorages(config: HypervisorConfig, locator: Locator, findings: Findings): StorageSpec[] {
  const owners = new Map<string, Path>();
  const claim = (id: string, path: Path): void => {
    const other = owners.get(id);
    if (other !== undefined) {
      const { file, line } = locator.find(other);
      findings.add(locator, path, `the storage \`${id}\` is defined twice; first in ${file}:${line}`);
    }
    owners.set(id, path);
  };
  const made = zfsOf(config).datasets.flatMap((dataset, i) => {
    const path: Path = ["zfs", "datasets", i];
    if (dataset.proxmox_storage_type === undefined) return [];
    const id = storageIdOf(dataset);
    claim(id, dataset.storage_id === undefined ? [...path, "name"] : [...path, "storage_id"]);
    return [
      ofDataset(dataset, zfsOf(config).datasets, dataset.proxmox_storage_type, path, locator, findings),
    ];
  });
  const declared = (config.storages ?? []).map((storage, i) => {
    const path: Path = ["storages", i];
    claim(storage.id, [...path, "id"]);
    checkEntry(storage, path, locator, findings);
    return ofEntry(storage);
  });
  return [...made, ...declared];
}

/** The folder of a `dir` storage. */
function folderOf(dataset: Dataset, all: readonly Dataset[]): { path?: string } {
  const path = dataset.proxmox_storage_type === "dir" ? mountPointOf(dataset, all) : undefined;
  return path === undefined ? {} : { path };
}

function ofDataset(
  dataset: Dataset,
  all: readonly Dataset[],
  type: "zfspool" | "dir",
  path: Path,
  locator: Locator,
  findings: Findings,
): StorageSpec {
  const content = (dataset.proxmox_content_type ?? "none").split(",").sort();
  const allowed = contentOf(type);
  const wrong = content.find((item) => !allowed.includes(item));
  if (wrong !== undefined) {
    const message =
      wrong === "none"
        ? `a storage of type \`${type}\` needs a content type`
        : `a storage of type \`${type}\` cannot hold \`${wrong}\``;
    findings.add(locator, [...path, "proxmox_content_type"], message, {
      remedy: `possible: ${list(allowed)}`,
    });
  }
  checkPrune(dataset.storage_prune, type, content, [...path, "storage_prune"], locator, findings);
  return {
    id: storageIdOf(dataset),
    type,
    content,
    dataset: `${dataset.pool}/${dataset.name}`,
    ...folderOf(dataset, all),
    ...options({ nodes: dataset.storage_nodes, prune: dataset.storage_prune }),
    existing: dataset.existing ?? false,
    allow: dataset.allow ?? [],
  };
}

function ofEntry({ id, type, content, existing, pool, path, server, ...rest }: StorageEntry): StorageSpec {
  return {
    id,
    type,
    content: [...content].sort(),
    ...(pool === undefined ? {} : { dataset: pool }),
    ...(path === undefined ? {} : { path }),
    ...(server === undefined || rest.export === undefined ? {} : { nfs: { server, export: rest.export } }),
    ...options(rest),
    existing: existing ?? false,
    allow: [],
  };
}

/** What can be set, and cleared again. */
function options(given: {
  nodes?: string[] | undefined;
  prune?: PruneOptions | undefined;
  options?: string | undefined;
}): Pick<StorageSpec, "nodes" | "prune" | "mountOptions"> {
  const { nodes, prune, options: mountOptions } = given;
  return {
    ...(nodes === undefined ? {} : { nodes: [...nodes].sort() }),
    ...(prune === undefined ? {} : { prune: toPrune(prune) }),
    ...(mountOptions === undefined ? {} : { mountOptions }),
  };
}

function toPrune(prune: PruneOptions): PruneSpec {
  const named: Record<keyof PruneSpec, number | boolean | undefined> = {
    keepAll: prune.keep_all,
    keepLast: prune.keep_last,
    keepHourly: prune.keep_hourly,
    keepDaily: prune.keep_daily,
    keepWeekly: prune.keep_weekly,
    keepMonthly: prune.keep_monthly,
    keepYearly: prune.keep_yearly,
  };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}

function checkEntry(storage: StorageEntry, path: Path, locator: Locator, findings: Findings): void {
  const { type, existing } = storage;
  const allowed = contentOf(type);
  const wrong = storage.content.findIndex((item) => !allowed.includes(item));
  if (wrong >= 0) {
    const message = `a storage of type \`${type}\` cannot hold \`${storage.content[wrong]}\``;
    findings.add(locator, [...path, "content", wrong], message, { remedy: `possible: ${list(allowed)}` });
  }
  const given = allOptions.filter((key) => storage[key] !== undefined);
  if (existing === true) {
    for (const key of given) {
      findings.add(
        locator,
        [...path, key],
        `the storage \`${storage.id}\` is there already and never changed`,
        {
          remedy: `leave \`${key}\` out`,
        },
      );
    }
    return;
  }
  const needed = placeOf[type];
  if (needed === undefined) {
    findings.add(
      locator,
      [...path, "type"],
      `a storage of type \`${type}\` can only be declared \`existing\``,
      {
        remedy: `Phoenix registers: ${list(Object.keys(placeOf))}`,
      },
    );
    return;
  }
  for (const key of needed.filter((name) => !given.some((other) => other === name))) {
    findings.add(locator, path, `a storage of type \`${type}\` needs \`${key}\``, {
      remedy: "or say `existing`, if it is there already",
    });
  }
  for (const key of given) {
    if (needed.includes(key) || optionsOf[type]?.includes(key) === true) continue;
    findings.add(locator, [...path, key], `a storage of type \`${type}\` has no \`${key}\``, {
      remedy: `possible: ${list([...needed, ...(optionsOf[type] ?? [])])}`,
    });
  }
  checkPrune(storage.prune, type, storage.content, [...path, "prune"], locator, findings);
}

function checkPrune(
  prune: PruneOptions | undefined,
  type: string,
  content: readonly string[],
  path: Path,
  locator: Locator,
  findings: Findings,
): void {
  if (prune === undefined || (type === "zfspool" && path[0] === "storages")) return;
  if (type === "zfspool" || !content.includes("backup")) {
    findings.add(locator, path, "only a storage that holds backups can prune them", {
      remedy: "add `backup` to its content, or leave this out",
    });
  }
  if (prune.keep_all === true && Object.keys(prune).length > 1)
    findings.add(locator, [...path, "keep_all"], "all are kept, and something else is said beside it");
}

export function toOsTemplate(template: OsTemplate): OsTemplateSpec {
  const { name, storage, url, file, checksum } = template;
  const place = url ?? file ?? "";
  return {
    name,
    storage,
    fileName: place.slice(place.lastIndexOf("/") + 1),
    ...(url === undefined ? {} : { url }),
    ...(file === undefined ? {} : { file }),
    ...(checksum === undefined ? {} : { checksum }),
    existing: template.existing ?? false,
  };
}

export function checkOsTemplates(
  templates: readonly OsTemplate[],
  storages: readonly StorageSpec[],
  locator: Locator,
  findings: Findings,
): void {
  noneTwice(
    "OS template",
    templates.map((template) => template.name),
    (i) => ["os_templates", i, "name"],
    locator,
    findings,
  );
  const files = templates.map(toOsTemplate).map(({ storage, fileName }) => `${storage}:vztmpl/${fileName}`);
  const source = (i: number): string => (templates[i]?.url === undefined ? "file" : "url");
  noneTwice("image", files, (i) => ["os_templates", i, source(i)], locator, findings);
  templates.forEach(({ url, file, checksum, name, existing }, i) => {
    if ((url === undefined) === (file === undefined)) {
      const message = `the OS template \`${name}\` needs one source: a \`url\` that the node downloads, or a \`file\` that is uploaded`;
      findings.add(locator, ["os_templates", i], message);
    } else if (file !== undefined && existing !== true && checksum?.algorithm !== "sha256") {
      const message = `the file of the OS template \`${name}\` needs a \`checksum\` of algorithm \`sha256\``;
      findings.add(locator, ["os_templates", i, "file"], message, { remedy: `sha256sum ${file} prints it` });
    }
  });
  templates.forEach((template, i) => {
    const path: Path = ["os_templates", i, "storage"];
    const storage = storages.find((candidate) => candidate.id === template.storage);
    if (storage === undefined) {
      findings.add(
        locator,
        path,
        ...unknownName(
          "storage",
          template.storage,
          storages.map((s) => s.id),
        ),
      );
    } else if (!storage.content.includes("vztmpl")) {
      findings.add(
        locator,
        path,
        `the storage \`${storage.id}\` cannot hold OS templates: its content is ${list(storage.content)}`,
        {
          remedy: "a storage with content `vztmpl` is needed",
        },
      );
    }
  });
}
