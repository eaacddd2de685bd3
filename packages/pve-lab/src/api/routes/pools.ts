import { authIdOf } from "../../core/authenticate.ts";
import { checkModify } from "../../core/declared-permissions.ts";
import { splitList } from "../../core/lists.ts";
import { nodeName } from "../../core/places.ts";
import { ApiError, type Context, type Route } from "../../core/route.ts";
import { requireStorage, readStorages } from "../../core/storage-config.ts";
import { changeUserConfig, readUserConfig, type Pool, type UserConfig } from "../../core/user-config.ts";
import { listGuests } from "../../guests/index.ts";
import { asText } from "../../core/text.ts";

function requirePool(config: UserConfig, id: string): Pool {
  const pool = config.pools.get(id);
  if (!pool) throw new ApiError(500, `pool '${id}' does not exist`);
  return pool;
}

async function membersOf(pool: Pool, type: unknown): Promise<unknown[]> {
  const guests = (await listGuests()).filter(({ vmid }) => pool.vms.has(vmid));
  const storages = readStorages().filter(({ id }) => pool.storages.has(id));
  return [
    ...(type === undefined || type === "lxc"
      ? guests.map(({ vmid, name, status }) => ({
          id: `lxc/${vmid}`,
          type: "lxc",
          node: nodeName(),
          vmid,
          name,
          status,
        }))
      : []),
    ...(type === undefined || type === "storage"
      ? storages.map(({ id }) => ({
          id: `storage/${nodeName()}/${id}`,
          type: "storage",
          node: nodeName(),
          storage: id,
        }))
      : []),
  ];
}

async function view(id: string, pool: Pool, type: unknown): Promise<Record<string, unknown>> {
  const { comment } = pool;
  return { poolid: id, ...(comment === "" ? {} : { comment }), members: await membersOf(pool, type) };
}

async function list(context: Context): Promise<unknown> {
  const { pools } = readUserConfig();
  const asked = context.parameters["poolid"];
  if (typeof asked === "string") {
    context.requirePrivileges(`/pool/${asked}`, ["Pool.Audit"]);
    return [await view(asked, requirePool(readUserConfig(), asked), context.parameters["type"])];
  }
  return [...pools]
    .filter(([id]) => context.allowed(`/pool/${id}`, ["Pool.Audit"]))
    .map(([poolid, { comment }]) => ({ poolid, ...(comment === "" ? {} : { comment }) }));
}

async function get({ parameters }: Context): Promise<unknown> {
  const pool = requirePool(readUserConfig(), asText(parameters["poolid"]));
  const shown = await view("", pool, parameters["type"]);
  return Object.fromEntries(Object.entries(shown).filter(([key]) => key !== "poolid"));
}

function create({ parameters }: Context): null {
  const id = asText(parameters["poolid"]);
  changeUserConfig((config) => {
    if (config.pools.has(id)) throw new ApiError(500, `pool '${id}' already exists`);
    const parent = id.includes("/") ? id.slice(0, id.lastIndexOf("/")) : undefined;
    if (parent !== undefined && !config.pools.has(parent))
      throw new ApiError(500, `parent '${parent}' of pool '${id}' does not exist`);
    config.pools.set(id, {
      comment: asText(parameters["comment"] ?? ""),
      vms: new Set(),
      storages: new Set(),
    });
  }, "create pool failed");
  return null;
}

function changeGuests(config: UserConfig, id: string, vmids: readonly number[], context: Context): void {
  const pool = requirePool(config, id);
  for (const vmid of vmids) {
    checkModify({ authId: authIdOf(context.identity), values: {} }, `/vms/${vmid}`);
    if (context.parameters["delete"] === true) {
      if (!pool.vms.delete(vmid)) throw new ApiError(500, `VM ${vmid} is not a pool member`);
      continue;
    }
    if (pool.vms.has(vmid)) throw new ApiError(500, `VM ${vmid} is already a pool member`);
    for (const [other, { vms }] of config.pools)
      if (vms.has(vmid)) {
        if (context.parameters["allow-move"] !== true)
          throw new ApiError(
            500,
            `VM ${vmid} belongs already to pool '${other}' and 'allow-move' is not set`,
          );
        vms.delete(vmid);
      }
    pool.vms.add(vmid);
  }
}

function changeStorages(pool: Pool, ids: readonly string[], context: Context): void {
  for (const id of ids) {
    checkModify({ authId: authIdOf(context.identity), values: {} }, `/storage/${id}`);
    if (context.parameters["delete"] === true) {
      if (!pool.storages.delete(id)) throw new ApiError(500, `Storage '${id}' is not a pool member`);
      continue;
    }
    requireStorage(id);
    if (pool.storages.has(id)) throw new ApiError(500, `Storage '${id}' is already a pool member`);
    pool.storages.add(id);
  }
}

function update(context: Context): null {
  const { parameters } = context;
  const id = asText(parameters["poolid"]);
  changeUserConfig((config) => {
    const pool = requirePool(config, id);
    if (parameters["comment"] !== undefined) pool.comment = asText(parameters["comment"]);
    changeGuests(config, id, splitList(parameters["vms"]).map(Number), context);
    changeStorages(pool, splitList(parameters["storage"]), context);
  }, "update pools failed");
  return null;
}

function remove({ parameters }: Context): null {
  const id = asText(parameters["poolid"]);
  changeUserConfig((config) => {
    const { vms, storages } = requirePool(config, id);
    const [vmid] = vms;
    const [storage] = storages;
    if (vmid !== undefined) throw new ApiError(500, `pool '${id}' is not empty (contains VM ${vmid})`);
    if (storage !== undefined)
      throw new ApiError(500, `pool '${id}' is not empty (contains storage '${storage}')`);
    const child = [...config.pools.keys()].find((other) => other.startsWith(`${id}/`));
    if (child !== undefined) throw new ApiError(500, `pool '${id}' is not empty (contains pool '${child}')`);
    config.pools.delete(id);
    config.acl = config.acl.filter(({ path }) => path !== `/pool/${id}`);
  }, "delete pool failed");
  return null;
}

export const poolRoutes: Route[] = [
  { method: "GET", path: "/pools", evidence: "documented", handler: list },
  { method: "POST", path: "/pools", evidence: "observed", handler: create },
  { method: "PUT", path: "/pools", evidence: "documented", handler: update },
  { method: "DELETE", path: "/pools", evidence: "documented", handler: remove },
  { method: "GET", path: "/pools/{poolid}", evidence: "observed", handler: get },
  { method: "PUT", path: "/pools/{poolid}", evidence: "observed", handler: update },
  { method: "DELETE", path: "/pools/{poolid}", evidence: "observed", handler: remove },
];
