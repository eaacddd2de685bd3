/**
 * What systemd runs around `lxc-start` for `pve-container@<vmid>.service`: `pre-start <vmid>` mounts the guest's
 * volumes, writes its network files and the LXC configuration; `post-stop <vmid>` unmounts.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { prepareNvidiaGuest } from "../hardware/guest.ts";
import { loadConfig } from "./config-store.ts";
import { idMap } from "./id-map.ts";
import { LXC_FOLDER, renderLxcConfig, seccompRules } from "./lxc-config.ts";
import { makeDeviceNodes, mountGuest, unmountGuest } from "./mounts.ts";
import { nodeFacts } from "./node-facts.ts";
import { parseFeatures } from "./property-string.ts";
import { ensureSegments, segmentsOf } from "./segments.ts";
import { writeNetworkFiles } from "./setup.ts";

const COMMON_SECCOMP = "/usr/share/lxc/config/common.seccomp";

async function preStart(vmid: number): Promise<void> {
  const config = loadConfig(vmid);
  if (config.values["template"] === "1") throw new Error("you can't start a CT if it's a template");
  const folder = `${LXC_FOLDER}/${vmid}`;
  mkdirSync(folder, { recursive: true });
  const rendered = renderLxcConfig(vmid, config, nodeFacts());
  if (idMap(config).length > 0) {
    const rules = seccompRules(parseFeatures(config.values["features"]));
    writeFileSync(
      `${folder}/rules.seccomp`,
      `${readFileSync(COMMON_SECCOMP, "utf8").trimEnd()}\n${rules.join("\n")}\n`,
    );
  }
  writeFileSync(`${folder}/config`, rendered);
  await unmountGuest(vmid);
  const root = await mountGuest(vmid, config);
  try {
    await makeDeviceNodes(vmid, config, root);
    prepareNvidiaGuest(config.values, root);
    await ensureSegments(segmentsOf(config.values));
    writeNetworkFiles(vmid, config, root);
  } catch (error) {
    await unmountGuest(vmid);
    throw error;
  }
}

async function main([action, id]: string[]): Promise<void> {
  const vmid = Number(id);
  if (!Number.isInteger(vmid)) throw new Error(`no such container '${id ?? ""}'`);
  if (action === "pre-start") await preStart(vmid);
  else if (action === "post-stop") await unmountGuest(vmid);
  else throw new Error(`unknown action '${action ?? ""}'`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
