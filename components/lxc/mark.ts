/**
 * The mark: the first line of a guest's description, which says whose the guest is. PVE copies descriptions on
 * clone, so a mark counts only on the guest whose vmid it names.
 */
export interface Mark {
  readonly stack: string;
  readonly vmid: number;
  /** Random, written once when the guest is made: a new guest under the same vmid has another one. */
  readonly incarnation: string;
  /** Digest of the recipe: a template's own, or that of the template which a container was cloned from. */
  readonly recipe: string;
}

const FORM =
  /^phoenix stack=([A-Za-z0-9_.-]+) vmid=([0-9]+) incarnation=([0-9a-f]{16}) recipe=([0-9a-f]+|-)$/;

export function formatMark({ stack, vmid, incarnation, recipe }: Mark): string {
  return `phoenix stack=${stack} vmid=${vmid} incarnation=${incarnation} recipe=${recipe}`;
}

/** The mark in a description, or undefined where there is none or it is another guest's. */
export function readMark(description: string | undefined, vmid: number): Mark | undefined {
  const [, stack, id, incarnation, recipe] = FORM.exec((description ?? "").split("\n", 1)[0] ?? "") ?? [];
  if (!stack || !incarnation || !recipe || Number(id) !== vmid) return undefined;
  return { stack, vmid, incarnation, recipe };
}
