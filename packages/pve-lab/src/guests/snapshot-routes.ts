import type { Route } from "../core/route.ts";
import { loadConfig, requireUnlocked, updateConfig } from "./config-store.ts";
import { snapshotAnswer } from "./current.ts";
import { flagOf, textOf, vmidOf } from "./parameters.ts";
import { isRunning } from "./process.ts";
import {
  checkSnapshotName,
  deleteSnapshot,
  rollbackSnapshot,
  snapshotList,
  takeSnapshot,
} from "./snapshots.ts";

const PATH = "/nodes/{node}/lxc/{vmid}/snapshot";

export const snapshotRoutes: Route[] = [
  {
    method: "GET",
    path: PATH,
    evidence: "documented",
    handler: ({ parameters }) => snapshotList(loadConfig(vmidOf(parameters)), isRunning(vmidOf(parameters))),
  },
  {
    method: "POST",
    path: PATH,
    evidence: "documented",
    handler: (context) => {
      const { parameters } = context;
      const vmid = vmidOf(parameters);
      const name = textOf(parameters, "snapname") ?? "";
      checkSnapshotName(name);
      const comment = textOf(parameters, "description");
      return context.startTask("vzsnapshot", String(vmid), (log) => takeSnapshot(vmid, name, comment, log));
    },
  },
  {
    method: "GET",
    path: `${PATH}/{snapname}`,
    evidence: "documented",
    handler: () => [{ cmd: "rollback" }, { cmd: "config" }],
  },
  {
    method: "DELETE",
    path: `${PATH}/{snapname}`,
    evidence: "documented",
    handler: (context) => {
      const { parameters } = context;
      const vmid = vmidOf(parameters);
      const name = textOf(parameters, "snapname") ?? "";
      const force = flagOf(parameters, "force") === true;
      return context.startTask("vzdelsnapshot", String(vmid), (log) =>
        deleteSnapshot(vmid, name, force, log),
      );
    },
  },
  {
    method: "POST",
    path: `${PATH}/{snapname}/rollback`,
    evidence: "documented",
    handler: (context) => {
      const { parameters } = context;
      const vmid = vmidOf(parameters);
      const name = textOf(parameters, "snapname") ?? "";
      const start = flagOf(parameters, "start") === true;
      return context.startTask("vzrollback", String(vmid), (log) => rollbackSnapshot(vmid, name, start, log));
    },
  },
  {
    method: "GET",
    path: `${PATH}/{snapname}/config`,
    evidence: "documented",
    handler: ({ parameters }) =>
      snapshotAnswer(loadConfig(vmidOf(parameters)), textOf(parameters, "snapname") ?? ""),
  },
  {
    method: "PUT",
    path: `${PATH}/{snapname}/config`,
    evidence: "documented",
    handler: async ({ parameters }) => {
      const name = textOf(parameters, "snapname") ?? "";
      snapshotAnswer(loadConfig(vmidOf(parameters)), name);
      await updateConfig(vmidOf(parameters), (config) => {
        requireUnlocked(config);
        const section = config.snapshots[name];
        const description = textOf(parameters, "description");
        if (section && description !== undefined) section.description = description;
      });
      return null;
    },
  },
];
