import { isObject } from "../text.ts";
import type { Json, Path } from "../text.ts";
import type { Rewriter } from "./rewriter.ts";
import { dropAbsent, firewallRules, numberToText, schemaPath, textToNumber, toSpaced } from "./values.ts";
import { rewriteVllm } from "./vllm.ts";

const wholeNumbers = ["memory_mb", "swap_mb", "cores", "storage_size_gb", "boot_order", "boot_delay"];

/** Older spellings of the container file whose meaning is unambiguous. */
export function rewriteContainers(rewriter: Rewriter): void {
  schemaPath(rewriter, "phoenix_lxc_configs.schema.json");
  dropAbsent(rewriter);
  for (const [ctid, config] of Object.entries(rewriter.object(["lxc_configs"]) ?? {})) {
    if (!isObject(config)) continue;
    const path: Path = ["lxc_configs", ctid];
    renamed(rewriter, path, "clone_from_template_ctid", "clone_from_ctid");
    renamed(rewriter, path, "swap", "swap_mb");
    for (const key of wholeNumbers) textToNumber(rewriter, [...path, key]);
    numberToText(rewriter, [...path, "clone_from_ctid"]);
    rewriter
      .array([...path, "dependencies"])
      .forEach((_, i) => numberToText(rewriter, [...path, "dependencies", i]));
    templateMarker(rewriter, path);
    network(rewriter, path);
    gpus(rewriter, path);
    featureText(rewriter, path);
    volumes(rewriter, path);
    firewallRules(rewriter, [...path, "firewall", "rules"]);
    rewriteVllm(rewriter, path);
  }
}

function renamed(rewriter: Rewriter, path: Path, old: string, key: string): void {
  const value = rewriter.get([...path, old]);
  if (value === undefined) return;
  const today = rewriter.get([...path, key]);
  if (today === undefined) rewriter.rename([...path, old], [...path, key], value);
  else if (JSON.stringify(today) === JSON.stringify(value)) {
    rewriter.drop([...path, old], `\`${old}\` says the same as \`${key}\``, "left out");
  } else {
    rewriter.error(
      [...path, old],
      `\`${old}\` and \`${key}\` contradict each other`,
      `keep \`${key}\``,
      "key",
    );
    rewriter.remove([...path, old]);
  }
}

/** A template was an ordinary container with a snapshot of this name. */
function templateMarker(rewriter: Rewriter, path: Path): void {
  const from: Path = [...path, "template_snapshot_name"];
  if (typeof rewriter.get(from) !== "string") return;
  if (rewriter.get([...path, "is_template"]) === undefined) {
    rewriter.rename(from, [...path, "is_template"], true, "a template is sealed; it has no snapshot");
  } else rewriter.drop(from, "`template_snapshot_name` has no effect beside `is_template`", "left out");
}

function network(rewriter: Rewriter, path: Path): void {
  const at: Path = [...path, "network_config"];
  const text = rewriter.text(at);
  if (text !== undefined) {
    const [ip = "", gw, ...dns] = text.split(",").map((part) => part.trim());
    const object = { ip, ...(gw === undefined || gw === "" ? {} : { gw }) };
    rewriter.replace(
      at,
      object,
      `one text counts as ${JSON.stringify(object)}`,
      "address, gateway and the rest are keys",
    );
    if (dns.length > 0) {
      rewriter.write([...path, "nameserver"], dns.join(" "));
      rewriter.locator.moved([...path, "nameserver"], at);
    }
  }
  const move = (from: Path, to: Path, value: Json | undefined, rule?: string): void => {
    if (value === undefined || value === "") return;
    if (rewriter.get(to) === undefined) rewriter.rename(from, to, value, rule);
    else if (rewriter.get(to) === value) rewriter.drop(from, `\`${from.at(-1)}\` is there twice`, "left out");
    else
      rewriter.error(
        from,
        `\`${from.at(-1)}\` and \`${to.at(-1)}\` contradict each other`,
        "keep one of the two",
        "key",
      );
  };
  move([...path, "static_ip"], [...at, "ip"], rewriter.get([...path, "static_ip"]));
  move([...at, "hwaddr"], [...path, "mac_address"], rewriter.get([...at, "hwaddr"]));
  for (const key of ["nameserver", "nameservers"]) {
    const value = rewriter.get([...at, key]);
    if (value === undefined) continue;
    const spaced = toSpaced(value);
    if (spaced !== undefined)
      move([...at, key], [...path, "nameserver"], spaced, "name servers belong to the container");
  }
}

function gpus(rewriter: Rewriter, path: Path): void {
  const at: Path = [...path, "gpu_assignment"];
  numberToText(rewriter, at);
  const value = rewriter.text(at);
  if (value === undefined || !/^\s*\d+([\s,]+\d+)+\s*$/.test(value)) return;
  const today = value
    .trim()
    .split(/[\s,]+/)
    .join(",");
  if (today !== value)
    rewriter.replace(at, today, `"${value}" is now "${today}"`, "indexes are separated by a comma alone");
}

function featureText(rewriter: Rewriter, path: Path): void {
  const at: Path = [...path, "features"];
  const text = rewriter.text(at);
  if (text === undefined) return;
  // The oldest files had the container's abilities under this name.
  if (/^(nesting|keyctl|fuse)=[01](,(nesting|keyctl|fuse)=[01])*$/.test(text)) {
    rewriter.rename(at, [...path, "pct_options"], text.split(","), "features are what is installed in it");
    return;
  }
  const features = text.split(/[\s,]+/).filter((name) => name !== "");
  rewriter.replace(at, features, `"${text}" is now ${JSON.stringify(features)}`, "features are a list");
}

/** Two lists of the same thing, of which one added another disk at every run. */
function volumes(rewriter: Rewriter, path: Path): void {
  const from: Path = [...path, "zfs_volumes"];
  const old = rewriter.get(from);
  if (!Array.isArray(old)) return;
  const to: Path = [...path, "volumes"];
  const today = rewriter.array(to);
  if (today.length === 0) {
    rewriter.remove(to);
    rewriter.rename(from, to, old, "both kinds are datasets of their own");
    return;
  }
  rewriter.warn(
    from,
    "`zfs_volumes` is now part of `volumes`",
    "both kinds are datasets of their own",
    "key",
  );
  old.forEach((volume, i) => {
    if (today.some((other) => JSON.stringify(other) === JSON.stringify(volume))) return;
    rewriter.locator.moved([...to, today.length], [...from, i]);
    today.push(volume);
  });
  rewriter.remove(from);
}
