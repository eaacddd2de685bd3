import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { run } from "../src/command.ts";
import { download } from "../src/official.ts";
import { home as packageFolder, pluginFolder, plugins, pulumiVersion } from "../src/pins.ts";

const main = join(packageFolder, "src/main.ts");
const cpu = process.arch === "x64" ? "amd64" : "arm64";

/** A stand-in for the host of the releases: the same paths, tiny programs. */
class Releases {
  readonly files = new Map<string, Buffer>();
  readonly asked: string[] = [];
  /** What becomes of an answer: all of it, none at all, its first half and then nothing, or then the end. */
  manner: (path: string) => "whole" | "silent" | "stalls" | "breaks" = () => "whole";
  private server: Server | undefined;

  async start(): Promise<string> {
    this.server = createServer((request, response) => {
      this.asked.push(request.url ?? "");
      const file = this.files.get(request.url ?? "");
      const manner = this.manner(request.url ?? "");
      if (manner === "silent") return;
      if (manner === "whole" || !file) {
        response.writeHead(file ? 200 : 404).end(file);
        return;
      }
      response.writeHead(200, { "content-length": file.length });
      response.write(file.subarray(0, file.length / 2), () => {
        if (manner === "breaks") response.destroy();
      });
    });
    await new Promise<void>((resolve) => this.server?.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  /** Adds an archive with its checksum list. */
  add(base: string, archive: string, list: string, programs: string[], folder = "."): void {
    const room = mkdtempSync(join(tmpdir(), "phoenix-release-"));
    mkdirSync(join(room, folder), { recursive: true });
    for (const program of programs) {
      writeFileSync(join(room, folder, program), `#!/bin/sh\necho v${pulumiVersion}\n`, { mode: 0o755 });
    }
    const entries = folder === "." ? programs : [folder];
    const content = execFileSync("tar", ["-cz", "-C", room, ...entries]);
    rmSync(room, { recursive: true });
    const sum = createHash("sha256").update(content).digest("hex");
    this.files.set(`${base}/${archive}`, content);
    this.files.set(`${base}/${list}`, Buffer.from(`${"0".repeat(64)}  other.tar.gz\n${sum}  ${archive}\n`));
  }

  addAll(): void {
    const system = `${process.platform}-${process.arch}`;
    this.add(
      `/pulumi/pulumi/releases/download/v${pulumiVersion}`,
      `pulumi-v${pulumiVersion}-${system}.tar.gz`,
      `pulumi-${pulumiVersion}-checksums.txt`,
      ["pulumi", "pulumi-language-nodejs"],
      "pulumi",
    );
    for (const { name, version, repository } of plugins) {
      this.add(
        `/${repository}/releases/download/v${version}`,
        `pulumi-resource-${name}-v${version}-${process.platform}-${cpu}.tar.gz`,
        `${repository.split("/")[1]}_${version}_checksums.txt`,
        [`pulumi-resource-${name}`],
      );
    }
  }
}

describe("official releases come before building", () => {
  let room: string;
  let releases: Releases;
  let environment: NodeJS.ProcessEnv;

  beforeEach(async () => {
    room = mkdtempSync(join(tmpdir(), "phoenix-official-"));
    releases = new Releases();
    environment = {
      PATH: `${join(room, "bin")}:/usr/bin:/bin`,
      HOME: room,
      PHOENIX_CACHE: join(room, "cache"),
      PHOENIX_RELEASES: await releases.start(),
    };
    // No Go and no Python here: what falls through to building fails at once, in one line, instead of building.
    mkdirSync(join(room, "bin"));
    for (const name of ["go", "python3"])
      writeFileSync(join(room, "bin", name), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  });

  afterEach(async () => {
    await releases.stop();
    rmSync(room, { recursive: true, force: true });
  });

  const call = (...args: string[]) => run(process.execPath, [main, ...args], { env: environment, cwd: room });

  it("takes CLI, language host and plugins from there, once", async () => {
    releases.addAll();
    const first = await call("ensure", "--json");
    expect(first.stderr).toContain(`✓ pulumi ${pulumiVersion} (official release`);
    expect(first.stderr).toContain("✓ plugin proxmoxve 8.6.0 (official release");
    const found = JSON.parse(first.stdout) as { bin: string; plugins: string; origin: string };
    expect(found.origin).toBe("official");
    expect(readdirSync(found.bin).sort()).toEqual(["pulumi", "pulumi-language-nodejs"]);
    expect(readdirSync(found.plugins).sort()).toEqual(plugins.map(pluginFolder).sort());
    expect(execFileSync(join(found.bin, "pulumi"), { encoding: "utf8" })).toBe(`v${pulumiVersion}\n`);

    const asked = releases.asked.length;
    expect(asked).toBe(6);
    const second = await call("ensure", "--json");
    expect(second.stdout).toBe(first.stdout);
    expect(releases.asked.length).toBe(asked);
  });

  it("links them into a Pulumi home, and doctor says that they are official", async () => {
    releases.addAll();
    const home = join(room, "home");
    await call("ensure");
    expect((await call("install", "--home", home)).code).toBe(0);
    expect((await call("install", "--home", home)).code).toBe(0);
    const doctor = await call("doctor", "--json", "--home", home);
    const findings = JSON.parse(doctor.stdout) as { name: string; state: string; program: string }[];
    expect(findings.map(({ name, state }) => `${name} ${state}`)).toEqual([
      "pulumi official",
      "pulumi-language-nodejs official",
      "command official",
      "proxmoxve official",
    ]);
    expect(findings[3]?.program.startsWith(home)).toBe(true);
  });

  it("leaves a plugin alone that was installed there for real", async () => {
    releases.addAll();
    const real = join(room, "home/plugins/resource-command-v1.2.1/pulumi-resource-command");
    mkdirSync(join(real, ".."), { recursive: true });
    writeFileSync(real, "theirs");
    expect((await call("install", "--home", join(room, "home"))).code).toBe(0);
    expect(readFileSync(real, "utf8")).toBe("theirs");
    expect((await call("doctor", "--home", join(room, "home"))).stdout).toContain("command 1.2.1: your own");
  });

  it("refuses an archive that is not what its checksum says, and leaves nothing of it", async () => {
    releases.addAll();
    const archive = [...releases.files.keys()].find((name) => name.includes("/pulumi-v"));
    releases.files.set(archive ?? "", Buffer.from("something else"));
    const { code, stderr, stdout } = await call("ensure", "--json");
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("is not what its checksum says: refused");
    expect(readdirSync(join(room, "cache")).filter((name) => !name.endsWith(".lock"))).toEqual([]);
  });

  it("says why there is no release, and then in one line what building needs", async () => {
    const { code, stderr } = await call("ensure");
    expect(code).toBe(1);
    expect(stderr).toContain("no official release: ");
    expect(stderr).toContain("HTTP 404");
    expect(stderr.trim().split("\n").at(-1)).toMatch(
      /^✗ Go 1\.26\.0 or newer is needed to build the engine\. Install it/,
    );
  });

  it.each([
    ["silent", /checksums\.txt: no answer$/],
    ["stalls", /it stopped sending$/],
    ["breaks", /terminated|aborted|closed/],
  ] as const)(
    "a host that misbehaves (%s) is given up in time, and nothing half stays",
    async (manner, why) => {
      releases.addAll();
      const place = mkdtempSync(join(room, "part-"));
      const limits = { answer: 150, piece: 150 };
      const host = environment["PHOENIX_RELEASES"] ?? "";
      releases.manner = (path) => (manner === "silent" || path.endsWith(".tar.gz") ? manner : "whole");
      const since = Date.now();
      await expect(download("engine", place, host, limits)).rejects.toThrow(why);
      expect(Date.now() - since).toBeLessThan(2_000);
      expect(existsSync(join(place, "bin"))).toBe(false);
      if (manner !== "silent") {
        // A list of checksums may stall as well.
        releases.manner = () => manner;
        await expect(download("engine", place, host, limits)).rejects.toThrow(why);
      }
    },
  );

  it("goes on to build where the connection breaks or one plugin has no release, and keeps nothing of it", async () => {
    releases.addAll();
    for (const file of [...releases.files.keys()])
      if (file.includes("proxmoxve")) releases.files.delete(file);
    releases.manner = (path) => (path.includes("/pulumi-v") ? "breaks" : "whole");
    const { code, stderr } = await call("ensure");
    expect(code).toBe(1);
    expect(stderr).toMatch(/no official release: .*pulumi-v/);
    expect(stderr).toContain(`building pulumi ${pulumiVersion} from source instead`);
    expect(readdirSync(join(room, "cache")).filter((name) => !name.endsWith(".lock"))).toEqual([]);

    releases.manner = () => "whole";
    const plugins = await call("ensure");
    expect(plugins.stderr).toContain("official release");
    expect(plugins.stderr).toContain(
      "building plugin command 1.2.1, plugin proxmoxve 8.6.0 from source instead",
    );
  });

  it("waits no longer than five seconds for a host that takes the connection and says nothing", async () => {
    releases.addAll();
    releases.manner = () => "silent";
    const since = Date.now();
    const { stderr } = await call("ensure");
    expect(stderr).toContain("no answer");
    expect(stderr).toContain("from source instead");
    const seconds = (Date.now() - since) / 1000;
    expect(seconds).toBeGreaterThan(4.5);
    expect(seconds).toBeLessThan(12);
  });

  it("takes the pinned version and no other, even where a newer one is offered", async () => {
    releases.addAll();
    for (const [path, content] of [...releases.files]) {
      releases.files.delete(path);
      releases.files.set(path.replaceAll(pulumiVersion, "3.999.0"), content);
    }
    const { stderr } = await call("ensure");
    expect(stderr).toContain("HTTP 404");
    expect(releases.asked.filter((path) => path.includes("3.999.0"))).toEqual([]);
    const cli = releases.asked.filter((path) => path.startsWith("/pulumi/pulumi/"));
    expect(cli.every((path) => path.includes(`/v${pulumiVersion}/`))).toBe(true);
  });

  it("asks nobody when told so", async () => {
    environment["PHOENIX_RELEASES"] = "none";
    expect((await call("ensure")).code).toBe(1);
    expect(releases.asked).toEqual([]);
  });

  it("two at once download once", async () => {
    releases.addAll();
    const both = await Promise.all([call("ensure", "--json"), call("ensure", "--json")]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both[0].stdout).toBe(both[1].stdout);
    expect(new Set(releases.asked).size).toBe(releases.asked.length);
  });

  it("a process that was killed while downloading leaves nothing in the way", async () => {
    releases.addAll();
    const { bin } = JSON.parse((await call("ensure", "--json")).stdout) as { bin: string };
    const whole = join(bin, "..");
    rmSync(whole, { recursive: true });
    mkdirSync(`${whole}.99999/bin`, { recursive: true });
    expect((await call("ensure")).code).toBe(0);
    expect(readdirSync(join(room, "cache")).filter((name) => name.endsWith(".99999"))).toEqual([]);
  });

  it("a pulumi of the right version on PATH is used, of another version is not", async () => {
    releases.addAll();
    const say = (version: string) => {
      for (const name of ["pulumi", "pulumi-language-nodejs"]) {
        writeFileSync(join(room, "bin", name), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
      }
    };
    say(`v${pulumiVersion}`);
    const own = JSON.parse((await call("ensure", "--json")).stdout) as { bin: string; origin: string };
    expect(own).toMatchObject({ bin: join(room, "bin"), origin: "path" });
    say("v3.1.0");
    const brought = JSON.parse((await call("ensure", "--json")).stdout) as { origin: string };
    expect(brought.origin).toBe("official");
  });
});

describe("the command line", () => {
  it("says what is wrong in one line", async () => {
    vi.stubEnv("PHOENIX_RELEASES", "none");
    for (const [args, wanted] of [
      [["install"], "✗ install needs --home DIR"],
      [["fly"], "✗ unknown verb fly"],
      [["ensure", "--loud"], "✗ Unknown option '--loud'"],
    ] as const) {
      const { code, stderr } = await run(process.execPath, [main, ...args]);
      expect(code).toBe(1);
      expect(stderr.split("\n")[0]).toContain(wanted);
      expect(stderr).not.toContain("    at ");
    }
    vi.unstubAllEnvs();
  });
});
