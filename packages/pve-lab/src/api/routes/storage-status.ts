import { statfsSync } from "node:fs";
import { nodeName } from "../../core/places.ts";
import { splitList } from "../../core/lists.ts";
import { ApiError, type Context, type Route } from "../../core/route.ts";
import { readStorages, requireStorage, type Storage } from "../../core/storage-config.ts";
import { storageUsage } from "../../volumes/index.ts";
import { asText } from "../../core/text.ts";

export interface Usage {
  readonly active: boolean;
  readonly total: number;
  readonly used: number;
  readonly avail: number;
}

const UNREACHABLE: Usage = { active: false, total: 0, used: 0, avail: 0 };

/** Space on a storage in bytes; zeros when it cannot be reached. */
export async function usageOf(storage: Storage): Promise<Usage> {
  if (!storage.enabled) return UNREACHABLE;
  try {
    if (storage.type === "zfspool") return { active: true, ...(await storageUsage(storage)) };
    if (storage.path === undefined) return UNREACHABLE;
    const { bsize, blocks, bfree, bavail } = statfsSync(storage.path);
    return { active: true, total: blocks * bsize, used: (blocks - bfree) * bsize, avail: bavail * bsize };
  } catch {
    return UNREACHABLE;
  }
}

/** A storage's state on this node, with numbers and flags as PVE gives them. */
export async function storageState(storage: Storage): Promise<Record<string, unknown>> {
  const { active, total, used, avail } = await usageOf(storage);
  return {
    type: storage.type,
    content: storage.content.join(","),
    active: active ? 1 : 0,
    enabled: storage.enabled ? 1 : 0,
    shared: storage.shared ? 1 : 0,
    total,
    used,
    avail,
  };
}

async function list(context: Context): Promise<unknown> {
  const { parameters: p } = context;
  const contents = splitList(p["content"]);
  const storages = readStorages().filter(
    ({ id, content, enabled }) =>
      context.allowed(`/storage/${id}`, ["Datastore.Audit", "Datastore.AllocateSpace"], true) &&
      (p["storage"] === undefined || p["storage"] === id) &&
      (contents.length === 0 || contents.some((one) => content.includes(one))) &&
      (p["enabled"] !== true || enabled),
  );
  return Promise.all(
    storages.map(async (storage) => {
      const state = await storageState(storage);
      const total = Number(state["total"]);
      return {
        storage: storage.id,
        ...state,
        ...(total > 0 ? { used_fraction: Number(state["used"]) / total } : {}),
      };
    }),
  );
}

const path = "/nodes/{node}/storage";
export const storageStatusRoutes: Route[] = [
  { method: "GET", path, evidence: "documented", handler: list },
  {
    method: "GET",
    path: `${path}/{storage}`,
    evidence: "documented",
    handler: () => ["content", "download-url", "status", "upload"].map((subdir) => ({ subdir })),
  },
  {
    method: "GET",
    path: `${path}/{storage}/status`,
    evidence: "observed",
    handler: async ({ parameters }) => {
      const storage = requireStorage(asText(parameters["storage"]));
      if (!storage.enabled)
        throw new ApiError(500, `storage '${storage.id}' is not available on node '${nodeName()}'`);
      return storageState(storage);
    },
  },
];
