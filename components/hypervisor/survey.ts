import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { isAbsolute, join } from "node:path";
import { pipeline } from "node:stream/promises";
import * as pulumi from "@pulumi/pulumi";
import type { HostSpec, OsTemplateSpec, StorageSpec } from "../../model/index.ts";
import type { PveApi } from "../node/pve-api.ts";
import { imagesOf } from "./take-back.ts";

type NodeApi = Pick<PveApi, "call" | "node">;

interface Definition {
  readonly storage: string;
  readonly type: string;
  readonly content?: string;
}

/**
 * What the configuration says of the world beside it: storages and images that are there already, the node's name, files
 * to be uploaded; and which Proxmox VE this is. Looks only at what is configured.
 * @throws pulumi.RunError with everything that is not so; nothing is registered then
 */
export async function surveyHost(
  api: NodeApi,
  host: HostSpec,
  { node, root }: { readonly node: string; readonly root: string },
): Promise<void> {
  const problems = [
    ...versionProblems(await versionOf(api)),
    ...nameProblems(host, node),
    ...(await storageProblems(api, host.storages)),
    ...(await imageProblems(api, host.osTemplates)),
    ...(await Promise.all(host.osTemplates.map((template) => fileProblems(template, root)))).flat(),
  ];
  if (problems.length === 0) return;
  throw new pulumi.RunError(
    `The configuration does not fit; nothing was touched.\n  ${problems.join("\n  ")}`,
  );
}

/** Releases of Proxmox VE that the scripts know. */
const KNOWN = ["8", "9"];

/** @throws pulumi.RunError where the node does not answer: the first question of every run */
async function versionOf(api: NodeApi): Promise<string | undefined> {
  try {
    return ((await api.call("GET", "/version")) as { version?: string }).version;
  } catch (error) {
    throw new pulumi.RunError(
      `The node cannot be asked for its version; nothing was touched.\n  ${(error as Error).message}`,
    );
  }
}

function versionProblems(version: string | undefined): string[] {
  if (version !== undefined && KNOWN.includes(version.split(".")[0] ?? "")) return [];
  return [
    `the node is Proxmox VE ${version ?? "of no known version"}; Phoenix knows ${KNOWN.join(" and ")}, and changes nothing on others. ` +
      "Upgrade the node by Proxmox's own guide, or take another",
  ];
}

function nameProblems({ base: { hostname } }: HostSpec, node: string): string[] {
  if (hostname === undefined || hostname.hostname === node) return [];
  return [
    `network.hostname is '${hostname.hostname}', and this stack's node is '${node}': Proxmox VE names a node by its host name. ` +
      `Say the same in both: pulumi config set phoenix:node ${hostname.hostname}`,
  ];
}

async function storageProblems(api: NodeApi, storages: readonly StorageSpec[]): Promise<string[]> {
  const declared = storages.filter(({ existing }) => existing);
  if (declared.length === 0) return [];
  const found = (await api.call("GET", "/storage")) as Definition[];
  return declared.flatMap((wanted) => {
    const there = found.find(({ storage }) => storage === wanted.id);
    if (there === undefined) {
      const seen = found.map(({ storage }) => storage).join(", ") || "none";
      return [
        `storage '${wanted.id}' is declared existing, and the node shows none of that name (it shows: ${seen}). ` +
          `Correct the id; or give the token Datastore.Audit on /storage/${wanted.id}`,
      ];
    }
    if (there.type !== wanted.type)
      return [
        `storage '${wanted.id}' is of type ${there.type}, declared as ${wanted.type}. Correct its type`,
      ];
    const content = (there.content ?? "").split(",");
    const lacking = wanted.content.filter((kind) => !content.includes(kind));
    if (lacking.length === 0) return [];
    return [
      `storage '${wanted.id}' cannot hold ${lacking.join(", ")}: its content is ${content.join(", ")}, and what exists is never changed. ` +
        `Take it out of 'content', or: pvesm set ${wanted.id} --content ${[...content, ...lacking].join(",")}`,
    ];
  });
}

async function imageProblems(api: NodeApi, templates: readonly OsTemplateSpec[]): Promise<string[]> {
  const problems: string[] = [];
  for (const { name, storage, fileName } of templates.filter(({ existing }) => existing)) {
    const volid = `${storage}:vztmpl/${fileName}`;
    const seen = await imagesOf(api, storage);
    if (seen.includes(volid)) continue;
    problems.push(
      `the OS template '${name}' is declared existing, and the node shows no ${volid} (it shows: ${seen.join(", ") || "none"}). ` +
        `Bring it (pveam download ${storage} ${fileName}), or leave 'existing' out`,
    );
  }
  return problems;
}

async function fileProblems(
  { name, file, checksum, existing }: OsTemplateSpec,
  root: string,
): Promise<string[]> {
  if (file === undefined || checksum === undefined || existing) return [];
  const path = isAbsolute(file) ? file : join(root, file);
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path), hash);
  } catch {
    return [`the file of the OS template '${name}' cannot be read: ${path}`];
  }
  const digest = hash.digest("hex");
  if (digest === checksum.value.toLowerCase()) return [];
  return [`${path}, the file of the OS template '${name}', has the SHA-256 ${digest}, not ${checksum.value}`];
}
