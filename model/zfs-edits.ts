import type { VdevSpec } from "./types.ts";

/** What a step on a pool or dataset was, or is to be, given. */
export interface ZfsInput {
  readonly parameters: {
    readonly existing?: boolean;
    readonly vdevs?: readonly VdevSpec[];
    readonly properties?: Readonly<Record<string, string>>;
    readonly filesystemProperties?: Readonly<Record<string, string>>;
  };
  readonly allow?: readonly string[];
}

/** Set when a pool or dataset is made, and never again. */
const atCreation = ["ashift", "casesensitivity", "normalization", "utf8only", "encryption", "keyformat"];

/**
 * What of an edit cannot be, or is not allowed: shrinking, another layout, growth that ZFS cannot undo, properties of
 * the creation. It is known from the two configurations alone, so a preview says it; the script on the node looks at
 * the pool itself and refuses the same.
 */
export function refusedEdits(before: ZfsInput, after: ZfsInput): string[] {
  const [old, now] = [before.parameters, after.parameters];
  if (now.existing === true) return [];
  const fixed = [
    ...fixedProperties(old.properties, now.properties),
    ...fixedProperties(old.filesystemProperties, now.filesystemProperties),
  ];
  if (old.vdevs === undefined || now.vdevs === undefined || old.vdevs.length === 0) return fixed;
  return [...fixed, ...refusedLayout(old.vdevs, now.vdevs, after.allow ?? [])];
}

function fixedProperties(
  before: Readonly<Record<string, string>> = {},
  after: Readonly<Record<string, string>> = {},
): string[] {
  return atCreation
    .filter((name) => after[name] !== undefined && after[name] !== before[name])
    .map((name) => {
      const was = before[name] === undefined ? "was left to ZFS" : `is ${before[name]}`;
      return `${name} ${was} and cannot become ${after[name] ?? ""}: ZFS sets it at creation only`;
    });
}

/** Redundant groups and single disks whose loss is the pool's loss. */
const holdsData = ({ class: name }: VdevSpec): boolean => name === "data" || name === "special";

function refusedLayout(
  before: readonly VdevSpec[],
  after: readonly VdevSpec[],
  allow: readonly string[],
): string[] {
  const refused: string[] = [];
  const need = (word: string, what: string): void => {
    if (!allow.includes(word)) refused.push(`${what} needs "allow": ["${word}"]`);
  };
  const free = [...before];
  const fresh: VdevSpec[] = [];
  for (const group of after) {
    const index = free.findIndex(
      (old) => old.class === group.class && old.disks.some((disk) => group.disks.includes(disk)),
    );
    const [old] = index < 0 ? [] : free.splice(index, 1);
    if (old === undefined) fresh.push(group);
    else refused.push(...refusedGroup(old, group, need));
  }
  for (const old of free.filter(holdsData)) {
    // A group of which no disk is left: its disks were all exchanged, or it is to go.
    const index = fresh.findIndex(
      ({ class: name, kind, disks }) =>
        name === old.class && kind === old.kind && disks.length === old.disks.length,
    );
    const [successor] = index < 0 ? [] : fresh.splice(index, 1);
    if (successor === undefined)
      refused.push(`${words(old)} would be taken out: ZFS pools never shrink here`);
    else need("replace", `replacing ${words(old)} by ${words(successor)}`);
  }
  for (const group of fresh.filter(holdsData)) {
    need("grow", `adding ${words(group)}, which ZFS cannot take out again,`);
  }
  return refused;
}

/** One group that stays, with other disks than before. */
function refusedGroup(old: VdevSpec, group: VdevSpec, need: (word: string, what: string) => void): string[] {
  const gone = old.disks.filter((disk) => !group.disks.includes(disk));
  const more = group.disks.filter((disk) => !old.disks.includes(disk));
  const widens = group.kind === "mirror" && (old.kind === "disk" || old.kind === "mirror");
  if (gone.length > more.length) {
    return [`${gone.join(", ")} would be taken out of ${words(old)}: ZFS pools never shrink here`];
  }
  if (gone.length > 0 && (gone.length < more.length || group.kind !== old.kind)) {
    return [`${words(old)} cannot become ${words(group)} at once: replace disks first, then add`];
  }
  if (gone.length > 0) need("replace", `replacing ${gone.join(", ")} by ${more.join(", ")}`);
  else if (more.length > 0 && widens) return [];
  else if (group.kind !== old.kind) return [`${words(old)} cannot become ${words(group)}`];
  else if (more.length > 0 && group.kind.startsWith("raidz")) {
    need("grow", `widening ${words(old)} by ${more.join(", ")}, which ZFS cannot take out again,`);
  } else if (more.length > 0) return [`${words(old)} cannot become ${words(group)}`];
  return [];
}

function words({ class: name, kind, disks }: VdevSpec): string {
  return `${name === "data" ? "" : `${name} `}${kind} of ${disks.join(" ")}`;
}
