import { ApiError, type Context, type Route } from "../core/route.ts";
import { inTask } from "../volumes/run.ts";
import { loadConfig } from "./config-store.ts";
import { guestOverview, overviewAnswer } from "./overview.ts";
import { flagOf, numberOf, vmidOf } from "./parameters.ts";
import { isRoot } from "./permissions.ts";
import { rebootGuest, requireRunning, shutdownGuest, startGuest, stopGuest } from "./power.ts";
import { isRunning } from "./process.ts";

const PATH = "/nodes/{node}/lxc/{vmid}/status";

function subdirs(...names: string[]): { subdir: string }[] {
  return names.map((subdir) => ({ subdir }));
}

function skipLock(context: Context): boolean {
  const skip = flagOf(context.parameters, "skiplock") === true;
  if (skip && !isRoot(context))
    throw new ApiError(400, "Parameter verification failed.", { skiplock: "Only root may use this option." });
  return skip;
}

function guest({ parameters }: Context): number {
  const vmid = vmidOf(parameters);
  loadConfig(vmid);
  return vmid;
}

// As in PVE the changing calls only ask whether the guest runs; the rest is for the task to find out.
export const statusRoutes: Route[] = [
  {
    method: "GET",
    path: PATH,
    evidence: "documented",
    handler: (context) => {
      guest(context);
      return subdirs("current", "start", "stop", "shutdown", "reboot", "migrate");
    },
  },
  {
    method: "GET",
    path: `${PATH}/current`,
    evidence: "observed",
    handler: async (context) => ({
      ...overviewAnswer(await guestOverview(guest(context))),
      ha: { managed: 0 },
    }),
  },
  {
    method: "POST",
    path: `${PATH}/start`,
    evidence: "observed",
    handler: (context) => {
      const skip = skipLock(context);
      const vmid = vmidOf(context.parameters);
      if (isRunning(vmid)) throw new ApiError(500, `CT ${vmid} already running`);
      return context.startTask("vzstart", String(vmid), (log) => startGuest(vmid, log, skip));
    },
  },
  {
    method: "POST",
    path: `${PATH}/stop`,
    evidence: "documented",
    handler: (context) => {
      skipLock(context);
      const vmid = vmidOf(context.parameters);
      requireRunning(vmid);
      return context.startTask("vzstop", String(vmid), () => stopGuest(vmid));
    },
  },
  {
    method: "POST",
    path: `${PATH}/shutdown`,
    evidence: "observed",
    handler: (context) => {
      const vmid = vmidOf(context.parameters);
      requireRunning(vmid);
      const timeout = numberOf(context.parameters, "timeout") ?? 60;
      const force = flagOf(context.parameters, "forceStop") === true;
      return context.startTask("vzshutdown", String(vmid), (_log, signal) =>
        inTask(signal, () => shutdownGuest(vmid, { timeout, force })),
      );
    },
  },
  {
    method: "POST",
    path: `${PATH}/reboot`,
    evidence: "observed",
    handler: (context) => {
      const vmid = vmidOf(context.parameters);
      requireRunning(vmid);
      const timeout = numberOf(context.parameters, "timeout");
      return context.startTask("vzreboot", String(vmid), (log) => rebootGuest(vmid, log, timeout));
    },
  },
];
