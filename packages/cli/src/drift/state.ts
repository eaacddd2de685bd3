import { urnParts } from "../lib/events.ts";
import type { Connection } from "../lib/ssh.ts";

/** A script run that stands in the state: one thing that can be checked, and applied again. */
export interface Run {
  /** Of its resource; what is inherited has none. */
  readonly urn?: string;
  /** Empty for the host. */
  readonly ctid: string;
  readonly feature: string;
  /** The command without its verb. */
  readonly script: string;
  readonly input: string;
  readonly inherited: boolean;
  /** A script without manifest says nothing about its state. */
  readonly checkable: boolean;
}

export interface StackState {
  readonly connection: Connection | undefined;
  /** In the order in which they were made. */
  readonly runs: readonly Run[];
  /** CTIDs of the containers, templates left out. */
  readonly containers: readonly string[];
  /** CTIDs of the templates that containers were cloned from, by the containers' CTIDs. */
  readonly sources: ReadonlyMap<string, string>;
}

interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly delete?: boolean;
  readonly inputs?: Record<string, unknown>;
}

// Pulumi's mark for a secret in an exported state, see sdk/go/common/resource/sig.
const signature = "4dabf18193072939515e22adb298388d";
const secret = "1b47061264138c4ac30d75fd1eb44270";

/** A value of the state with its secrets opened (`--show-secrets`). */
function open(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(open);
  const object = value as Record<string, unknown>;
  if (object[signature] === secret && typeof object["plaintext"] === "string") {
    return open(JSON.parse(object["plaintext"]));
  }
  return Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, open(inner)]));
}

const isLevel0 = (script: string): boolean => script.includes("/lib/run_level0.sh ");

/** Reads the output of `pulumi stack export --show-secrets`. */
export function readState(text: string): StackState {
  const exported = JSON.parse(text) as { deployment?: { resources?: StateResource[] } };
  const runs: Run[] = [];
  const containers: string[] = [];
  const sources = new Map<string, string>();
  let connection: Connection | undefined;
  for (const resource of exported.deployment?.resources ?? []) {
    if (resource.delete) continue;
    const { parents, name } = urnParts(resource.urn);
    if (
      resource.type === "proxmoxve:index/containerLegacy:ContainerLegacy" &&
      !parents.includes("phoenix:lxc:Template")
    ) {
      containers.push(name);
      const { clone } = open(resource.inputs ?? {}) as { clone?: { vmId?: number } };
      if (clone?.vmId !== undefined) sources.set(name, String(clone.vmId));
    }
    if (resource.type !== "command:remote:Command") continue;
    const inputs = open(resource.inputs ?? {}) as {
      create?: string;
      stdin?: string;
      connection?: Connection;
    };
    const { create, stdin } = inputs;
    if (!create?.endsWith(" apply") || stdin === undefined) continue;
    connection ??= inputs.connection;
    const script = create.slice(0, -" apply".length);
    // A sealed template is never changed: that it is there and sealed is all that can be off.
    if (parents.includes("phoenix:lxc:Template") && !script.endsWith("/seal_template.sh")) continue;
    const ctid = ctidOf(stdin);
    const feature = ctid !== "" && name.startsWith(`${ctid}-`) ? name.slice(ctid.length + 1) : name;
    const { urn } = resource;
    runs.push({ urn, ctid, feature, script, input: stdin, inherited: false, checkable: !isLevel0(script) });
  }
  return { connection, runs, containers, sources };
}

function ctidOf(stdin: string): string {
  const { ctid } = JSON.parse(stdin) as { ctid?: number };
  return ctid === undefined ? "" : String(ctid);
}

/** What `seal_template.sh` leaves on the node about a generation. */
interface GenerationRecord {
  readonly features: readonly { readonly name: string; readonly script: string; readonly input: object }[];
}

/** The features that a container has from its template chain, with the script versions of its own generation. */
export function inheritedRuns(
  record: string,
  stack: string,
  ctid: string,
  /** Follows references to secrets. */
  open: (input: object) => unknown = (input) => input,
): Run[] {
  const { features } = JSON.parse(record) as GenerationRecord;
  return features.map(({ name, script, input }) => ({
    ctid,
    feature: name,
    script,
    input: JSON.stringify(open({ ...input, stack, ctid: Number(ctid) })),
    inherited: true,
    checkable: !isLevel0(script),
  }));
}
