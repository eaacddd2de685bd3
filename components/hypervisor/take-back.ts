import type { Claims } from "../node/claims.ts";
import { PveApiError, type PveApi } from "../node/pve-api.ts";

/** What is asked of the node. */
export interface Looks {
  readonly api: Pick<PveApi, "call" | "node">;
  readonly claims: Claims;
}

interface Asked {
  readonly stack: string;
  /** `FILE:LINE:COLUMN` of the configuration. */
  readonly place: string | undefined;
}

/** A storage that is about to be registered. */
export interface AskedStorage extends Asked {
  readonly id: string;
  readonly type: string;
}

/** An image that is about to be downloaded or uploaded. */
export interface AskedImage extends Asked {
  readonly name: string;
  readonly storage: string;
  readonly fileName: string;
}

interface Definition {
  readonly storage: string;
  readonly type: string;
}

/**
 * Runs before a storage is registered. One of that name without this stack's note is refused. One with it is the rest
 * of a run that was cut off before Pulumi's state was written (or is about to be replaced): its registration, and
 * nothing else, is taken away, so that it can be made anew; what lies in the storage is not touched by that.
 * @param dryRun only look
 * @throws Error that says where it stands in the configuration and which ways there are
 */
export async function takeBackStorage(
  { api, claims }: Looks,
  { id, type, stack, place }: AskedStorage,
  dryRun: boolean,
): Promise<void> {
  const there = (await definitions(api)).find(({ storage }) => storage === id);
  if (there === undefined) return;
  const owners = await claims.ownersOf(id);
  if (!owners.includes(stack)) {
    throw new Error(
      `${at(place)}a storage '${id}' (${there.type}) is on the node already, ${whose(owners, stack)}; nothing was touched. ` +
        `To use it as it is, declare it in \`storages\` with "existing": true; else give this one another id. ` +
        `If it is a registration that nobody needs: pvesm remove ${id}   (what lies in it stays)`,
    );
  }
  if (there.type !== type) {
    throw new Error(
      `${at(place)}the storage '${id}' is of type ${there.type} and cannot become ${type} in one run; nothing was touched. ` +
        `Take it out of the configuration for one run, or give it another id`,
    );
  }
  if (!dryRun) await api.call("DELETE", `/storage/${encodeURIComponent(id)}`);
}

/**
 * Runs before an image is brought: the provider would write over one of that name. The rest of a cut run is brought
 * anew; any other is refused.
 * @throws Error that says where it stands in the configuration and which ways there are
 */
export async function refuseForeignImage(
  { api, claims }: Looks,
  { name, storage, fileName, stack, place }: AskedImage,
): Promise<void> {
  const volid = `${storage}:vztmpl/${fileName}`;
  if (!(await imagesOf(api, storage)).includes(volid)) return;
  const owners = await claims.ownersOf(`${storage}:${fileName}`);
  if (owners.includes(stack)) return;
  throw new Error(
    `${at(place)}the image ${volid} of the OS template '${name}' is on the node already, ${whose(owners, stack)}; nothing was touched. ` +
      `To use it as it is, add "existing": true there; else give it another storage or file name, or remove it: pvesm free ${volid}`,
  );
}

async function definitions(api: Looks["api"]): Promise<Definition[]> {
  return (await api.call("GET", "/storage")) as Definition[];
}

/** The images that a storage shows; of one that is not there, or not ready, none. */
export async function imagesOf(api: Looks["api"], storage: string): Promise<string[]> {
  if (!(await definitions(api)).some((there) => there.storage === storage)) return [];
  try {
    const path = `/nodes/${api.node}/storage/${encodeURIComponent(storage)}/content?content=vztmpl`;
    return ((await api.call("GET", path)) as { volid: string }[]).map(({ volid }) => volid);
  } catch (error) {
    // A storage that is not ready yet holds nothing that could be written over.
    if (error instanceof PveApiError) return [];
    throw error;
  }
}

const at = (place: string | undefined): string => (place === undefined ? "" : `${place}: `);

function whose(owners: readonly string[], stack: string): string {
  const [other] = owners;
  return other === undefined
    ? `and stack '${stack}' did not make it`
    : `and it is stack '${other}' that made it`;
}
