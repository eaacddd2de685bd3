import type { Checkout } from "../end-to-end/checkout.ts";
import { quote } from "../end-to-end/checkout.ts";

/** What a node and a running guest say of a container, read without any code of the program. */
export interface Facts {
  /** `pct config`, by key. */
  readonly config: ReadonlyMap<string, string>;
  /** Raw `lxc.*` lines of the live section. */
  readonly raw: readonly string[];
  /** `origin` of its root dataset; `-` for a full copy. */
  readonly origin: string;
  readonly snapshots: string;
  /** Answers of the firewall's API, as JSON. */
  readonly firewall: { readonly options: string; readonly rules: string };
  /** By command; undefined for what does not run, as a template. */
  readonly guest: ReadonlyMap<string, string> | undefined;
}

/** Commands in the guest, by what they are asked for. */
const asked: Readonly<Record<string, string>> = {
  hostname: "hostname",
  addresses: "ip -o address show",
  route: "ip route show default; ip -6 route show default",
  resolver: "cat /etc/resolv.conf",
  uids: "cat /proc/self/uid_map",
  release: "cat /etc/os-release",
  mounts: "findmnt -rno TARGET,OPTIONS",
  owners: "findmnt -rno TARGET | while read -r place; do stat -c '%n %u:%g' \"$place\"; done 2>/dev/null",
  packages: "dpkg-query -W -f '${Package} ${db:Status-Status}\\n'",
  locale: "cat /etc/default/locale 2>/dev/null || true",
  docker: "docker info --format '{{.Driver}}' 2>/dev/null || true",
  listening: "ss -ltnH 2>/dev/null || true",
  devices: "ls -l /dev/nvidia* 2>/dev/null || true",
  driver: "nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | sort -u || true",
};

const mark = "=====";

/** Asks the node once for everything. */
export async function readFacts(checkout: Checkout, ctid: number): Promise<Facts> {
  const firewall = `pvesh get /nodes/$(hostname)/lxc/${ctid}/firewall`;
  const onNode = [
    `pct config ${ctid}`,
    `sed -n '/^\\[/q;/^lxc\\./p' /etc/pve/lxc/${ctid}.conf`,
    `zfs list -H -o name,origin | awk -v id=${ctid} '$1 ~ "(subvol|basevol)-" id "-disk-" { print $2; exit }'`,
    `pct listsnapshot ${ctid}`,
    `${firewall}/options --output-format json`,
    `${firewall}/rules --output-format json`,
    `pct status ${ctid}`,
  ];
  const inside = Object.values(asked).map(
    (command) =>
      `if pct status ${ctid} | grep -q running; then pct exec ${ctid} -- sh -c ${quote(command)}; fi`,
  );
  const text = await checkout.node([...onNode, ...inside].join(`; echo ${mark}; `));
  const answers = text.split(`${mark}\n`);
  const [config = "", raw = "", origin = "", snapshots = "", options = "", rules = "", status = ""] = answers;
  const guest = Object.keys(asked).map((name, i) => [name, answers[onNode.length + i] ?? ""] as const);
  return {
    config: new Map(
      lines(config).map((line) => {
        const [, key = "", value = ""] = /^([^:]+): (.*)$/.exec(line) ?? [];
        return [key, value];
      }),
    ),
    raw: lines(raw),
    origin: origin.trim(),
    snapshots,
    firewall: { options, rules },
    guest: status.includes("running") ? new Map(guest) : undefined,
  };
}

const lines = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");
