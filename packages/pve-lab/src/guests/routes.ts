import { ApiError, type Context, type Route } from "../core/route.ts";
import { volumeHasFeature } from "../volumes/index.ts";
import { volumeRoutes } from "../volumes/routes.ts";
import { cloneGuest } from "./clone.ts";
import { loadConfig } from "./config-store.ts";
import { createGuest } from "./create.ts";
import { configAnswer, pendingAnswer, snapshotAnswer } from "./current.ts";
import { destroyGuest } from "./destroy.ts";
import { guestInterfaces } from "./interfaces.ts";
import { moveVolume } from "./move.ts";
import { listGuests, overviewAnswer } from "./overview.ts";
import { flagOf, textOf, vmidOf } from "./parameters.ts";
import { mountPointKeys, mountPointType, parseMountPoint } from "./property-string.ts";
import { resizeVolume } from "./resize.ts";
import { snapshotRoutes } from "./snapshot-routes.ts";
import { statusRoutes } from "./status-routes.ts";
import { makeTemplate } from "./template.ts";
import { updateGuest } from "./update.ts";

const LIST = "/nodes/{node}/lxc";
const GUEST = `${LIST}/{vmid}`;

function readConfig(context: Context): Record<string, unknown> {
  const { parameters } = context;
  const vmid = vmidOf(parameters);
  const snapshot = textOf(parameters, "snapshot");
  const current = flagOf(parameters, "current") === true;
  if (snapshot !== undefined && current) {
    const message = "cannot use 'snapshot' parameter with 'current'";
    throw new ApiError(400, "Parameter verification failed.", { snapshot: message, current: message });
  }
  const config = loadConfig(vmid);
  const answer = snapshot === undefined ? configAnswer(config, current) : snapshotAnswer(config, snapshot);
  // The environment may hold secrets: only for who may change it.
  if (!context.allowed(`/vms/${vmid}`, ["VM.Config.Options"])) delete answer["env"];
  return answer;
}

async function hasFeature({ parameters }: Context): Promise<{ hasFeature: number }> {
  const { values, snapshots } = loadConfig(vmidOf(parameters));
  const name = textOf(parameters, "snapname");
  const feature = textOf(parameters, "feature");
  if (feature !== "clone" && feature !== "copy" && feature !== "snapshot") return { hasFeature: 0 };
  const source = name === undefined ? values : snapshots[name]?.values;
  if (!source) throw new ApiError(500, `snapshot '${name ?? ""}' does not exist`);
  for (const key of mountPointKeys(source)) {
    const mountPoint = parseMountPoint(source[key] ?? "");
    if (mountPointType(mountPoint) !== "volume") return { hasFeature: 0 };
    if (!(await volumeHasFeature(feature, mountPoint["volume"] ?? "", name))) return { hasFeature: 0 };
  }
  return { hasFeature: 1 };
}

/** Everything below /nodes/{node}/lxc except the firewall, and the making of volumes. */
export const guestRoutes: Route[] = [
  {
    method: "GET",
    path: LIST,
    evidence: "observed",
    handler: async (context) =>
      (await listGuests())
        .filter(({ vmid }) => context.allowed(`/vms/${vmid}`, ["VM.Audit"]))
        .map(overviewAnswer),
  },
  { method: "POST", path: LIST, evidence: "observed", handler: createGuest },
  {
    method: "GET",
    path: GUEST,
    evidence: "documented",
    handler: ({ parameters }) => {
      loadConfig(vmidOf(parameters));
      return ["config", "pending", "status", "clone", "snapshot", "resize", "interfaces", "firewall"].map(
        (subdir) => ({ subdir }),
      );
    },
  },
  { method: "DELETE", path: GUEST, evidence: "observed", handler: destroyGuest },
  { method: "GET", path: `${GUEST}/config`, evidence: "observed", handler: readConfig },
  { method: "PUT", path: `${GUEST}/config`, evidence: "observed", handler: updateGuest },
  {
    method: "GET",
    path: `${GUEST}/pending`,
    evidence: "documented",
    handler: ({ parameters }) => pendingAnswer(loadConfig(vmidOf(parameters))),
  },
  {
    method: "GET",
    path: `${GUEST}/interfaces`,
    evidence: "observed",
    handler: ({ parameters }) => {
      loadConfig(vmidOf(parameters));
      return guestInterfaces(vmidOf(parameters));
    },
  },
  { method: "GET", path: `${GUEST}/feature`, evidence: "documented", handler: hasFeature },
  { method: "POST", path: `${GUEST}/template`, evidence: "documented", handler: makeTemplate },
  { method: "POST", path: `${GUEST}/clone`, evidence: "observed", handler: cloneGuest },
  { method: "PUT", path: `${GUEST}/resize`, evidence: "observed", handler: resizeVolume },
  { method: "POST", path: `${GUEST}/move_volume`, evidence: "documented", handler: moveVolume },
  ...volumeRoutes,
  ...statusRoutes,
  ...snapshotRoutes,
];
