import type { Model } from "../../../../model/index.ts";
import type { NodeStep, RunSteps } from "../drift/node.ts";
import { Failure } from "../lib/failure.ts";
import { markIn } from "../lib/mark.ts";

/** What stands on the node of what the configuration names. */
export interface Standing {
  /** Marks by CTID, of the guests that carry this stack's. */
  readonly marks: ReadonlyMap<number, string>;
  /** Guests under configured CTIDs that are not this stack's. */
  readonly foreign: readonly number[];
  /** Registered, with the node's note that this stack made them. */
  readonly storages: readonly string[];
  /** Registered under a configured id, without such a note. */
  readonly foreignStorages: readonly string[];
}

/** Looks only. @throws Failure where the node does not answer */
export async function survey(run: RunSteps, stack: string, model: Model): Promise<Standing> {
  const specs = [...model.templates, ...model.containers];
  const step = (id: string, command: string): NodeStep => ({ id, command });
  const answers = await run([
    [step("storages", "pvesh get /storage --output-format json")],
    // See feature_claim_storage.sh.
    [step("notes", "grep -lxs ours /var/lib/phoenix/*/claims/* || true")],
    [step("guests", "pvesh get /cluster/resources --type vm --output-format json")],
    ...specs.map(({ vmid }) => [step(String(vmid), `pct config ${vmid}`)]),
  ]);
  const json = (id: string): unknown => {
    const { code, stdout, stderr } = answers.get(id) ?? { code: 1, stdout: "", stderr: "no answer" };
    if (code !== 0) throw new Failure(`the node does not say which ${id} it has: ${stderr.trim()}`);
    return JSON.parse(stdout);
  };
  const marks = new Map<number, string>();
  for (const { vmid } of specs) {
    const mark = markIn(answers.get(String(vmid))?.stdout ?? "", stack, String(vmid));
    if (mark !== undefined) marks.set(vmid, mark.line);
  }
  const there = new Set((json("guests") as { vmid: number }[]).map(({ vmid }) => vmid));
  const registered = (json("storages") as { storage: string }[]).map(({ storage }) => storage);
  const noted = (answers.get("notes")?.stdout ?? "")
    .split("\n")
    .flatMap((path) => (path.split("/")[4] === stack ? [path.split("/")[6] ?? ""] : []));
  const storages = model.host.storages
    .filter(({ existing, id }) => !existing && registered.includes(id))
    .map(({ id }) => id);
  return {
    marks,
    foreign: specs.map(({ vmid }) => vmid).filter((vmid) => there.has(vmid) && !marks.has(vmid)),
    storages: storages.filter((id) => noted.includes(id)),
    foreignStorages: storages.filter((id) => !noted.includes(id)),
  };
}
