import * as pulumi from "@pulumi/pulumi";
import type { PveApi } from "../node/pve-api.ts";
import { readMark } from "./mark.ts";
import { isFree, readConfig, volumesOf, type GuestConfig, type NodeApi } from "./guest-on-node.ts";

/** Milliseconds between two looks at a task of the node; the API offers no event to wait for. */
const LOOK_AGAIN = 1000;
/** The longest that the guard waits for what a cut run left running, in milliseconds. */
const PATIENCE = 15 * 60 * 1000;

/** What the guard knows of the guest that is about to be made. */
export interface Intent {
  readonly stack: string;
  readonly vmid: number;
  /** It may take the place of one that has lived. */
  readonly mayReplace: boolean;
  /** Containers that are linked clones of this template and may not be made anew with it. */
  readonly linked?: readonly number[];
  /** The state was lost, and this guest is about to be taken back: it is looked at first. */
  readonly recovered?: boolean;
}

/** A hook that runs before a guest is created, in previews too; see {@link makeRoom}. */
export function guard(api: PveApi, intent: Intent): pulumi.ResourceHook {
  return new pulumi.ResourceHook(
    `guard-${intent.vmid}`,
    () => makeRoom(api, intent, pulumi.runtime.isDryRun()),
    { onDryRun: true },
  );
}

/**
 * The provider would adopt whatever holds the vmid (its retry takes "already exists" for success), so an occupied vmid
 * is refused here, with two exceptions. The rest of our own cut run, which has never run, is removed once its task has
 * ended, if it holds no data. And in a preview a guest that is to be replaced is still there: that is refused where
 * the configuration does not allow it, where it holds data, and where linked clones need it.
 * @param dryRun only look
 * @throws Error that says whose the guest is and which ways there are
 */
export async function makeRoom(api: NodeApi, intent: Intent, dryRun: boolean): Promise<void> {
  const { stack, vmid } = intent;
  if (await isFree(api, vmid)) return;
  await waitForTasks(api, vmid);
  const config = await unlockedConfig(api, vmid);
  if (config === undefined) return;
  const mark = readMark(config.description, vmid);
  if (mark?.stack !== stack) throw new Error(occupied(api, vmid, stack, mark?.stack));
  if (dryRun && intent.recovered) return;
  const data = volumesOf(config);
  if (data.length > 0) {
    throw new Error(
      `CT ${vmid} carries the mark of stack '${stack}' and holds data (${data.join(", ")}); it is not replaced and stays as it is. ` +
        `Move the data, or take back the change that replaces it. If the state was lost: bin/phoenix recover. If a run was cut off, take it back into the state: ${importCommand(api, vmid)}`,
    );
  }
  if (config.template === 1) {
    if (dryRun) await refuseWhereLinked(api, intent);
  } else if (await hasLived(api, vmid)) {
    // In a real run one that is to be replaced is gone by now: this one is in no state.
    if (!dryRun || !intent.mayReplace) throw new Error(lived(api, vmid, stack));
  }
  if (!dryRun) await destroy(api, vmid);
}

async function refuseWhereLinked(api: NodeApi, { vmid, linked = [] }: Intent): Promise<void> {
  const there: number[] = [];
  for (const clone of linked) if (!(await isFree(api, clone))) there.push(clone);
  if (there.length === 0) return;
  throw new Error(
    `template ${vmid} would be built anew, and ${there.join(", ")} lie on it as linked clones: Proxmox VE cannot remove a base in use. ` +
      `Nothing was touched. Give each of them "allow": ["replace"] (then it is made anew too), or "clone_mode": "full".`,
  );
}

/** Whether a guest of ours was ever started: what a run that was cut off leaves behind never was. */
async function hasLived(api: NodeApi, vmid: number): Promise<boolean> {
  const { status } = (await api.call("GET", `/nodes/${api.node}/lxc/${vmid}/status/current`)) as {
    status: string;
  };
  if (status !== "stopped") return true;
  const tasks = (await api.call("GET", `/nodes/${api.node}/tasks?vmid=${vmid}&source=all&limit=500`)) as {
    type?: string;
    starttime?: number;
  }[];
  const last = (type: string): number =>
    Math.max(0, ...tasks.filter((task) => task.type === type).map(({ starttime = 0 }) => starttime));
  // An older guest under the same number says nothing about this one.
  return last("vzstart") > last("vzdestroy");
}

function importCommand(api: NodeApi, vmid: number): string {
  return `pulumi import proxmoxve:index/containerLegacy:ContainerLegacy ${vmid} ${api.node}/${vmid}`;
}

function lived(api: NodeApi, vmid: number, stack: string): string {
  return (
    `CT ${vmid} of stack '${stack}' would be replaced by a new one, which its configuration does not allow; nothing was touched. ` +
    `Take back the change that replaces it (see the diff), or allow it: "allow": ["replace"] in ${vmid}; what is inside it goes then. ` +
    `If the state was lost: bin/phoenix recover. If it was cut off, take it back into the state: ${importCommand(api, vmid)}`
  );
}

function occupied(api: NodeApi, vmid: number, stack: string, owner: string | undefined): string {
  const whose = owner ? `it belongs to stack '${owner}'` : "it was not made by Phoenix";
  return (
    `vmid ${vmid} is taken on node ${api.node}, and ${whose} (stack '${stack}' has no claim to it); nothing was touched. ` +
    `Give the container another CTID in the configuration, or move the guest that is there. ` +
    `If it shall be managed from here, adopt it: ${importCommand(api, vmid)}`
  );
}

/**
 * A clone's task counts as its source's, so the lock is what tells that the new guest is not whole yet; the mark may
 * not be written before that.
 */
async function unlockedConfig(api: NodeApi, vmid: number): Promise<GuestConfig | undefined> {
  const deadline = Date.now() + PATIENCE;
  for (let idle = 0; ; idle = (await isBusy(api)) ? 0 : idle + 1) {
    const config = await readConfig(api, vmid);
    if (config?.lock === undefined) return config;
    // Looked at twice: the task may end between the two questions.
    if (idle > 1)
      throw new Error(`CT ${vmid} is locked (${config.lock}), and no task works on it: pct unlock ${vmid}`);
    if (Date.now() > deadline) throw new Error(tooLong(vmid));
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
  }
}

/** A task works on this guest or, without a vmid, on anything of the node. */
async function isBusy(api: NodeApi, vmid?: number): Promise<boolean> {
  const query = vmid === undefined ? "source=active" : `vmid=${vmid}&source=active`;
  const tasks = (await api.call("GET", `/nodes/${api.node}/tasks?${query}`)) as {
    status?: string;
    endtime?: number;
  }[];
  return tasks.some(({ status, endtime }) => endtime === undefined && (status ?? "RUNNING") === "RUNNING");
}

async function waitForTasks(api: NodeApi, vmid: number): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (await isBusy(api, vmid)) {
    if (Date.now() > deadline) throw new Error(tooLong(vmid));
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
  }
}

const tooLong = (vmid: number): string => `CT ${vmid}: a task of the node works on it for over 15 minutes`;

async function destroy(api: NodeApi, vmid: number): Promise<void> {
  const path = `/nodes/${api.node}/lxc/${vmid}`;
  const { status } = (await api.call("GET", `${path}/status/current`)) as { status: string };
  if (status !== "stopped") {
    await api.call("POST", `${path}/status/stop`);
    await waitForTasks(api, vmid);
  }
  await api.call("DELETE", path);
  await waitForTasks(api, vmid);
  if (!(await isFree(api, vmid))) {
    throw new Error(`CT ${vmid}, the rest of an earlier run, could not be removed: see the node's task log`);
  }
}
