import type { Checkout } from "./checkout.ts";

/** What must be the same after a cut and continued run as after an uninterrupted one. */
export interface StackFacts {
  readonly configs: Record<string, string[]>;
  readonly datasets: string[];
  readonly urns: string[];
  readonly outputs: unknown;
}

/** Random by design: each new guest gets a mark and a MAC of its own. */
const random: [RegExp, string][] = [
  [/incarnation=[0-9a-f]{16}|incarnation%3D[0-9a-f]{16}/gi, "incarnation=…"],
  [/hwaddr=[0-9A-F:]{17}/gi, "hwaddr=…"],
];

const tidy = (line: string): string => random.reduce((text, [what, by]) => text.replace(what, by), line);

const lines = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");

export async function stackFacts(checkout: Checkout): Promise<StackFacts> {
  const guests = lines(await checkout.node("pct list"))
    .slice(1)
    .map((line) => line.trim().split(/\s+/)[0] ?? "");
  const configs: Record<string, string[]> = {};
  for (const ctid of guests)
    configs[ctid] = lines(await checkout.node(`pct config ${ctid}`))
      .map(tidy)
      .sort();
  const properties = "type,mountpoint,refquota,origin,phoenix:stack";
  const datasets = lines(
    await checkout.node(`zfs get -rHp -o name,property,value ${properties} quickOS`),
  ).sort();
  return { configs, datasets, urns: await urns(checkout), outputs: await outputs(checkout) };
}

interface Exported {
  readonly deployment: { readonly resources?: readonly { readonly urn: string }[] };
}

export async function urns(checkout: Checkout): Promise<string[]> {
  const { code, stdout, stderr } = await checkout.pulumi("stack", "export");
  if (code !== 0) throw new Error(`pulumi stack export: ${code}\n${stderr}`);
  return ((JSON.parse(stdout) as Exported).deployment.resources ?? []).map(({ urn }) => urn).sort();
}

export async function outputs(checkout: Checkout): Promise<unknown> {
  return JSON.parse((await checkout.pulumi("stack", "output", "--json")).stdout) as unknown;
}

/** Everything on the node that a stack may have touched, as text; without the node's own keys, which reset makes anew. */
export function nodeDump(checkout: Checkout): Promise<string> {
  return checkout.node(
    [
      'cd /etc/pve && find . -type f ! -name "pve-ssl.*" ! -name authkey.key | sort | while read -r file; do echo "== $file"; cat "$file"; done',
      "echo == pools; zpool get all; zfs get all",
      "echo == storage; pvesm status | awk '{print $1, $2, $3}'",
      "echo == scripts; find /var/lib/phoenix 2>/dev/null | sort",
      'echo == disks; for disk in /dev/disk/by-id/scsi-PHOENIX*; do echo "$disk $(blkid -p -s TYPE -o value "$disk" || echo blank)"; done',
    ].join("\n"),
  );
}

interface PreviewStep {
  readonly op: string;
  readonly urn: string;
}

/** The steps of `pulumi preview --json` that do something. */
export function changes(json: string): PreviewStep[] {
  const { steps } = JSON.parse(json) as { steps: PreviewStep[] };
  return steps.filter(({ op }) => op !== "same" && op !== "read").map(({ op, urn }) => ({ op, urn }));
}

export const nameOf = (urn: string): string => urn.split("::").at(-1) ?? "";
