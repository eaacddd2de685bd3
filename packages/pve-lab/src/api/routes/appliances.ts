import { readdirSync, statSync } from "node:fs";
import { isMissing } from "../../core/files.ts";
import { place } from "../../core/places.ts";
import { ApiError, type Context, type Route } from "../../core/route.ts";
import { requireEnabledStorage } from "../../core/storage-config.ts";
import { asText } from "../../core/text.ts";
import { filePath } from "../../core/volume-id.ts";
import { digestOfFile, fetchFile } from "./downloads.ts";

/** Where the OS template lies in the node, and where the node serves it. */
const FOLDER = "/usr/share/pve-lab/template";
const source = (): string => process.env["PVE_LAB_TEMPLATE_URL"] ?? "http://127.0.0.1:8099/template";

/** One entry of PVE's index of OS templates, with the fields that clients choose and check by. */
interface Appliance {
  readonly template: string;
  readonly package: string;
  readonly os: string;
  readonly version: string;
  readonly architecture: string;
  readonly type: "lxc";
  readonly section: "system";
  readonly headline: string;
  readonly description: string;
  readonly infopage: string;
  readonly source: string;
  readonly location: string;
  readonly sha512sum: string;
}

const digests = new Map<string, Promise<string>>();

/** The file's checksum; it is read once as long as it stays the same. */
function digestOf(path: string): Promise<string> {
  const { mtimeMs, size } = statSync(path);
  const key = `${path} ${mtimeMs} ${size}`;
  const known = digests.get(key) ?? digestOfFile(path, "sha512");
  digests.set(key, known);
  return known;
}

function templates(): string[] {
  try {
    return readdirSync(place(FOLDER)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** What the lab can offer: the OS templates that it was built with. */
async function appliances(): Promise<Appliance[]> {
  const list: Appliance[] = [];
  for (const template of templates()) {
    const [, name, version, architecture] = /^([^_]+)_([^_]+)_([^_.]+)\.tar\.\w+$/.exec(template) ?? [];
    if (name === undefined || version === undefined || architecture === undefined) continue;
    const os = /^[a-z]+-\d+/.exec(name)?.[0] ?? name;
    list.push({
      template,
      package: name,
      os,
      version,
      architecture,
      type: "lxc",
      section: "system",
      headline: `LXC default image for ${os} (built by the lab)`,
      description: "",
      infopage: source(),
      source: source(),
      location: `${source()}/${template}`,
      sha512sum: await digestOf(place(`${FOLDER}/${template}`)),
    });
  }
  return list;
}

async function download(context: Context): Promise<string> {
  const { parameters: p } = context;
  const name = asText(p["template"]);
  const appliance = (await appliances()).find(({ template }) => template === name);
  if (!appliance) throw new ApiError(400, "Parameter verification failed.", { template: "no such template" });
  const storage = requireEnabledStorage(asText(p["storage"]));
  if (!storage.content.includes("vztmpl"))
    throw new ApiError(500, `storage '${storage.id}' does not support templates`);
  const wanted = { url: appliance.location, checksum: appliance.sha512sum, "checksum-algorithm": "sha512" };
  const target = filePath(storage, `vztmpl/${name}`);
  return context.startTask("download", name, (log, signal) => fetchFile(wanted, target, log, signal));
}

const path = "/nodes/{node}/aplinfo";
export const applianceRoutes: Route[] = [
  { method: "GET", path, evidence: "observed", handler: appliances },
  { method: "POST", path, evidence: "observed", handler: download },
];
