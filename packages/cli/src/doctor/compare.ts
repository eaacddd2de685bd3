import type { ContainerSpec } from "../../../../model/index.ts";
import { missingRights, neededRights } from "../access/privileges.ts";
import type { Permissions } from "../access/privileges.ts";
import { compareDisks } from "./compare-disks.ts";
import { compareGpus } from "./compare-gpus.ts";
import type { NodeFacts } from "./facts.ts";
import { error, size, warning } from "./problem.ts";
import type { Problem } from "./problem.ts";
import type { Wanted } from "./wanted.ts";

/** What of the configuration will not work on this node, with the remedy; pure. */
export function compare(wanted: Wanted, facts: NodeFacts): Problem[] {
  return [
    ...compareHost(wanted, facts),
    ...compareDisks(wanted, facts),
    ...compareStorages(wanted, facts),
    ...compareGuests(wanted, facts),
    ...compareHardware(wanted, facts),
    ...compareGpus(wanted, facts),
  ];
}

const served = [8, 9];

function compareHost({ node, model }: Wanted, facts: NodeFacts): Problem[] {
  const problems: Problem[] = [];
  const release = /^pve-manager\/(\d+)\./.exec(facts.version)?.[1];
  if (release === undefined) {
    problems.push(error("this is no Proxmox VE: `pveversion` says nothing", "check phoenix:sshHost"));
  } else if (!served.includes(Number(release))) {
    problems.push(error(`Proxmox VE ${release} is not served`, `upgrade the node to ${served.join(" or ")}`));
  }
  if (facts.userId !== 0) {
    problems.push(
      error("the SSH user is not root, and the scripts need root", "pulumi config set phoenix:sshUser root"),
    );
  }
  if (facts.hostname !== node) {
    problems.push(
      error(
        `the node's name is '${facts.hostname}', the stack says '${node}'`,
        `pulumi config set phoenix:node ${facts.hostname}`,
      ),
    );
  }
  const { address, bridge } = model.host;
  if (!facts.bridges.includes(bridge)) {
    problems.push(
      error(
        `there is no bridge ${bridge}; there ${are(facts.bridges)}`,
        "network.interfaces.name in the hypervisor file, or make the bridge on the node",
      ),
    );
  } else if (!facts.addresses.some((one) => one.device === bridge && one.address === address)) {
    const has = facts.addresses.filter(({ device }) => device === bridge).map((one) => one.address);
    problems.push(
      warning(
        `${bridge} has ${has.join(", ") || "no address"}, the configuration says ${address}`,
        "network.interfaces.address in the hypervisor file",
      ),
    );
  }
  for (const { mount, freeBytes } of facts.space) {
    if (freeBytes >= 1024 ** 3) continue;
    problems.push(warning(`${mount} has only ${size(freeBytes)} free`, "make room on the node"));
  }
  return problems;
}

const are = (names: readonly string[]): string =>
  names.length === 0 ? "is none" : `${names.length === 1 ? "is" : "are"} ${names.join(", ")}`;

function compareStorages({ model, ownStorages }: Wanted, facts: NodeFacts): Problem[] {
  const problems: Problem[] = [];
  for (const { id, type, existing, content, dataset, path } of model.host.storages) {
    const found = facts.storages.find((storage) => storage.id === id);
    if (existing) {
      if (!found) {
        const there = facts.storages.map((storage) => storage.id);
        problems.push(
          error(
            `the storage ${id} is declared existing and is not there; there ${are(there)}`,
            "storages in the hypervisor file",
          ),
        );
      } else if (found.type !== type) {
        problems.push(
          error(
            `the storage ${id} is of type ${found.type}, declared is ${type}`,
            "storages in the hypervisor file",
          ),
        );
      } else if (!found.active) {
        problems.push(error(`the storage ${id} is not active`, "pvesm status on the node says more"));
      } else {
        const lacking = content.filter((kind) => !found.content.includes(kind));
        if (lacking.length > 0)
          problems.push(
            error(
              `the storage ${id} cannot hold ${lacking.join(", ")}`,
              `on the node: pvesm set ${id} --content ${[...found.content, ...lacking].join(",")}`,
            ),
          );
      }
    } else if (found && !ownStorages.has(id)) {
      const same = found.type === type && found.place === (dataset ?? path);
      problems.push(
        error(
          `the storage ${id} is there already (${found.type} ${found.place})`,
          same
            ? `declare it "existing": true, or take it away first: pvesm remove ${id} (its data stays)`
            : "give it another name in the hypervisor file",
        ),
      );
    }
  }
  return problems;
}

function compareGuests({ stack, model }: Wanted, facts: NodeFacts): Problem[] {
  const problems: Problem[] = [];
  for (const { vmid, name } of [...model.templates, ...model.containers]) {
    const found = facts.guests.find((guest) => guest.vmid === vmid);
    if (!found || found.stack === stack) continue;
    const whose = found.stack === undefined ? "not made by Phoenix" : `of stack '${found.stack}'`;
    problems.push(
      error(
        `CT ${vmid} (${name}): the number is taken by the ${found.kind} '${found.name}', ${whose}`,
        found.kind === "container" && found.stack === undefined
          ? "another CTID in the container file; or take the guest into the state: `bin/phoenix preview` gives the `pulumi import` command"
          : "another CTID in the container file",
      ),
    );
  }
  const wanted = new Set(
    [...model.templates, ...model.containers].flatMap(({ network }) => network.map(({ bridge }) => bridge)),
  );
  wanted.delete(model.host.bridge);
  for (const bridge of wanted) {
    if (facts.bridges.includes(bridge)) continue;
    problems.push(
      error(
        `there is no bridge ${bridge}; there ${are(facts.bridges)}`,
        "network_config in the container file, or make the bridge on the node",
      ),
    );
  }
  return problems;
}

/** A volume of a template is shared by its clones only where they are linked: full ones take their own room. */
const ownGigabytes = ({ source, rootfs }: ContainerSpec): number =>
  source.kind === "clone" && source.mode === "linked" ? 0 : rootfs.sizeGb;

function compareHardware({ model }: Wanted, facts: NodeFacts): Problem[] {
  const problems: Problem[] = [];
  const { containers, templates } = model;
  const memory = containers.reduce((sum, { memoryMb }) => sum + memoryMb, 0) * 1024 ** 2;
  if (memory > facts.memoryBytes) {
    problems.push(
      warning(
        `the containers may use ${size(memory)} of memory together, the node has ${size(facts.memoryBytes)}`,
        "memory_mb in the container file",
      ),
    );
  }
  for (const { vmid, cores } of [...templates, ...containers]) {
    if (cores > facts.processors)
      problems.push(
        warning(
          `CT ${vmid} wants ${cores} cores, the node has ${facts.processors}`,
          "cores in the container file",
        ),
      );
  }
  for (const { id, existing } of model.host.storages) {
    const found = facts.storages.find((storage) => storage.id === id);
    if (!existing || !found?.active) continue;
    const guests = [...templates, ...containers].filter(
      ({ vmid, rootfs }) => rootfs.storage === id && !facts.guests.some((guest) => guest.vmid === vmid),
    );
    const need = guests.reduce((sum, guest) => sum + ownGigabytes(guest), 0) * 1024 ** 3;
    if (need > found.freeBytes) {
      problems.push(
        warning(
          `root file systems of up to ${size(need)} go to the storage ${id}, which has ${size(found.freeBytes)} free`,
          "storage_size_gb or storage_pool in the container file",
        ),
      );
    }
  }
  return problems;
}

/** What the API token may not do that the configuration needs; pure. */
export function compareRights({ stack, node, model }: Wanted, has: Permissions): Problem[] {
  return [...missingRights(neededRights(model, node), has)].map(([privilege, paths]) =>
    error(
      `the API token lacks ${privilege} on ${paths.length > 3 ? `${paths.slice(0, 3).join(", ")} and ${paths.length - 3} more` : paths.join(", ")}`,
      `bin/phoenix access --stack ${stack}`,
    ),
  );
}
