import { splitList } from "../core/lists.ts";
import { ApiError, type Context } from "../core/route.ts";
import { loadConfig, requireUnlocked, saveConfig, withConfigLock } from "./config-store.ts";
import { optionsOf, textOf, vmidOf } from "./parameters.ts";
import { updateGuestConfig } from "./pending.ts";
import { requireMayChange } from "./permissions.ts";
import { isRunning } from "./process.ts";

const OTHERS = new Set(["node", "vmid", "digest", "delete", "revert"]);

const OPTION =
  /^(?:lock|onboot|startup|template|arch|ostype|console|tty|cores|cpulimit|cpuunits|memory|swap|hostname|description|searchdomain|nameserver|timezone|rootfs|parent|snaptime|cmode|protection|unprivileged|features|hookscript|tags|debug|entrypoint|env|(?:net|mp|dev|unused)\d+)$/;

/** PUT /nodes/{node}/lxc/{vmid}/config */
export async function updateGuest(context: Context): Promise<null> {
  const { parameters } = context;
  const vmid = vmidOf(parameters);
  const set = optionsOf(parameters, OTHERS);
  const remove = splitList(parameters["delete"]);
  const revert = splitList(parameters["revert"]);
  if (Object.keys(set).length + remove.length + revert.length === 0)
    throw new ApiError(500, "no options specified");
  if (set["cpuunits"] !== undefined)
    set["cpuunits"] = String(Math.min(10000, Math.max(1, Number(set["cpuunits"]))));
  await withConfigLock(vmid, async () => {
    const config = loadConfig(vmid);
    requireUnlocked(config);
    const digest = textOf(parameters, "digest");
    if (digest !== undefined && digest !== config.digest)
      throw new ApiError(500, "detected modified configuration - file changed by other user? Try again.");
    checkLists(set, remove, revert);
    const unprivileged = config.values["unprivileged"] === "1";
    requireMayChange(context, {
      vmid,
      before: config.values,
      set,
      remove: [...remove, ...revert],
      unprivileged,
    });
    const errors = await updateGuestConfig(vmid, config, { set, remove, revert }, isRunning(vmid));
    if (Object.keys(errors).length > 0) throw new ApiError(400, "Parameter verification failed.", errors);
    saveConfig(vmid, config);
  });
  return null;
}

/** @throws ApiError 400 for an unknown option, or one that is set and deleted at once */
function checkLists(
  set: Readonly<Record<string, string>>,
  remove: readonly string[],
  revert: readonly string[],
): void {
  const fail = (key: string, message: string) => {
    throw new ApiError(400, "Parameter verification failed.", { [key]: message });
  };
  for (const [list, keys] of [
    ["revert", revert],
    ["delete", remove],
  ] as const)
    for (const key of keys) {
      if (!OPTION.test(key)) fail(list, `unknown option '${key}'`);
      if (set[key] !== undefined)
        fail(
          list,
          `you can't use '-${key}' and ${list === "delete" ? "" : "'"}-${list} ${key}' at the same time`,
        );
      if (list === "delete" && revert.includes(key))
        fail("delete", `you can't use '-delete ${key}' and '-revert ${key}' at the same time`);
    }
}
