import { existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { hardwareFiles } from "../hardware/node-files.ts";
import { resolveHardware } from "../hardware/description.ts";
import { dhcpFiles } from "../image/dhcp.ts";
import type { NodeFile } from "../image/node-file.ts";
import { commonFiles, enablingLinks } from "../image/units.ts";
import type { Lab, Memory } from "./lab.ts";
import { readTold } from "./hardware.ts";
import { places } from "./lab.ts";
import { makeParents, placeFiles } from "./place-files.ts";

/** Units and command wrappers that the guests' part of this package brings. */
async function guestFiles(): Promise<NodeFile[]> {
  const file = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../commands/node-files.ts");
  if (!existsSync(file)) return [];
  const module = (await import(pathToFileURL(file).href)) as { nodeFiles(): NodeFile[] };
  return module.nodeFiles();
}

/** The machine's name servers, as far as the node can reach them. */
export function resolvConf(): string {
  for (const file of ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"]) {
    if (!existsSync(file)) continue;
    const lines = readFileSync(file, "utf8").split("\n");
    const servers = lines.filter((line) => /^nameserver\s+(?!127\.|::1)/.test(line));
    if (servers.length > 0) {
      return `${[...lines.filter((line) => /^(search|domain)\s/.test(line)), ...servers].join("\n")}\n`;
    }
  }
  return "# the machine's own resolver cannot be reached from here\n";
}

function labFiles(lab: Lab, memory: Memory): NodeFile[] {
  const read = (file: string): string => readFileSync(file, "utf8");
  const hardware = resolveHardware(readTold(lab));
  const bootstrap = {
    rootPassword: memory.password,
    token: { id: "phoenix@pve!lab", secret: memory.tokenSecret },
  };
  const published = memory.published
    .map((entry) => `${entry.port} ${entry.address} ${entry.targetPort}\n`)
    .join("");
  return [
    { path: "/root/.ssh/authorized_keys", mode: 0o600, text: read(`${places.key(lab)}.pub`) },
    { path: "/etc/ssh/ssh_host_ed25519_key", mode: 0o600, text: read(places.hostKey(lab)) },
    { path: "/etc/ssh/ssh_host_ed25519_key.pub", mode: 0o644, text: read(`${places.hostKey(lab)}.pub`) },
    { path: "/etc/pve-lab/bootstrap.json", mode: 0o600, text: `${JSON.stringify(bootstrap)}\n` },
    {
      path: "/etc/pve-lab/hardware.json",
      mode: 0o644,
      text: `${JSON.stringify(hardware, undefined, 2)}\n`,
    },
    {
      path: "/etc/pve-lab/disks",
      mode: 0o644,
      text: hardware.disks
        .map(({ number, id, content, model }) => `${number} ${id} ${content} ${model}\n`)
        .join(""),
    },
    { path: "/etc/pve-lab/published", mode: 0o644, text: published },
    { path: "/etc/resolv.conf", mode: 0o644, text: resolvConf(), owners: true },
  ];
}

/**
 * Writes the lab's own files into a node.
 * @param root the writable layer of a stopped node, or the root of a running one
 * @param lower the image below, if `root` is a layer
 */
export async function deploy(
  lab: Lab,
  memory: Memory,
  root: string,
  lower: string | undefined,
): Promise<void> {
  const files = [
    ...commonFiles(),
    ...hardwareFiles(),
    ...dhcpFiles(),
    ...labFiles(lab, memory),
    ...(await guestFiles()),
  ];
  placeFiles(files, { root, lower, upper: places.upper(lab), record: places.written(lab) });
  for (const link of enablingLinks(files)) {
    makeParents(root, lower, link.path);
    rmSync(root + link.path, { force: true });
    symlinkSync(link.target, root + link.path);
  }
}
