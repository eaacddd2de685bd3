import type * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test } from "vitest";
import { IGNORED } from "../../components/lxc/guest.ts";
import { known, type Registered, runProgram } from "./harness.ts";

let resources: Registered[];
beforeAll(async () => {
  resources = await runProgram({
    hypervisor: ["etc/phoenix_hypervisor_config.json", "etc/dev/hypervisor.json"],
    lxc: ["etc/phoenix_lxc_configs.json", "etc/dev/lxc.json"],
  });
});

const COMMAND = "command:remote:Command";
const GUEST = "proxmoxve:index/containerLegacy:ContainerLegacy";

function find(type: string, name: string): Registered {
  const found = resources.find((resource) => resource.type === type && resource.name === name);
  if (!found)
    throw new Error(`no ${type} ${name} among ${resources.map((r) => `${r.type} ${r.name}`).join(", ")}`);
  return found;
}

const guest = (vmid: number): Registered => find(GUEST, `${vmid}`);
const dependencies = ({ options }: Registered): unknown[] => [options.dependsOn].flat();
const names = (list: unknown[]): unknown[] =>
  list.map(
    (one) =>
      (one as { __name?: string }).__name ?? (one as { constructor: { name: string } }).constructor.name,
  );

describe("the tree reads like the machine", () => {
  test("components carry the table's tokens and the names of the configuration", () => {
    const components = resources
      .filter(({ type }) => type.startsWith("phoenix:"))
      .map(({ type, name }) => `${type} ${name}`);
    expect(components).toEqual([
      "phoenix:NodeScripts scripts",
      "phoenix:hypervisor:Hypervisor hypervisor",
      "phoenix:hypervisor:ZfsPool quickOS",
      "phoenix:Feature pool-quickOS",
      "phoenix:hypervisor:ZfsDataset quickOS/lxc-disks",
      "phoenix:Feature dataset-quickOS/lxc-disks",
      "phoenix:hypervisor:ZfsDataset quickOS/shared-iso",
      "phoenix:Feature dataset-quickOS/shared-iso",
      "phoenix:hypervisor:Storage quickOS-lxc-disks",
      "phoenix:Feature claim-quickOS-lxc-disks",
      "phoenix:hypervisor:Storage quickOS-shared-iso",
      "phoenix:Feature claim-quickOS-shared-iso",
      "phoenix:hypervisor:OsTemplate debian-12",
      "phoenix:Feature claim-image-debian-12",
      "phoenix:lxc:Template 900",
      "phoenix:Feature 900-base_setup",
      "phoenix:lxc:Template 902",
      "phoenix:Feature 902-docker",
      "phoenix:lxc:Container 910",
      "phoenix:Feature 910-serve_page",
    ]);
  });

  test("components have no inputs of their own, or an edit would show as their update", () => {
    for (const { type, inputs } of resources) if (type.startsWith("phoenix:")) expect(inputs).toEqual({});
  });
});

describe("everything with a fixed identity is deleted before it is replaced", () => {
  test("all custom resources but the provider", () => {
    const custom = resources.filter(
      ({ type }) => !type.startsWith("phoenix:") && !type.startsWith("pulumi:"),
    );
    expect(custom.length).toBeGreaterThan(15);
    expect(
      custom.filter(({ options }) => options.deleteBeforeReplace !== true).map(({ name }) => name),
    ).toEqual([]);
  });
});

describe("guests", () => {
  test("the description is the mark, random and ignored", async () => {
    for (const vmid of [900, 902, 910]) {
      const { inputs, options } = guest(vmid);
      expect(inputs["description"]).toMatch(
        new RegExp(`^phoenix stack=dev vmid=${vmid} incarnation=[0-9a-f]{16} recipe=[0-9a-f]+$`),
      );
      // Without `allow` a run never makes a container anew, even where no preview has refused it.
      const replacing = vmid === 910 ? ["clone", "unprivileged", "nodeName"] : [];
      expect(options.ignoreChanges).toEqual([...IGNORED, ...replacing]);
      // The guard; a clone stands in line after it.
      expect(options.hooks?.beforeCreate).toHaveLength(vmid === 900 ? 1 : 2);
      expect(options.hooks?.afterCreate ?? []).toHaveLength(vmid === 900 ? 0 : 1);
      expect(options.hooks?.onError).toHaveLength(1);
      expect(await known(inputs["started"])).toBe(false);
    }
  });

  test("900 comes from the OS template", () => {
    const { inputs } = guest(900);
    expect(inputs["operatingSystem"]).toMatchObject({
      templateFileId: expect.stringContaining(":vztmpl/") as string,
    });
    expect(inputs["clone"]).toBeUndefined();
  });

  test("template → template: an output and replaceOnChanges, so that children go first", () => {
    const { inputs, options } = guest(902);
    const clone = inputs["clone"] as { vmId: pulumi.Output<number>; full: boolean };
    expect(typeof clone.vmId).toBe("object");
    expect(clone.full).toBe(false);
    expect(options.replaceOnChanges).toEqual(["clone"]);
    expect(options.replacementTrigger).toMatch(/^[0-9a-f]+$/);
  });

  test("template → container: a plain number, so that a rebuild cannot reach it", () => {
    const { inputs, options } = guest(910);
    expect((inputs["clone"] as { vmId: unknown }).vmId).toBe(902);
    expect(options.replaceOnChanges).toBeUndefined();
    expect(options.replacementTrigger).toBeUndefined();
  });

  test("a clone declares its source's disk, no operating system and no account", () => {
    for (const vmid of [902, 910]) {
      const { inputs } = guest(vmid);
      expect(inputs["disk"]).toEqual({ datastoreId: "quickOS-lxc-disks", size: 4 });
      expect(inputs["operatingSystem"]).toBeUndefined();
      expect((inputs["initialization"] as Record<string, unknown>)["userAccount"]).toBeUndefined();
      expect(inputs["networkInterfaces"]).toHaveLength(1);
    }
  });
});

describe("commands", () => {
  const commands = (): Registered[] => resources.filter(({ type }) => type === COMMAND);

  test("nothing of the configuration stands in a command line", () => {
    const lines = commands().flatMap(({ inputs }) => [inputs["create"], inputs["update"], inputs["delete"]]);
    for (const line of lines.filter((line) => line !== undefined)) {
      expect(line).toMatch(
        /^(perl - (create|remove|receive|drop)|\/var\/lib\/phoenix\/dev\/scripts\/[0-9a-f]{16}\/[a-z0-9_]+\.sh (apply|remove))$/,
      );
    }
  });

  test("the connection is the same everywhere, checks the host key and holds no key", async () => {
    const connections = await Promise.all(commands().map(({ inputs }) => known(inputs["connection"])));
    for (const connection of connections) {
      expect(connection).toEqual({
        host: "192.0.2.1",
        port: 22,
        user: "root",
        hostKey: "ssh-ed25519 AAAATEST",
        dialErrorLimit: 20,
        perDialTimeout: 30,
      });
    }
  });

  test("the output of one run is not given to the next", () => {
    for (const { inputs } of commands()) expect(inputs["addPreviousOutputInEnv"]).toBe(false);
  });

  test("a guest's steps run again for a new guest, and are not undone in one that goes", async () => {
    const steps = commands().filter(({ name }) => /^9[0-9]{2}-/.test(name));
    expect(steps.map(({ name }) => name)).toEqual([
      "900-settings",
      "900-base_setup",
      "900-seal",
      "902-settings",
      "902-docker",
      "902-seal",
      "910-settings",
      "910-serve_page",
    ]);
    for (const { name, inputs, options } of steps) {
      const vmid = name.slice(0, 3);
      expect(await known((inputs["triggers"] as pulumi.Input<string>[])[0])).toBe(
        guest(Number(vmid)).inputs["description"],
      );
      expect(options.deletedWith).toBeDefined();
      expect(JSON.parse(inputs["stdin"] as string)).toMatchObject({ stack: "dev", ctid: Number(vmid) });
    }
  });

  test("only templates' steps know a recipe: a container's must not change with its template", () => {
    const recipe = (name: string): unknown =>
      (JSON.parse(find(COMMAND, name).inputs["stdin"] as string) as { recipe?: string }).recipe;
    expect(recipe("902-docker")).toMatch(/^[0-9a-f]+$/);
    expect(recipe("910-settings")).toBeUndefined();
    expect(recipe("910-serve_page")).toBeUndefined();
  });

  test("the seal records the features of the whole chain", () => {
    const { parameters } = JSON.parse(find(COMMAND, "902-seal").inputs["stdin"] as string) as {
      parameters: { record: { vmid: number; features: { name: string; script: string }[] } };
    };
    expect(parameters.record.vmid).toBe(902);
    expect(parameters.record.features.map(({ name }) => name)).toEqual(["base_setup", "docker"]);
  });

  test("each script travels once, and whatever runs it waits for it", () => {
    const uploads = commands().filter(({ inputs }) => inputs["create"] === "perl - receive");
    expect(new Set(uploads.map(({ name }) => name)).size).toBe(uploads.length);
    for (const step of commands().filter(({ inputs }) => String(inputs["create"]).endsWith(" apply"))) {
      expect(dependencies(step).length, names(dependencies(step)).join()).toBeGreaterThan(0);
    }
  });
});

describe("storages", () => {
  test("a local directory is not said to be shared", () => {
    expect(find("proxmoxve:storage/directory:Directory", "quickOS-shared-iso").inputs).toMatchObject({
      path: "/quickOS/shared-iso",
      shared: false,
    });
  });

  test("a refresh does not ask the image's server again", () => {
    expect(find("proxmoxve:download/file:File", "debian-12").inputs).toMatchObject({ overwrite: false });
  });
});
