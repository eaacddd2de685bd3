import { ApiError, type Context, type Route } from "../../core/route.ts";
import { nodeName } from "../../core/places.ts";
import { poolOfGuest } from "../../core/pools.ts";
import { readStorages } from "../../core/storage-config.ts";
import { listGuests } from "../../guests/index.ts";
import { nodeAddress, nodeSummary } from "../node-facts.ts";
import { usageOf } from "./storage-status.ts";
import { asText } from "../../core/text.ts";

async function nextId({ parameters }: Context): Promise<string> {
  const taken = new Set((await listGuests()).map(({ vmid }) => vmid));
  const wanted = parameters["vmid"];
  if (wanted !== undefined) {
    if (taken.has(Number(wanted)))
      throw new ApiError(400, "Parameter verification failed.", {
        vmid: `VM ${asText(wanted)} already exists`,
      });
    return asText(wanted);
  }
  let id = 100;
  while (taken.has(id)) id += 1;
  return asText(id);
}

async function guestResources(context: Context): Promise<unknown[]> {
  const guests = await listGuests();
  return guests
    .filter(({ vmid }) => context.allowed(`/vms/${vmid}`, ["VM.Audit"]))
    .map(({ cpus, ...guest }) => {
      const pool = poolOfGuest(guest.vmid);
      return {
        ...guest,
        id: `lxc/${guest.vmid}`,
        type: "lxc",
        node: nodeName(),
        maxcpu: cpus,
        template: guest.template ? 1 : 0,
        ...(pool === undefined ? {} : { pool }),
      };
    });
}

async function storageResources(context: Context): Promise<unknown[]> {
  const storages = readStorages().filter(({ id }) =>
    context.allowed(`/storage/${id}`, ["Datastore.Audit", "Datastore.AllocateSpace"], true),
  );
  return Promise.all(
    storages.map(async (storage) => {
      const { active, total, used } = await usageOf(storage);
      return {
        id: `storage/${nodeName()}/${storage.id}`,
        type: "storage",
        node: nodeName(),
        storage: storage.id,
        plugintype: storage.type,
        content: storage.content.join(","),
        status: active ? "available" : "unknown",
        shared: storage.shared ? 1 : 0,
        disk: used,
        maxdisk: total,
      };
    }),
  );
}

async function resources(context: Context): Promise<unknown> {
  const type = context.parameters["type"];
  const wants = (one: string): boolean => type === undefined || type === one;
  const sdn = {
    id: `sdn/${nodeName()}/localnetwork`,
    node: nodeName(),
    sdn: "localnetwork",
    status: "ok",
    type: "sdn",
  };
  const node = { ...nodeSummary(), id: `node/${nodeName()}`, type: "node", level: "", "cgroup-mode": 2 };
  return [
    ...(wants("vm") ? await guestResources(context) : []),
    ...(wants("node") ? [node] : []),
    ...(wants("storage") ? await storageResources(context) : []),
    ...(wants("sdn") && context.allowed("/sdn/zones/localnetwork", ["SDN.Audit"]) ? [sdn] : []),
  ];
}

/** No backup jobs run here, so every guest is without one. */
async function notBackedUp(context: Context): Promise<unknown> {
  const guests = await listGuests();
  return guests
    .filter(({ vmid }) => context.allowed(`/vms/${vmid}`, ["VM.Audit"]))
    .map(({ vmid, name }) => ({ vmid, name, type: "lxc" }));
}

/** What a node without a cluster and without jobs has none of. */
const NONE = [
  "/cluster/backup",
  "/cluster/replication",
  "/cluster/ha/resources",
  "/nodes/{node}/replication",
];

export const clusterRoutes: Route[] = [
  ...NONE.map((path): Route => ({ method: "GET", path, evidence: "documented", handler: () => [] })),
  { method: "GET", path: "/cluster/backup-info/not-backed-up", evidence: "observed", handler: notBackedUp },
  { method: "GET", path: "/cluster/nextid", evidence: "observed", handler: nextId },
  { method: "GET", path: "/cluster/resources", evidence: "observed", handler: resources },
  {
    method: "GET",
    path: "/cluster/status",
    evidence: "documented",
    handler: () => [
      {
        id: `node/${nodeName()}`,
        name: nodeName(),
        type: "node",
        nodeid: 0,
        ip: nodeAddress(),
        online: 1,
        local: 1,
        level: "",
      },
    ],
  },
];
