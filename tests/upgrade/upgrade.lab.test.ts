import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const states = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".json.gz"));

interface Plan {
  /** Without the unchanged ones. */
  readonly steps: readonly { readonly op: string; readonly urn: string }[];
  readonly changeSummary: { readonly same: number };
}

let room: string;
let api: Server;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  room = mkdtempSync(join(tmpdir(), "phoenix-upgrade-"));
  api = await freeVmids();
  const home = join(room, "home");
  const phoenix = (...args: string[]): string =>
    execFileSync(process.execPath, [join(root, "packages/offline-engine/src/main.ts"), ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  const { bin } = JSON.parse(phoenix("ensure", "--json")) as { bin: string };
  phoenix("install", "--home", home);
  environment = {
    ...process.env,
    PATH: `${bin}:${process.env["PATH"] ?? ""}`,
    PULUMI_HOME: home,
    PULUMI_CONFIG_PASSPHRASE: "phoenix-lab",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PROXMOX_VE_API_TOKEN: "phoenix@pve!lab=00000000-0000-0000-0000-000000000000",
  };
}, 30 * 60_000);

afterAll(() => {
  api.close();
  rmSync(room, { recursive: true, force: true });
});

describe.each(states)("today's program on the state of %s", (name) => {
  test(
    "deletes and replaces nothing but rebuilt templates and superseded uploads",
    { timeout: 120_000 },
    async () => {
      const { steps, changeSummary } = await preview(name);
      const lost = steps
        .filter(({ op }) => /delete|replace/.test(op))
        .filter(({ urn }) => !urn.includes("phoenix:lxc:Template$") && !urn.includes("phoenix:NodeScripts$"));
      expect(lost).toEqual([]);
      // Not an empty stack by mistake, and no guest of it is made again beside the old one.
      expect(changeSummary.same).toBeGreaterThan(15);
      const made = steps.filter(
        ({ op, urn }) => op === "create" && /containerLegacy|proxmoxve:(storage|download)\//.test(urn),
      );
      expect(made).toEqual([]);
    },
  );
});

async function preview(name: string): Promise<Plan> {
  const place = join(room, name);
  mkdirSync(join(place, "backend"), { recursive: true });
  const state = join(place, "state.json");
  writeFileSync(state, gunzipSync(readFileSync(join(import.meta.dirname, name))));
  const nodeFile = join(place, "node.json");
  writeFileSync(nodeFile, JSON.stringify(nodeOf(state)));
  const config = join(place, "Pulumi.dev.yaml");
  const settings = readFileSync(join(root, "Pulumi.dev.yaml"), "utf8");
  writeFileSync(config, settings.replace(".phoenix/lab/node.json", nodeFile));

  // Not the synchronous call: the stand-in API answers from this very process.
  const pulumi = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)("pulumi", [...args, "--cwd", root, "--non-interactive"], {
      env: { ...environment, PULUMI_BACKEND_URL: `file://${join(place, "backend")}` },
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  };
  await pulumi("stack", "init", "dev", "--no-select");
  await pulumi("stack", "import", "--stack", "dev", "--file", state);
  const plan = await pulumi("preview", "--json", "--stack", "dev", "--config-file", config);
  return JSON.parse(plan) as Plan;
}

/** The node as the state knows it, but for the API, which is asked only for its version and whether a template's vmid is free. */
function nodeOf(state: string): object {
  const text = readFileSync(state, "utf8");
  const host = /"endpoint": ?"https:\/\/([^:/"]+)/.exec(text)?.[1] ?? "192.0.2.1";
  return {
    name: "pve",
    endpoint: `https://127.0.0.1:${(api.address() as AddressInfo).port}/`,
    ssh: { host, port: 22, user: "root", hostKey: "ssh-ed25519 AAAA" },
  };
}

/** An API of a version that is known, on which every vmid is free: the guard looks at it for the templates that a preview would rebuild. */
async function freeVmids(): Promise<Server> {
  const [key, cert] = [join(room, "key.pem"), join(room, "cert.pem")];
  const request = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "1",
  ];
  execFileSync("openssl", [...request, "-subj", "/CN=pve", "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, ({ url }, response) => {
    const data = url?.endsWith("/version") ? { version: "8.4.1" } : "900";
    response.setHeader("content-type", "application/json").end(JSON.stringify({ data }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
