import { isObject, textOf } from "../text.ts";
import type { Json, JsonObject, Path } from "../text.ts";
import type { Rewriter } from "./rewriter.ts";

/** What can only be said with both files at hand. */
export function rewriteAcross(hypervisor: Rewriter, lxc: Rewriter): void {
  const ctids = Object.keys(lxc.object(["lxc_configs"]) ?? {}).filter((ctid) =>
    lxc.object(["lxc_configs", ctid]),
  );
  for (const ctid of ctids) {
    templatePath(hypervisor, lxc, ["lxc_configs", ctid, "template"]);
    storageSpelling(hypervisor, lxc, ["lxc_configs", ctid, "storage_pool"]);
    lxc.array(["lxc_configs", ctid, "volumes"]).forEach((_, i) => {
      storageSpelling(hypervisor, lxc, ["lxc_configs", ctid, "volumes", i, "pool"]);
    });
    sharedOnVolume(hypervisor, lxc, ctid);
  }
  storageSpelling(hypervisor, hypervisor, ["proxmox_defaults", "zfs_lxc_pool"]);
}

/** Where Proxmox VE's own list of images points; `pveam download` took them from there. */
const imageSite = "http://download.proxmox.com/images/system/";

/** The path of an image file on the host → the name of an OS template, declared if it is not yet. */
function templatePath(hypervisor: Rewriter, lxc: Rewriter, path: Path): void {
  const text = lxc.text(path);
  const file = text?.split("/").at(-1) ?? "";
  const stem = file.replace(/\.tar\.(gz|xz|zst)$/, "");
  if (text === undefined || file === stem) return;
  const templates = hypervisor.array(["os_templates"]).filter(isObject);
  // An entry under the image's own name says where it comes from here: a lab, a mirror.
  const known = templates.find(({ name, url }) => textOf(name) === stem || textOf(url).endsWith(`/${file}`));
  const storage = known === undefined ? imageStorage(hypervisor, text) : undefined;
  if (known === undefined && storage === undefined) return;
  const name = textOf(known?.["name"] ?? stem);
  if (known === undefined && storage !== undefined) {
    const template: JsonObject = { name: stem, storage, url: imageSite + file };
    hypervisor.write(["os_templates"], [...templates, template]);
  }
  const rule = `an image is named by its entry in \`os_templates\`, here ${textOf(known?.["url"] ?? imageSite + file)} in \`${storage ?? textOf(known?.["storage"])}\``;
  lxc.replace(path, name, `${text} counts as the OS template \`${name}\``, rule);
}

/** The storage in whose folder the path lies, else the only one that holds images. */
function imageStorage(hypervisor: Rewriter, path: string): string | undefined {
  const candidates = hypervisor
    .array(["zfs", "datasets"])
    .filter(isObject)
    .filter((dataset) => textOf(dataset["proxmox_content_type"]).split(",").includes("vztmpl"))
    .map((dataset) => ({
      folder: `/${textOf(dataset["pool"])}/${textOf(dataset["name"])}`,
      id: idOf(dataset),
    }));
  const inside = candidates.find(({ folder }) => path.startsWith(`${folder}/`));
  return inside?.id ?? (candidates.length === 1 ? candidates[0]?.id : undefined);
}

function idOf(dataset: JsonObject): string {
  const { storage_id, pool, name } = dataset;
  return typeof storage_id === "string" ? storage_id : `${textOf(pool)}-${textOf(name)}`;
}

const fold = (text: string): string => text.toLowerCase().replaceAll(/[_/]/g, "-");

/** `quickos_lxc-disks` or `quickOS/lxc-disks` for `quickOS-lxc-disks`. */
function storageSpelling(hypervisor: Rewriter, target: Rewriter, path: Path): void {
  const text = target.text(path);
  const ids = [
    ...hypervisor.array(["zfs", "datasets"]).filter(isObject).map(idOf),
    ...hypervisor
      .array(["storages"])
      .filter(isObject)
      .map((storage: JsonObject): Json => storage["id"] ?? ""),
  ].map(String);
  if (text === undefined || ids.includes(text)) return;
  const bare = hypervisor
    .array(["zfs", "datasets"])
    .filter(isObject)
    .filter((dataset) => dataset["name"] === text)
    .map(idOf);
  const matches = [...new Set([...ids.filter((id) => fold(id) === fold(text)), ...bare])];
  const [id] = matches;
  if (id === undefined || matches.length > 1) return;
  target.replace(
    path,
    id,
    `\`${text}\` counts as the storage \`${id}\``,
    "a storage is named as Proxmox VE knows it",
  );
}

/** A volume and a shared folder at one place: the shared one was never mounted. */
function sharedOnVolume(hypervisor: Rewriter, lxc: Rewriter, ctid: string): void {
  const volumes = lxc.array(["lxc_configs", ctid, "volumes"]).filter(isObject);
  for (const name of Object.keys(hypervisor.object(["shared_volumes"]) ?? {})) {
    const path: Path = ["shared_volumes", name, "mounts", ctid];
    const mount = hypervisor.text(path);
    const volume = volumes.find((candidate) => candidate["mount_point"] === mount);
    if (mount === undefined || volume === undefined) continue;
    const message = `container ${ctid} has its own volume \`${textOf(volume["name"])}\` on ${mount}`;
    hypervisor.drop(path, message, "the volume wins, the shared folder is not mounted there");
  }
}
