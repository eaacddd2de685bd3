import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheRoot, locked } from "./cache.ts";
import { run, tail } from "./command.ts";
import { Failure } from "./failure.ts";
import { goSources, pluginFolder, pluginProgram, plugins, pulumiVersion, type Part } from "./pins.ts";
import { say, seconds, step } from "./say.ts";
import { toolchain, type Toolchain } from "./toolchain.ts";

/** What modules, compiled packages and programs take at most, in GiB: 3 were measured. */
const room = 5;

const own = "phoenix/offline-engine/plugins";
const sdkVersion = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${pulumiVersion}`;

/** Fills a folder by compiling from the Go module proxy. @throws Failure with the compiler's last words. */
export async function build(part: Part, folder: string): Promise<void> {
  const disk = statfsSync(cacheRoot());
  if ((disk.bavail * disk.bsize) / 2 ** 30 < room) {
    throw new Failure(
      `building the engine needs ${room} GiB free in ${cacheRoot()}: free some, or set PHOENIX_CACHE`,
    );
  }
  const go = await toolchain();
  await working(go, async () => {
    const compile = compilerFor(go);
    if (part === "engine") await buildEngine(compile, folder);
    else await buildPlugins(compile, folder);
  });
}

type Compile = (
  what: string,
  module: "cli" | "plugins",
  output: string,
  target: string,
  flags: Flags,
) => Promise<void>;

interface Flags {
  /** Version and the like, for the linker. */
  readonly link: string;
  /** Files that the compiler is to see in place of those in the sources. */
  readonly overlay?: string;
}

async function buildEngine(compile: Compile, folder: string): Promise<void> {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const cli = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
  await compile(`pulumi ${pulumiVersion}`, "cli", join(bin, "pulumi"), cli, { link: sdkVersion });
  const host = "pulumi-language-nodejs";
  await compile(`language host nodejs ${pulumiVersion}`, "plugins", join(bin, host), `./cmd/${host}`, {
    link: sdkVersion,
  });
}

async function buildPlugins(compile: Compile, folder: string): Promise<void> {
  for (const plugin of plugins) {
    const output = join(folder, "plugins", pluginFolder(plugin), pluginProgram(plugin));
    mkdirSync(join(output, ".."), { recursive: true });
    const target = `./cmd/${pluginProgram(plugin)}`;
    const flags =
      plugin.name === "proxmoxve" ? await proxmoxveFlags(compile, plugin.version, folder) : undefined;
    await compile(`plugin ${plugin.name} ${plugin.version}`, "plugins", output, target, {
      link: `${sdkVersion} -X main.Version=${plugin.version}`,
      ...flags?.flags,
    });
    if (flags) rmSync(flags.folder, { recursive: true });
  }
}

/** The bridged plugin embeds its schema, which the bridge's own generator writes from the Terraform provider. */
async function proxmoxveFlags(
  compile: Compile,
  version: string,
  within: string,
): Promise<{ flags: Flags; folder: string }> {
  const folder = mkdtempSync(join(within, "schema-"));
  const link = `${sdkVersion} -X ${own}/proxmoxve.Version=${version}`;
  const generator = join(folder, "generate");
  await compile("schema generator of proxmoxve", "plugins", generator, "./cmd/proxmoxve-schema", { link });
  const result = await run(generator, ["schema", "--out", folder, "--skip-docs", "--skip-examples"], {
    cwd: folder,
  });
  if (result.code !== 0)
    throw new Failure(`the schema of proxmoxve cannot be generated:\n${tail(result.stderr)}`);
  const placeholders = join(goSources, "plugins", "cmd", "pulumi-resource-proxmoxve");
  const overlay = join(folder, "overlay.json");
  const replace = ["schema.json", "bridge-metadata.json"].map((name) => [
    join(placeholders, name),
    join(folder, name),
  ]);
  writeFileSync(overlay, JSON.stringify({ Replace: Object.fromEntries(replace) as unknown }));
  return { flags: { link, overlay }, folder };
}

/** Runs `work`, which uses the working folders of a Go that was brought, while nobody else does or clears them. */
export async function working<T>(go: Toolchain, work: () => Promise<T>): Promise<T> {
  return go.brought ? locked(`${workOf()}.lock`, work) : work();
}

/** Throws away what a Go that was brought needed while it worked: gigabytes. */
export async function discardWork(): Promise<void> {
  if (!existsSync(workOf())) return;
  await locked(`${workOf()}.lock`, () => rm(workOf(), { recursive: true, force: true }));
}

const workOf = () => join(cacheRoot(), "go-work");

const goFlags = "-mod=readonly -trimpath -buildvcs=false";

/** The environment in which Go compiles reproducibly and leaves the machine as it was. */
export function goEnvironment(go: Toolchain): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    CGO_ENABLED: "0",
    GOFLAGS: goFlags,
    GOTOOLCHAIN: "local",
    GOWORK: "off",
  };
  if (go.brought) {
    // A machine without Go gets no ~/go either; without write protection, so that it can be thrown away.
    env["GOPATH"] = join(workOf(), "path");
    env["GOCACHE"] = join(workOf(), "build");
    env["GOFLAGS"] = `${goFlags} -modcacherw`;
  }
  return env;
}

function compilerFor(go: Toolchain): Compile {
  const env = goEnvironment(go);
  return async (what, module, output, target, flags) => {
    const args = ["build", "-ldflags", `-s -w ${flags.link}`, "-o", output];
    if (flags.overlay) args.push("-overlay", flags.overlay);
    const compileOnce = () =>
      run("nice", [go.program, ...args, target], { cwd: join(goSources, module), env });
    const begun = Date.now();
    let result = await step(`${what}: compiling`, compileOnce);
    if (result.code !== 0 && fetchFailed(result.stderr)) {
      say(`  ${what}: a module could not be fetched, trying once more`);
      result = await step(`${what}: compiling`, compileOnce);
    }
    if (result.code !== 0) throw new Failure(`${what} cannot be built:\n${tail(result.stderr)}`);
    say(`✓ ${what} (built, ${seconds(begun)} s)`);
  };
}

/** Whether a build failed because of the network and not of the sources. */
function fetchFailed(stderr: string): boolean {
  return /timeout|connection re(set|fused)|unexpected EOF|TLS handshake|: 5\d\d /i.test(stderr);
}
