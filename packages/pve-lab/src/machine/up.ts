import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ensureRoot, ensureTemplate, imageAt } from "../image/build.ts";
import type { Image } from "../image/build.ts";
import type { ToldHardware } from "../hardware/description.ts";
import { bundlePrograms, hasProgram, placeNode } from "./bundle.ts";
import { inNode, rootOf, settledPid, start } from "./container.ts";
import { renderContainer, renderSeccomp } from "./container-config.ts";
import { deploy } from "./deploy.ts";
import { stopNode } from "./down.ts";
import { ensureDisks, tell } from "./hardware.ts";
import { raiseNetwork, uplinkMtu, usedNetworks } from "./host-network.ts";
import type { Lab, Memory } from "./lab.ts";
import { network, places, readMemory, writeMemory, writeWhole } from "./lab.ts";
import { withLock } from "./lock.ts";
import { machineRecipe } from "./machine-apt.ts";
import type { NodeFacts } from "./node-facts.ts";
import { fingerprintOf, greetsSsh, nodeFacts, writeFacts } from "./node-facts.ts";
import { installPackages } from "./packages.ts";
import type { Preflight } from "./preflight.ts";
import { waitFor } from "./run.ts";
import { ensureKeys, newPassword, newTokenSecret } from "./secrets.ts";
import { Failure, note, step } from "./steps.ts";
import { chooseOctet } from "./subnet.ts";

/** Chooses the lab's network and remembers it; two labs that start at once must not choose the same. */
async function settle(lab: Lab, port: number, image: Image): Promise<Memory> {
  return withLock(
    "/run/lock/phoenix-lab-network",
    30_000,
    () => undefined,
    async () => {
      const before = readMemory(lab);
      const wanted = before?.octet ?? 1 + (Number.parseInt(lab.id.slice(0, 4), 16) % 254);
      const octet = chooseOctet(await usedNetworks(lab.bridge), wanted);
      if (octet === undefined)
        throw new Failure("no free network 10.213.x.0/24 on this machine", "take a lab down first");
      const memory: Memory = {
        octet,
        port,
        imageDigest: before?.imageDigest || image.digest,
        password: before?.password ?? newPassword(),
        tokenSecret: before?.tokenSecret ?? newTokenSecret(),
        createdAt: before?.createdAt ?? new Date().toISOString(),
        published: before?.published ?? [],
      };
      writeMemory(lab, memory);
      await raiseNetwork(lab, memory, await uplinkMtu());
      return memory;
    },
  );
}

/** The container's configuration, and whether the one that it was last started with differs. */
async function writeConfig(lab: Lab, memory: Memory, image: Image): Promise<boolean> {
  const addresses = network(memory.octet);
  const seccompProfile = path.join(places.lxc(lab), "seccomp");
  writeWhole(seccompProfile, renderSeccomp());
  const unified = existsSync("/sys/fs/cgroup/cgroup.controllers");
  const text = renderContainer({
    name: lab.container,
    lower: image.root,
    upper: places.upper(lab),
    bridge: lab.bridge,
    mtu: await uplinkMtu(),
    address: addresses.node,
    gateway: addresses.gateway,
    seccompProfile,
    consoleLog: path.join(places.log(lab), "console.log"),
    cgroup: unified ? "unified" : "hybrid",
    mounts: [
      { from: places.programs(lab), to: "/opt/pve-lab", readOnly: true },
      { from: image.template, to: "/usr/share/pve-lab/template", readOnly: true },
      { from: places.disks(lab), to: "/var/lib/pve-lab/disks", readOnly: false },
    ],
  });
  const before = existsSync(places.config(lab)) ? readFileSync(places.config(lab), "utf8") : "";
  writeWhole(places.config(lab), text);
  return before !== text;
}

async function bootNode(lab: Lab, memory: Memory, image: Image): Promise<void> {
  for (const directory of [places.upper(lab), places.log(lab), places.programs(lab)])
    mkdirSync(directory, { recursive: true });
  ensureDisks(lab);
  await deploy(lab, memory, places.upper(lab), image.root);
  await start(lab);
}

/** Brings a running node's programs and files to this checkout's state; restarts the API only if it changed. */
async function refreshNode(lab: Lab, memory: Memory, pid: number, before: string): Promise<void> {
  ensureDisks(lab);
  await deploy(lab, memory, rootOf(pid), undefined);
  await inNode(lab, ["systemctl", "daemon-reload"]);
  await bringHardware(lab);
  await inNode(lab, ["systemctl", "start", "--no-block", "multi-user.target"]);
  if (programDigest(lab) !== before)
    await inNode(lab, ["systemctl", "restart", "pve-lab.service", "lab-template.service"]);
}

/** Shows a running node's hardware as it is told now; a node of an older checkout gets the unit first. */
async function bringHardware(lab: Lab): Promise<void> {
  const attempts = [
    ["/usr/lib/pve-lab/attach-disks"],
    ["/usr/lib/pve-lab/fill-disks"],
    ["systemctl", "reload-or-restart", "lab-hardware.service"],
  ];
  for (const command of attempts) {
    const { code, stdout, stderr } = await inNode(lab, command);
    if (code === 0) continue;
    throw new Failure(
      `the node's hardware is not shown as told: ${command.join(" ")}:\n${(stderr || stdout).trim()}`,
      "`lab reset` starts from blank disks; in the node: journalctl -u lab-hardware",
    );
  }
}

function programDigest(lab: Lab): string {
  const file = path.join(places.programs(lab), "server.mjs");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** Waits until the node's doors are open: SSH, and the API if this checkout has one. */
async function waitReady(lab: Lab, memory: Memory): Promise<NodeFacts> {
  const { node } = network(memory.octet);
  const greets = await waitFor(() => greetsSsh(node, 22), 60_000);
  if (greets === undefined) {
    throw new Failure(
      `the node does not answer SSH at ${node}`,
      `see ${path.join(places.log(lab), "console.log")}`,
    );
  }
  let fingerprint: string | undefined;
  if (hasProgram(lab, "server")) {
    fingerprint = await waitFor(() => fingerprintOf(node, 8006), 30_000);
    if (fingerprint === undefined) {
      const log = await inNode(lab, ["journalctl", "-u", "pve-lab", "-n", "15", "--no-pager", "-o", "cat"]);
      throw new Failure(`the node's API does not answer at ${node}:8006:\n${log.stdout.trim()}`, "lab logs");
    }
  } else note("  (this checkout has no API yet: SSH only)");
  const facts = nodeFacts(lab, memory, fingerprint ?? "", "running");
  writeFacts(lab, facts);
  return facts;
}

/** Waits for both even if one fails, so that no build goes on behind a command that has ended. */
async function both(...work: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}

/** Starts the lab, or repairs what is missing of one that was started before. */
export async function up(lab: Lab, checks: Preflight, changes: ToldHardware = {}): Promise<NodeFacts> {
  if (checks.packages.length > 0) {
    await step(`install ${checks.packages.join(" ")}`, (say) =>
      installPackages(lab.cache, checks.packages, say),
    );
  }
  const recipe = await machineRecipe();
  const wanted = imageAt(lab.cache, recipe);
  if (!existsSync(wanted.root) || !existsSync(wanted.template)) {
    await step("build the node's root file system and the guests' OS template (once)", async (say) => {
      const said = ["", ""];
      const sayAt = (index: number) => (detail: string) => {
        said[index] = detail;
        say(said.filter((text) => text !== "").join(" | "));
      };
      await both(ensureRoot(wanted, recipe, sayAt(0)), ensureTemplate(wanted, recipe, sayAt(1)));
    });
  }
  mkdirSync(lab.state, { recursive: true });
  tell(lab, changes);
  const before = programDigest(lab);
  await step("bundle the node's programs", async () => {
    placeNode(lab);
    await bundlePrograms(lab);
  });
  const memory = await step("network", () => settle(lab, checks.port, wanted));
  await ensureKeys(lab, network(memory.octet).node);
  // A lab keeps the image that its own layer was laid over.
  const kept = { ...wanted, ...imageOf(lab, memory, wanted) };
  const found = await settledPid(lab);
  const changed = await writeConfig(lab, memory, kept);
  if (found !== undefined && changed)
    await step("stop the node: its container has changed", () => stopNode(lab, 30));
  const pid = changed ? undefined : found;
  if (pid === undefined) await step("start the node", () => bootNode(lab, memory, kept));
  else await step("refresh the running node", () => refreshNode(lab, memory, pid, before));
  return step("wait until it answers", () => waitReady(lab, memory));
}

function imageOf(lab: Lab, memory: Memory, wanted: Image): Image {
  if (memory.imageDigest === wanted.digest) return wanted;
  const root = path.join(lab.cache, `lab-${memory.imageDigest}`, "root");
  if (!existsSync(root)) {
    throw new Failure(
      "the image that this lab was started from is no longer in the cache",
      "`lab down` and `lab up` make a fresh one",
    );
  }
  return { digest: memory.imageDigest, root, template: wanted.template };
}
