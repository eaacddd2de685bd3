import { Hypervisor } from "./components/hypervisor/hypervisor.ts";
import { surveyHost } from "./components/hypervisor/survey.ts";
import { CloneQueue } from "./components/lxc/clone-queue.ts";
import { Container } from "./components/lxc/container.ts";
import { takenBack } from "./components/lxc/recovery.ts";
import { surveyContainers } from "./components/lxc/survey.ts";
import { Template } from "./components/lxc/template.ts";
import { createTarget } from "./components/node/target.ts";
import { tellFailuresPlainly } from "./components/plain-failures.ts";
import { NodeScripts } from "./components/scripts/node-scripts.ts";
import { ScriptReader } from "./components/scripts/script-source.ts";
import { loadConfiguration } from "./configuration.ts";
import { staysBehind as staysBehindOf } from "./model/index.ts";
import { readSettings } from "./settings.ts";

tellFailuresPlainly();

// Any error in any file ends the run here, with nothing registered.
const settings = readSettings();
const reader = new ScriptReader(settings.root);
const { model, recipes: wanted, places } = loadConfiguration(settings, reader);

const target = createTarget(settings);
await surveyHost(target.api, model.host, { node: target.node, root: settings.root });
const all = [...model.templates, ...model.containers];
const { recovered, recipes } = await takenBack(target.api, settings.stack, all, wanted);
const surveys = await surveyContainers(target.api, model.containers, recipes);
const scripts = new NodeScripts("scripts", { target, root: settings.root, reader });
const hypervisor = new Hypervisor("hypervisor", model.host, { target, scripts, places });

const specs = new Map(all.map((spec) => [spec.vmid, spec]));
const clones = new CloneQueue();
const guests = { target, scripts, recipes, specs, surveys, recovered, clones, driver: hypervisor.driver };
const templates = new Map<number, Template>();
for (const spec of model.templates) {
  const parent = spec.source.kind === "clone" ? templates.get(spec.source.vmid) : undefined;
  templates.set(spec.vmid, new Template(spec, guests, parent, { dependsOn: [hypervisor] }));
}

const made = new Map<number, Container>();
let rolledBefore: Container | undefined;
for (const spec of model.containers) {
  const source = spec.source.kind === "clone" ? templates.get(spec.source.vmid) : undefined;
  const before = spec.dependencies.flatMap((vmid) => made.get(vmid) ?? []);
  // Those of an older generation are made anew one by one, each when the one before it is healthy.
  const rolls = spec.roll && surveys.get(spec.vmid)?.older === true;
  const turn = rolls && rolledBefore ? [rolledBefore] : [];
  const dependsOn = [hypervisor, ...(source ? [source] : []), ...before, ...turn];
  const container = new Container(spec, guests, source, { dependsOn });
  made.set(spec.vmid, container);
  if (rolls) rolledBefore = container;
}

export const node = target.node;
/** What `destroy` leaves on the host; `bin/phoenix destroy` says it before it begins. */
export const staysBehind = staysBehindOf(model);
export const gpus = hypervisor.driver?.gpus ?? [];
export const containers = Object.fromEntries(
  model.containers.map(({ vmid, name }) => [
    vmid,
    { hostname: name, address: made.get(vmid)?.address, generation: made.get(vmid)?.generation },
  ]),
);
