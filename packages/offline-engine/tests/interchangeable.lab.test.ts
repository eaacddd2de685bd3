import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../src/command.ts";
import { install } from "../src/install.ts";
import { plugins } from "../src/pins.ts";
import { provide } from "../src/provide.ts";
import { resourceOf, type Schema } from "./schema-shape.ts";
import { replaceOnChanges, resourceOfSdk, tokensOfSdk } from "./sdk-shape.ts";

const resolve = createRequire(import.meta.url).resolve;
const sdks: { [plugin: string]: string } = {
  command: dirname(resolve("@pulumi/command/package.json")),
  proxmoxve: dirname(resolve("@muhlba91/pulumi-proxmoxve/package.json")),
};

/** Every resource that Phoenix uses: plugin, module of the SDK, class. */
const used = [
  ["command", "local/command", "Command"],
  ["command", "remote/command", "Command"],
  ["proxmoxve", "provider", "Provider"],
  ["proxmoxve", "containerLegacy", "ContainerLegacy"],
  ["proxmoxve", "storage/zfspool", "Zfspool"],
  ["proxmoxve", "storage/directory", "Directory"],
  ["proxmoxve", "storage/nfs", "Nfs"],
  ["proxmoxve", "fileLegacy", "FileLegacy"],
  ["proxmoxve", "download/file", "File"],
] as const;

describe("plugins are interchangeable: what is installed is what the npm SDKs talk to", () => {
  const home = mkdtempSync(join(tmpdir(), "phoenix-plugins-"));
  const schemas: { [plugin: string]: Schema } = {};

  beforeAll(async () => {
    const engine = await provide("engine");
    install((await provide("plugins")).folder, home);
    for (const { name, version } of plugins) {
      const { code, stdout, stderr } = await run(
        join(engine.folder, "pulumi"),
        ["package", "get-schema", `${name}@${version}`],
        { cwd: home, env: { ...process.env, PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" } },
      );
      expect(code, stderr).toBe(0);
      schemas[name] = JSON.parse(stdout) as Schema;
    }
  }, 600_000);

  afterAll(() => rmSync(home, { recursive: true }));

  const schemaOf = (plugin: string): Schema => {
    const schema = schemas[plugin];
    if (!schema) throw new Error(`no schema of ${plugin}`);
    return schema;
  };

  for (const [plugin, module, name] of used) {
    describe(`${plugin} ${module}`, () => {
      const sdk = resourceOfSdk(sdks[plugin] ?? "", module, name);
      const installed = () => resourceOf(schemaOf(plugin), sdk.token);

      it("has the SDK's inputs, their types and which are required", () => {
        expect(Object.keys(sdk.inputs).length).toBeGreaterThan(5);
        expect(installed().inputs).toEqual(sdk.inputs);
      });
      it("has the SDK's outputs, their types and which are always there", () => {
        expect(Object.keys(sdk.outputs).length).toBeGreaterThan(5);
        expect(installed().outputs).toEqual(sdk.outputs);
      });
      it("has the SDK's secrets", () => {
        const { secretInputs, secretOutputs } = installed();
        expect({ secretInputs, secretOutputs }).toEqual({
          secretInputs: sdk.secretInputs,
          secretOutputs: sdk.secretOutputs,
        });
      });
      it("has the SDK's defaults", () => {
        expect(installed().defaults).toEqual(sdk.defaults);
      });
    });
  }

  it("secrets were found where they are known to be", () => {
    expect(resourceOfSdk(sdks["command"] ?? "", "remote/command", "Command").secretInputs).toEqual([
      "connection",
    ]);
    expect(resourceOfSdk(sdks["proxmoxve"] ?? "", "provider", "Provider").secretOutputs).toContain(
      "apiToken",
    );
  });

  it("the commands' triggers replace by the SDK's own word, whichever plugin is there", () => {
    for (const module of ["local/command", "remote/command"]) {
      expect(replaceOnChanges(sdks["command"] ?? "", module)).toEqual(["triggers[*]"]);
    }
  });

  it("the versions are those that the SDKs ask for", async () => {
    for (const { name, version } of plugins) {
      const manifest = JSON.parse(readFileSync(join(sdks[name] ?? "", "package.json"), "utf8")) as {
        pulumi: { name: string; version: string };
      };
      expect(manifest.pulumi).toMatchObject({ name, version });
      // A bridged plugin's schema has no version; its program then says it.
      const program = join(home, "plugins", `resource-${name}-v${version}`, `pulumi-resource-${name}`);
      const said = schemaOf(name).version ?? (await run(program, ["--version"])).stdout.trim();
      expect(said.replace(/^v/, "")).toBe(version);
    }
  });

  it("proxmoxve has every resource of the SDK, and no other", () => {
    const folder = sdks["proxmoxve"] ?? "";
    const scripts = globSync("**/*.js", { cwd: folder }).map((file) =>
      readFileSync(join(folder, file), "utf8"),
    );
    const tokens = tokensOfSdk(scripts);
    expect(tokens.length).toBeGreaterThan(100);
    expect(Object.keys(schemaOf("proxmoxve").resources).sort()).toEqual(tokens);
  });
});
