import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { Checkout } from "../end-to-end/checkout.ts";
import { cutUp } from "../end-to-end/cut.ts";
import { changes, nameOf, urns } from "../end-to-end/facts.ts";

export type Json = Record<string, unknown>;

/** A disk of the lab by its stable name. */
export const disk = (n: number): string => `/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_${n}`;

/** A stack that is only a host, on the real engine and a lab of its own. */
export class StackLab {
  readonly room: string;
  readonly checkout: Checkout;
  readonly #stack: string;

  private constructor(stack: string) {
    this.#stack = stack;
    this.room = mkdtempSync(`/var/tmp/phoenix-${stack}-stack-`);
    this.checkout = Checkout.make(this.room);
  }

  /** Brings engine and lab, and makes the stack; its configuration is `host.json`, without containers. */
  static async start(stack: string): Promise<StackLab> {
    const lab = new StackLab(stack);
    const { checkout } = lab;
    writeFileSync(checkout.path("lxc.json"), JSON.stringify({ lxc_configs: {} }));
    lab.configure({});
    mkdirSync(checkout.path(".phoenix/backend"), { recursive: true });
    const script = [
      'node packages/offline-engine/src/main.ts ensure --json >.phoenix/engine.json && node packages/offline-engine/src/main.ts install --home "$PWD/.phoenix/pulumi-home"',
      `bin/phoenix lab up && eval "$(bin/phoenix env)" && pulumi stack init ${stack} --non-interactive`,
      "pulumi config set phoenix:nodeFile .phoenix/lab/node.json",
      "pulumi config set --path 'phoenix:hypervisorFiles[0]' host.json",
      "pulumi config set --path 'phoenix:lxcFiles[0]' lxc.json",
    ].join(" && ");
    const { code, stdout, stderr } = await checkout.shell(
      `set -e; PATH=${join(process.execPath, "..")}:$PATH; ${script}`,
    );
    expect(`${code} ${stdout}${stderr}`).toMatch(/^0 /);
    return lab;
  }

  async stop(): Promise<void> {
    await this.checkout.phoenix("lab", "down");
    rmSync(this.room, { recursive: true, force: true });
  }

  /** @param host the hypervisor file, beside the network that every one has */
  configure(host: Json): void {
    const network = { interfaces: { name: "vmbr0", address: "10.0.0.13/24" } };
    writeFileSync(this.checkout.path("host.json"), JSON.stringify({ network, ...host }));
  }

  async up(): Promise<void> {
    const { code, stdout, stderr } = await this.checkout.phoenix("up", "--yes", "--skip-preview");
    expect(`${code} ${stderr}${code === 0 ? "" : stdout}`).toMatch(/^0 /);
  }

  /**
   * What a preview would do, as "update pool-tank"; without components, which only stand for what is in them, and
   * without the versions of scripts that come with their first user and go with their last. The three steps of a
   * replacement are one.
   */
  async preview(): Promise<string[]> {
    const { code, stdout, stderr } = await this.checkout.pulumi("preview", "--json");
    expect(`${code} ${stderr}${code === 0 ? "" : stdout}`).toMatch(/^0 /);
    const steps = changes(stdout)
      .filter(({ urn }) => !/::phoenix:[^$]*$|phoenix:[A-Za-z:]+::[^:]*$/.test(urn))
      .filter(({ urn }) => !/^\w+\.sh-[0-9a-f]{8}$/.test(nameOf(urn)))
      .map(({ op, urn }) => `${/replace/.test(op) ? "replace" : op} ${nameOf(urn)}`);
    return [...new Set(steps)].sort();
  }

  /** What a preview says that must fail. */
  async refusal(): Promise<string> {
    const { code, stdout, stderr } = await this.checkout.phoenix("preview");
    expect(code, stdout).not.toBe(0);
    return stdout + stderr;
  }

  async restart(): Promise<void> {
    await this.checkout.phoenix("lab", "ssh", "systemctl poweroff");
    const stopped =
      'for i in $(seq 240); do bin/phoenix lab status --json | grep -q \'"state": *"stopped"\' && exit 0; sleep 0.5; done; exit 1';
    expect((await this.checkout.shell(stopped)).code).toBe(0);
    const { code, stderr } = await this.checkout.phoenix("lab", "up");
    expect(`${code} ${stderr}`).toMatch(/^0 /);
  }

  /** Cuts a run once `there` holds on the node, and sees to it that the state does not know `name`. */
  async cutBeforeState(name: string, type: string, there: string): Promise<void> {
    await this.checkout.pulumi("cancel", "--yes");
    const onNode = async (): Promise<boolean> =>
      (await this.checkout.phoenix("lab", "ssh", there)).code === 0;
    const cut = await cutUp(this.checkout, join(this.room, `cut-${name}.jsonl`), onNode);
    expect(cut.ended ? cut.stdout + cut.stderr : "cut").toBe("cut");
    const known = (await urns(this.checkout)).find((urn) => nameOf(urn) === name && urn.includes(type));
    if (known === undefined) return;
    // The engine was faster than the look: then the state forgets it here.
    await this.checkout.pulumi("cancel", "--yes");
    const gone = await this.checkout.pulumi(
      "state",
      "delete",
      "--force",
      "--target-dependents",
      "--yes",
      known,
    );
    expect(`${gone.code} ${gone.stderr}${gone.stdout}`).toMatch(/^0 /);
  }

  /** As a kill leaves it that hits Pulumi while it writes its state. */
  breakSideFile(): void {
    writeFileSync(
      this.checkout.path(`.phoenix/backend/.pulumi/stacks/phoenix/${this.#stack}.json.attrs`),
      "",
    );
  }
}
