import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { NodeConnection } from "../../settings.ts";

/** Which stacks have noted on the node that a thing is theirs; see `feature_claim_storage.sh`. */
export interface Claims {
  /**
   * @param thing `STORAGE`, or `STORAGE:FILE` for an image
   * @throws Error where the node cannot be asked: what cannot be read must never look like nobody's
   */
  ownersOf(thing: string): Promise<string[]>;
}

/** Reads the notes over SSH, as the person's agent allows; asked only where something is in the way. */
export class NodeClaims implements Claims {
  readonly #ssh: NodeConnection["ssh"];

  constructor(ssh: NodeConnection["ssh"]) {
    this.#ssh = ssh;
  }

  async ownersOf(thing: string): Promise<string[]> {
    // All of them are asked for: nothing of the configuration goes into a shell's text.
    const found = await this.#run("grep -lxs ours /var/lib/phoenix/*/claims/* || true");
    return found.split("\n").flatMap((path) => {
      const [stack = "", , name] = path.split("/").slice(4);
      return name === thing ? [stack] : [];
    });
  }

  async #run(command: string): Promise<string> {
    const { host, port, user, hostKey } = this.#ssh;
    const room = mkdtempSync(join(tmpdir(), "phoenix-claims-"));
    try {
      const known = join(room, "known_hosts");
      writeFileSync(known, `phoenix-node ${hostKey}\n`);
      const options = [
        "BatchMode=yes",
        "ConnectTimeout=30",
        `UserKnownHostsFile=${known}`,
        "HostKeyAlias=phoenix-node",
        "StrictHostKeyChecking=yes",
      ];
      const args = [
        ...options.flatMap((option) => ["-o", option]),
        "-p",
        `${port}`,
        `${user}@${host}`,
        command,
      ];
      return (await promisify(execFile)("ssh", args)).stdout;
    } catch (error) {
      throw new Error(`the node's notes on its storages cannot be read by ssh: ${said(error)}`, {
        cause: error,
      });
    } finally {
      rmSync(room, { recursive: true, force: true });
    }
  }
}

function said(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr ?? "").trim().split("\n").at(-1) || message;
}
