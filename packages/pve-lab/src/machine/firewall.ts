import { attempt, run } from "./run.ts";

/** An iptables rule; the comment says whose it is, so that `down` finds every one, also after a cut run. */
export interface Rule {
  readonly table: "nat" | "filter";
  readonly chain: string;
  readonly spec: readonly string[];
}

export interface Forward {
  readonly port: number;
  readonly target: string;
}

/**
 * The rules of one lab on the machine: NAT for its subnet, leave to pass where a foreign policy would drop, and
 * ports on 127.0.0.1 that lead to the node.
 */
export function labRules(bridge: string, subnet: string, forwards: readonly Forward[]): Rule[] {
  return [
    { table: "nat", chain: "POSTROUTING", spec: ["-s", subnet, "!", "-o", bridge, "-j", "MASQUERADE"] },
    { table: "filter", chain: "FORWARD", spec: ["-i", bridge, "-j", "ACCEPT"] },
    { table: "filter", chain: "FORWARD", spec: ["-o", bridge, "-j", "ACCEPT"] },
    ...forwards.map((forward): Rule => ({
      table: "nat",
      chain: "OUTPUT",
      spec: [
        "-d",
        "127.0.0.1/32",
        "-p",
        "tcp",
        "-m",
        "tcp",
        "--dport",
        String(forward.port),
        "-j",
        "DNAT",
        "--to-destination",
        forward.target,
      ],
    })),
    // A packet from 127.0.0.1 must not leave with that address.
    { table: "nat", chain: "POSTROUTING", spec: ["-s", "127.0.0.0/8", "-o", bridge, "-j", "MASQUERADE"] },
  ];
}

export function ruleComment(labId: string): string {
  return `phoenix-lab-${labId}`;
}

/** From `iptables-save` output: the arguments that delete every rule with this comment. */
export function deletions(saved: string, comment: string): string[][] {
  const found: string[][] = [];
  let table = "";
  for (const line of saved.split("\n")) {
    if (line.startsWith("*")) table = line.slice(1).trim();
    if (!line.startsWith("-A ")) continue;
    const words = (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"|"$/g, ""));
    const at = words.indexOf("--comment");
    if (at === -1 || words[at + 1] !== comment) continue;
    found.push(["-t", table, "-D", ...words.slice(1)]);
  }
  return found;
}

/** Ports on 127.0.0.1 that some lab on this machine forwards, with the lab's comment. */
export function forwardedPorts(saved: string): Map<number, string> {
  const ports = new Map<number, string>();
  for (const line of saved.split("\n")) {
    const comment = /--comment "?(phoenix-lab-[0-9a-f]+)"?/.exec(line);
    const port = /--dport (\d+)/.exec(line);
    if (comment !== null && port !== null) ports.set(Number(port[1]), comment[1] ?? "");
  }
  return ports;
}

export async function savedRules(): Promise<string> {
  const result = await attempt("iptables-save", []);
  return result.code === 0 ? result.stdout : "";
}

export async function removeRules(labId: string): Promise<void> {
  for (const args of deletions(await savedRules(), ruleComment(labId)))
    await attempt("iptables", ["--wait", ...args]);
}

export async function applyRules(labId: string, rules: readonly Rule[]): Promise<void> {
  await removeRules(labId);
  for (const rule of rules) {
    const comment = ["-m", "comment", "--comment", ruleComment(labId)];
    const jump = rule.spec.indexOf("-j");
    const spec = [...rule.spec.slice(0, jump), ...comment, ...rule.spec.slice(jump)];
    // Inserted, not appended: a foreign DROP at the end of FORWARD must not come first.
    await run("iptables", ["--wait", "-t", rule.table, "-I", rule.chain, ...spec]);
  }
}
