import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { root } from "./run-script.ts";
import type { Outcome } from "./run-script.ts";

interface NodeFacts {
  readonly ssh: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly hostKey: string;
    readonly keyFile: string;
  };
}

const lab = join(root, "packages/pve-lab/src/main.ts");
/** Where the scripts lie on the node. */
const scripts = "/root/phoenix-scripts";

/** A node with the scripts on it: the one that PHOENIX_TEST_NODE_JSON names (fresh, disks blank), or a lab of its own. */
export class LabNode {
  readonly #facts: NodeFacts;
  readonly #state: string | undefined;

  private constructor(facts: NodeFacts, state: string | undefined) {
    this.#facts = facts;
    this.#state = state;
  }

  /** @param options for `lab up` */
  static async start(options: readonly string[] = []): Promise<LabNode> {
    const given = process.env["PHOENIX_TEST_NODE_JSON"];
    let state: string | undefined;
    if (given === undefined) {
      state = mkdtempSync(join(tmpdir(), "phoenix-scripts-lab-"));
      const up = spawnSync(process.execPath, [lab, "--state", state, "up", ...options], { encoding: "utf8" });
      if (up.status !== 0) throw new Error(`lab up: ${up.stdout}${up.stderr}`);
    }
    const facts = JSON.parse(readFileSync(given ?? join(state ?? "", "node.json"), "utf8")) as NodeFacts;
    const node = new LabNode(facts, state);
    const tar = spawnSync("tar", ["-C", join(root, "bin"), "-cf", "-", "lib", "lxc", "hypervisor"]).stdout;
    await node.good(`mkdir -p ${scripts} && tar -xf - -C ${scripts}`, tar);
    return node;
  }

  stop(): void {
    if (this.#state === undefined) return;
    spawnSync(process.execPath, [lab, "--state", this.#state, "down"]);
    rmSync(this.#state, { recursive: true, force: true });
  }

  /** One command line on the node. */
  shell(line: string, input: string | Buffer = ""): Promise<Outcome> {
    const { host, port, user, keyFile } = this.#facts.ssh;
    const options = [
      "StrictHostKeyChecking=no",
      "UserKnownHostsFile=/dev/null",
      "LogLevel=ERROR",
      "IdentitiesOnly=yes",
    ];
    const args = [
      "-p",
      `${port}`,
      "-i",
      keyFile,
      ...options.flatMap((option) => ["-o", option]),
      `${user}@${host}`,
      line,
    ];
    return new Promise((resolve, reject) => {
      const child = spawn("ssh", args);
      let stdout = "";
      let stderr = "";
      child.stdout.setEncoding("utf8").on("data", (piece: string) => (stdout += piece));
      child.stderr.setEncoding("utf8").on("data", (piece: string) => (stderr += piece));
      child.on("error", reject);
      child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
      child.stdin.on("error", () => undefined); // a command that does not read its input is no fault
      child.stdin.end(input);
    });
  }

  /** The same, which must succeed; its trimmed output. */
  async good(line: string, input?: string | Buffer): Promise<string> {
    const { code, stdout, stderr } = await this.shell(line, input);
    expect(`${code} ${stderr}`, line).toMatch(/^0 /);
    return stdout.trim();
  }

  run(script: string, verb: string, document: object): Promise<Outcome> {
    return this.shell(`${scripts}/${script} ${verb}`, JSON.stringify(document));
  }

  /** The reasons of a check that must find some. */
  async reasons(script: string, document: object): Promise<string[]> {
    const { code, stdout, stderr } = await this.run(script, "check", document);
    expect(`${code} ${stderr}`).toMatch(/^10 /);
    return stdout.trim().split("\n");
  }

  async clean(script: string, document: object): Promise<void> {
    expect(await this.run(script, "check", document)).toEqual({ code: 0, stdout: "", stderr: "" });
  }

  /** Twice, with a check before, between and after. Returns the reasons of the first. */
  async converge(script: string, document: object): Promise<string[]> {
    const reasons = await this.reasons(script, document);
    for (const time of ["first", "again"]) {
      const { code, stderr } = await this.run(script, "apply", document);
      expect(`${code} ${stderr}`, `${script}, the ${time} time`).toMatch(/^0 /);
      await this.clean(script, document);
    }
    return reasons;
  }

  /** The exit code and message of a call that must fail. */
  async fails(script: string, verb: string, document: object): Promise<string> {
    const { code, stderr } = await this.run(script, verb, document);
    expect(code, stderr).not.toBe(0);
    return `${code} ${stderr}`;
  }
}
