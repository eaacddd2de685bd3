import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

/** A resource as the program registers it: what the engine would be asked for. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  readonly options: pulumi.CustomResourceOptions;
}

const NODE = {
  name: "pve",
  endpoint: "https://192.0.2.1:8006/",
  ssh: { host: "192.0.2.1", port: 22, user: "root", hostKey: "ssh-ed25519 AAAATEST" },
};

/**
 * Runs the whole program against mocks and returns what it registers.
 * @param files the configuration files of the stack, relative to the repository
 */
export async function runProgram(files: { hypervisor: string[]; lxc: string[] }): Promise<Registered[]> {
  const registered: Registered[] = [];
  const nodeFile = join(mkdtempSync(join(tmpdir(), "phoenix-components-")), "node.json");
  writeFileSync(nodeFile, JSON.stringify(NODE));
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => ({
        id: `${name}-id`,
        state: { ...(inputs as object), stdout: type },
      }),
      call: ({ inputs }) => inputs as Record<string, unknown>,
    },
    "phoenix",
    "dev",
    false,
  );
  acceptHooks();
  pulumi.runtime.setAllConfig({
    "phoenix:nodeFile": nodeFile,
    "phoenix:hypervisorFiles": JSON.stringify(files.hypervisor),
    "phoenix:lxcFiles": JSON.stringify(files.lxc),
  });
  await pulumi.runtime.runInPulumiStack(async () => {
    pulumi.runtime.registerStackTransformation(({ type, name, props, opts }) => {
      registered.push({ type, name, inputs: props, options: opts });
      return undefined;
    });
    return { ...((await import("../../index.ts")) as object) };
  });
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
