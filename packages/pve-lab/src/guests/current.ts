import { ApiError } from "../core/route.ts";
import { drop, type GuestConfig, type Section } from "./config-file.ts";
import { pendingDeletes } from "./pending.ts";

const NUMBERS = new Set(["cores", "memory", "swap", "tty", "cpuunits", "snaptime"]);
const FLAGS = new Set(["console", "onboot", "protection", "template", "unprivileged", "debug"]);

/** An option's text as JSON value: whole numbers as numbers, flags as bare 0 and 1, `cpulimit` as a text (PVE::LXC::Config::check_type). */
export function jsonValue(key: string, text: string): string | number {
  return NUMBERS.has(key) || FLAGS.has(key) ? Number(text) : text;
}

function render(section: Section, digest: string): Record<string, unknown> {
  const answer: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(section.values)) answer[key] = jsonValue(key, value);
  if (section.description !== undefined) answer["description"] = section.description;
  if (section.lxc.length > 0) answer["lxc"] = section.lxc;
  answer["digest"] = digest;
  return answer;
}

/**
 * What GET …/config answers.
 * @param current without waiting changes
 */
export function configAnswer(config: GuestConfig, current: boolean): Record<string, unknown> {
  if (current) return render(config, config.digest);
  const values = { ...config.values, ...config.pending.values };
  delete values["delete"];
  const description = config.pending.description ?? config.description;
  const merged: Section = { values, lxc: config.lxc, ...(description === undefined ? {} : { description }) };
  for (const key of pendingDeletes(config)) {
    drop(merged.values, key);
    if (key === "description") delete merged.description;
  }
  return render(merged, config.digest);
}

/** @throws ApiError 500 `snapshot 'x' does not exist` */
export function snapshotAnswer(config: GuestConfig, name: string): Record<string, unknown> {
  const snapshot = config.snapshots[name];
  if (!snapshot) throw new ApiError(500, `snapshot '${name}' does not exist`);
  return render(snapshot, config.digest);
}

/** What GET …/pending answers: per option the value, the waiting one, and whether it is to be removed. */
export function pendingAnswer(config: GuestConfig): Record<string, unknown>[] {
  const deletes = new Set(pendingDeletes(config));
  const current = configAnswer(config, true);
  const keys = new Set([...Object.keys(current), ...Object.keys(config.pending.values)]);
  if (config.pending.description !== undefined) keys.add("description");
  keys.delete("delete");
  return [...keys].sort().map((key) => {
    const waiting = key === "description" ? config.pending.description : config.pending.values[key];
    return {
      key,
      ...(current[key] === undefined ? {} : { value: current[key] }),
      ...(waiting === undefined ? {} : { pending: jsonValue(key, waiting) }),
      ...(deletes.has(key) ? { delete: 1 } : {}),
    };
  });
}
