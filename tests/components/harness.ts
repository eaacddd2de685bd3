import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { vi } from "vitest";
import { PveApi, PveApiError } from "../../components/node/pve-api.ts";

/** A resource as the program registers it: what the engine would be asked for. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  readonly options: pulumi.CustomResourceOptions;
}

/** What the stack names, relative to the repository or absolute. */
export interface StackFiles {
  readonly hypervisor: string[];
  readonly lxc: string[];
  /** Folders. */
  readonly features?: string[];
  /** What the node's API answers; without it there is no guest. */
  readonly node?: (path: string) => unknown;
  /** Encrypted values of the stack's configuration, by name. */
  readonly secrets?: Readonly<Record<string, string>>;
}

let programs = 0;

/** One for all programs of a process; hundreds of folders would stay behind otherwise. */
const room = mkdtempSync(join(tmpdir(), "phoenix-components-"));
process.on("exit", () => rmSync(room, { recursive: true, force: true }));
const nodeFile = join(room, "node.json");

const NODE = {
  name: "pve",
  endpoint: "https://192.0.2.1:8006/",
  ssh: { host: "192.0.2.1", port: 22, user: "root", hostKey: "ssh-ed25519 AAAATEST" },
};

/** What the driver step says of a node with two GPUs, of which the first has the second device node. */
const GPUS = JSON.stringify({
  version: "580.76.05",
  gpus: [1, 0].map((minor, index) => ({
    index,
    uuid: `GPU-${index}`,
    pci: `0000:0${index + 1}:00.0`,
    name: "Card",
    devices: [{ path: `/dev/nvidia${minor}`, numbers: `195:${minor}` }],
  })),
  devices: ["/dev/nvidiactl", "/dev/nvidia-uvm"].map((path) => ({ path, numbers: "195:255" })),
});

writeFileSync(nodeFile, JSON.stringify(NODE));

/**
 * Runs the whole program against mocks and returns what it registers.
 * @param registered filled as it goes, so that it can be looked at where the program fails
 */
export async function runProgram(files: StackFiles, registered: Registered[] = []): Promise<Registered[]> {
  let failure: Error | undefined;
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => ({
        id: `${name}-id`,
        state: { ...(inputs as object), stdout: name === "nvidia-driver-install" ? GPUS : type },
      }),
      call: ({ inputs }) => inputs as Record<string, unknown>,
    },
    "phoenix",
    "dev",
    false,
  );
  acceptHooks();
  vi.spyOn(PveApi.prototype, "call").mockImplementation((_, path) => {
    const free = path.startsWith("/cluster/nextid") ? "free" : undefined;
    const version = path === "/version" ? { version: "9.1.1" } : undefined;
    const answer = files.node?.(path) ?? version ?? free;
    return answer === undefined
      ? Promise.reject(new PveApiError(500, "does not exist"))
      : Promise.resolve(answer);
  });
  const secrets = Object.entries(files.secrets ?? {}).map(([name, value]) => [`phoenix:${name}`, value]);
  const secretKeys = secrets.map(([key]) => key ?? "");
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(secretKeys); // as the language host hands it on
  pulumi.runtime.setAllConfig(
    {
      "phoenix:nodeFile": nodeFile,
      "phoenix:hypervisorFiles": JSON.stringify(files.hypervisor),
      "phoenix:lxcFiles": JSON.stringify(files.lxc),
      "phoenix:featureFolders": JSON.stringify(files.features ?? []),
      ...(Object.fromEntries(secrets) as Record<string, string>),
    },
    secretKeys,
  );
  await pulumi.runtime.runInPulumiStack(async () => {
    pulumi.runtime.registerStackTransformation(({ type, name, props, opts }) => {
      registered.push({ type, name, inputs: props, options: opts });
      return undefined;
    });
    // The program is what its module does when it is loaded; the query makes it a module of its own each time.
    programs += 1;
    try {
      return { ...((await import(/* @vite-ignore */ `../../index.ts?${programs}`)) as object) };
    } catch (error) {
      failure = error as Error; // the SDK's stack would also reject promises that nobody waits for
      return {};
    }
  });
  await pulumi.runtime.disconnect(); // what is still on its way must not reach the next program's mocks
  if (failure !== undefined) throw failure;
  return registered;
}

/** The SDK's mock monitor (3.259.0) has no answer to the registration of hooks; the engine's is an empty one. */
function acceptHooks(): void {
  const accept = (_: unknown, answer: (error: null, response: object) => void): void => answer(null, {});
  Object.assign(pulumi.runtime.getMonitor() ?? {}, {
    registerResourceHook: accept,
    registerErrorHook: accept,
  });
}

/** Waits for a value that may be an output. */
export async function known<T>(value: pulumi.Input<T> | undefined): Promise<T | undefined> {
  return await new Promise((resolve) => pulumi.output(value).apply((v) => resolve(v as T | undefined)));
}
