/** What `pct config` says of whose a guest is: the first line of its description, see components/lxc/mark.ts. */
export interface Mark {
  readonly line: string;
  /** What it was made from. */
  readonly recipe: string;
}

/** The mark, if it is this stack's and this guest's own: Proxmox VE copies descriptions on clone. */
export function markIn(pctConfig: string, stack: string, ctid: string): Mark | undefined {
  const encoded = /^description: (.*)$/m.exec(pctConfig)?.[1] ?? "";
  const [line = ""] = decodeURIComponent(encoded.replace(/%(?![0-9A-Fa-f]{2})/g, "%25")).split("\n");
  const found = /^phoenix stack=(\S+) vmid=(\d+) incarnation=[0-9a-f]{16} recipe=(\S+)$/.exec(line);
  const [, owner, vmid, recipe] = found ?? [];
  return owner === stack && vmid === ctid && recipe !== undefined ? { line, recipe } : undefined;
}
