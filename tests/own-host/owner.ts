import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { Checkout, collect } from "../end-to-end/checkout.ts";
import type { Result } from "../end-to-end/checkout.ts";
import { Shell } from "./shell.ts";

interface Facts {
  readonly address: string;
  readonly ssh: { readonly keyFile: string };
}

/** A line of the lab's request log. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string | readonly string[]>>;
  readonly status: number;
  readonly identity?: string;
}

/**
 * Somebody who owns a node: a clone, a Pulumi of their own, a key that the node's root accepts, and its address.
 * The node is a lab of its own from which everything is taken away that a lab has and iron has not.
 */
export class Owner {
  readonly checkout: Checkout;
  readonly address: string;
  readonly #room: string;
  readonly #variables: NodeJS.ProcessEnv;
  readonly #kept: boolean;

  private constructor(
    room: string,
    kept: boolean,
    checkout: Checkout,
    address: string,
    variables: NodeJS.ProcessEnv,
  ) {
    this.#room = room;
    this.#kept = kept;
    this.checkout = checkout;
    this.address = address;
    this.#variables = variables;
  }

  /** PHOENIX_OWNER_ROOM names a folder that is kept with its lab: for work on these tests. */
  static async arrive(): Promise<Owner> {
    const kept = process.env["PHOENIX_OWNER_ROOM"];
    const room = kept ?? mkdtempSync("/var/tmp/phoenix-owner-");
    for (const part of ["checkout", "home"]) rmSync(join(room, part), { recursive: true, force: true });
    const checkout = Checkout.make(room);
    const lab = (...args: string[]) =>
      run(checkout, ["packages/pve-lab/src/main.ts", "--state", join(room, "iron"), ...args]);
    await good(lab("up", "--quiet"));
    if (kept !== undefined) await good(lab("reset"));
    const facts = JSON.parse(readFileSync(join(room, "iron/node.json"), "utf8")) as Facts;
    await good(lab("ssh", "pveum user delete phoenix@pve && pveum role delete Phoenix"));

    mkdirSync(join(checkout.home, ".ssh"), { recursive: true, mode: 0o700 });
    cpSync(facts.ssh.keyFile, join(checkout.home, ".ssh/id_ed25519"));
    const engine = JSON.parse(
      (await good(run(checkout, ["packages/offline-engine/src/main.ts", "ensure", "--json"]))).stdout,
    ) as { bin: string };
    await good(
      run(checkout, [
        "packages/offline-engine/src/main.ts",
        "install",
        "--home",
        join(checkout.home, ".pulumi"),
      ]),
    );
    const variables = {
      ...checkout.environment,
      PATH: `${engine.bin}:${process.env["PATH"] ?? ""}`,
      // Pulumi takes a person's home from the user's entry, not from HOME: whoever runs the tests keeps theirs.
      PULUMI_HOME: join(checkout.home, ".pulumi"),
      PULUMI_CONFIG_PASSPHRASE: "the owner's own",
      PULUMI_SKIP_CONFIRMATIONS: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    return new Owner(room, kept !== undefined, checkout, facts.address, variables);
  }

  /** A fresh terminal in the clone. */
  terminal(more: NodeJS.ProcessEnv = {}): Shell {
    return new Shell(this.checkout.directory, { ...this.#variables, ...more });
  }

  /** A command on the node's own console. */
  async console(command: string): Promise<string> {
    const args = ["packages/pve-lab/src/main.ts", "--state", join(this.#room, "iron"), "ssh", command];
    return (await good(run(this.checkout, args))).stdout;
  }

  /** Everything on the node that somebody could have changed, and each request that its API got, with the login's name. */
  async nodeDump(): Promise<string> {
    return this.console(
      [
        "find /etc /root /usr/local /var/lib /boot /opt -xdev -type f ! -path '*/tasks/*' -printf '%p %s %T@ %m\\n' | sort",
        "zpool list -H -o name,guid; zfs list -H -t all -o name,creation",
        "for disk in /dev/disk/by-id/*; do head -c 1M $disk | sha256sum; done",
      ].join("; "),
    );
  }

  /** What the API was asked since the call before. */
  async requests(): Promise<LoggedRequest[]> {
    const text = await this.console(
      "cat /var/log/pve-lab/requests.jsonl && : >/var/log/pve-lab/requests.jsonl",
    );
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as LoggedRequest);
  }

  /** Asks the API with a token; status and reason of the answer. */
  ask(token: string, { method, path, parameters }: LoggedRequest): Promise<string> {
    const form = new URLSearchParams();
    for (const [key, said] of Object.entries(parameters)) {
      // A key that came more than once is on record with all its values.
      for (const value of [said].flat())
        if (!path.includes(`/${value}/`) && !path.endsWith(`/${value}`)) form.append(key, value);
    }
    const inQuery = method === "GET";
    const url = `https://${this.address}:8006/api2/json${path}${inQuery ? `?${form.toString()}` : ""}`;
    const headers = {
      authorization: `PVEAPIToken=${token}`,
      ...(inQuery ? {} : { "content-type": "application/x-www-form-urlencoded" }),
    };
    return new Promise((resolve, reject) => {
      const call = request(url, { method, headers, rejectUnauthorized: false }, (response) => {
        response.resume();
        resolve(`${response.statusCode ?? 0} ${response.statusMessage ?? ""}`);
      });
      call.on("error", reject);
      call.end(inQuery ? undefined : form.toString());
    });
  }

  file(name: string): string {
    return join(this.checkout.home, "lab", name);
  }

  edit(name: string, change: (value: Record<string, unknown>) => unknown): void {
    const value = JSON.parse(readFileSync(this.file(name), "utf8")) as Record<string, unknown>;
    writeFileSync(this.file(name), JSON.stringify(change(value), null, 2));
  }

  async leave(): Promise<void> {
    if (this.#kept) return;
    await run(this.checkout, ["packages/pve-lab/src/main.ts", "--state", join(this.#room, "iron"), "down"]);
    rmSync(this.#room, { recursive: true, force: true });
  }
}

const run = (checkout: Checkout, args: readonly string[]): Promise<Result> =>
  collect(checkout.start(process.execPath, args));

async function good(result: Promise<Result>): Promise<Result> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}${stderr}`);
  return { code, stdout, stderr };
}
