/** Terraform with the provider bpg/proxmox, compiled from its own sources, against a lab of its own. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MINUTES = 60_000;
const PROVIDER = { module: "github.com/bpg/terraform-provider-proxmox", version: "v0.112.0" };
/** Named by vitest.config.ts, which leaves this file out where there is none. */
const TERRAFORM = process.env["PHOENIX_TERRAFORM"] ?? "terraform";
const run = promisify(execFile);
const entry = join(import.meta.dirname, "../src/main.ts");
const room = mkdtempSync("/var/tmp/phoenix-lab-terraform-");
const state = join(room, "state");
const cache = process.env["PHOENIX_CACHE"] ?? join(homedir(), ".cache/phoenix");

const lab = async (...words: string[]): Promise<string> =>
  (await run(process.execPath, [entry, "--state", state, ...words])).stdout;

/** Compiled once per machine, with the sources' own list of modules and checksums. */
async function buildProvider(): Promise<string> {
  const folder = join(cache, `test-clients/proxmox-${PROVIDER.version}`);
  const program = join(folder, "terraform-provider-proxmox");
  if (existsSync(program)) return folder;
  const env = {
    ...process.env,
    CGO_ENABLED: "0",
    GOTOOLCHAIN: "local",
    GOWORK: "off",
    GOFLAGS: "-buildvcs=false",
  };
  const wanted = `${PROVIDER.module}@${PROVIDER.version}`;
  const { stdout } = await run("go", ["mod", "download", "-json", wanted], { env, cwd: room });
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  const sources = join(room, "sources");
  await run("cp", ["-r", Dir, sources]);
  await run("chmod", ["-R", "u+w", sources]);
  await run("go", ["build", "-trimpath", "-ldflags", "-s -w", "-o", join(room, "provider"), "."], {
    env,
    cwd: sources,
  });
  mkdirSync(folder, { recursive: true });
  await run("cp", [join(room, "provider"), `${program}.new`]);
  renameSync(`${program}.new`, program);
  return folder;
}

interface Outcome {
  readonly code: number;
  readonly text: string;
}

let environment: NodeJS.ProcessEnv = {};

async function terraform(...words: string[]): Promise<Outcome> {
  try {
    const { stdout } = await run(TERRAFORM, words, { cwd: room, env: environment, maxBuffer: 1 << 26 });
    return { code: 0, text: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}

/** What a plan would do, one line per resource; empty when there is nothing to do. */
async function planned(): Promise<string[]> {
  const { code, text } = await terraform("plan", "-no-color", "-detailed-exitcode");
  expect([0, 2], text).toContain(code);
  const lines = [...text.matchAll(/^ {2}# ((?!data\.)\S+ .*)$/gm)].map(([, line = ""]) => line);
  expect(code === 0 || lines.length > 0, text).toBe(true);
  return lines;
}

async function apply(values: Readonly<Record<string, unknown>> = {}): Promise<void> {
  writeFileSync(join(room, "second.auto.tfvars.json"), JSON.stringify(values));
  const { code, text } = await terraform("apply", "-auto-approve", "-no-color");
  expect(code, text).toBe(0);
}

/** What the story touches, for a comparison of before and after. */
const look = (): Promise<string> =>
  lab(
    "ssh",
    "pct list; cat /etc/pve/user.cfg /etc/pve/storage.cfg; zfs list -H -o name; find /tank/files -type f; " +
      "ls /etc/pve/firewall /etc/pve/lxc; grep '^auto' /etc/network/interfaces",
  );

let before = "";

beforeAll(async () => {
  const folder = await buildProvider();
  await lab("up");
  const disks = [1, 2].map((number) => `/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_${number}`);
  await lab(
    "ssh",
    `zpool create tank mirror ${disks.join(" ")} && zfs create tank/guests && zfs create tank/files`,
  );
  const facts = JSON.parse(readFileSync(join(state, "node.json"), "utf8")) as {
    endpoint: string;
    address: string;
    login: { password: string };
  };
  writeFileSync(
    join(room, "rc"),
    `provider_installation {\n  dev_overrides { "bpg/proxmox" = "${folder}" }\n}\n`,
  );
  writeFileSync(join(room, "tiny.iso"), Buffer.alloc(40_000));
  await run("cp", [join(import.meta.dirname, "terraform/main.tf"), room]);
  environment = {
    ...process.env,
    TF_CLI_CONFIG_FILE: join(room, "rc"),
    TF_IN_AUTOMATION: "1",
    CHECKPOINT_DISABLE: "1",
    PROXMOX_VE_ENDPOINT: facts.endpoint,
    PROXMOX_VE_USERNAME: "root@pam",
    PROXMOX_VE_PASSWORD: facts.login.password,
    TF_VAR_address: facts.address,
    TF_VAR_key: join(state, "ssh/id_ed25519"),
    TF_VAR_iso: join(room, "tiny.iso"),
  };
  // The node's file of users is written anew by the first change; what the lab put into it stays.
  await lab("ssh", "pveum group add first && pveum group delete first && pvesm set local --disable 0");
  before = await look();
}, 20 * MINUTES);

afterAll(async () => {
  await lab("down");
  rmSync(room, { recursive: true, force: true });
}, 5 * MINUTES);

describe("a node's things by Terraform", () => {
  it(
    "are made, and the second plan is empty",
    async () => {
      await apply();
      expect(await planned()).toEqual([]);
      expect(await lab("ssh", "pct exec 700 -- hostname; pct status 702")).toBe("tfbase\nstatus: running\n");
    },
    5 * MINUTES,
  );

  it(
    "change in place, and the plan after it is empty",
    async () => {
      await apply({
        words: "second",
        memory: 384,
        cores: 2,
        disk: 3,
        tags: ["one", "three"],
        dns: ["10.0.0.13", "10.0.0.14"],
        bridge_address: "10.77.0.2/24",
        zone: "Europe/Vienna",
      });
      expect(await planned()).toEqual([]);
      const config = await lab("ssh", "pct config 700; cat /etc/timezone; tail -n 1 /etc/hosts");
      expect(config).toMatch(/^rootfs: tfguests:subvol-700-disk-0,.*size=3G$/m);
      expect(config).toMatch(/^memory: 384$[^]*^Europe\/Vienna$[^]*pve\.second\.test/m);
    },
    5 * MINUTES,
  );

  it(
    "that drifted by the node's own commands are seen and brought back; a snapshot is no difference",
    async () => {
      await lab(
        "ssh",
        "pct set 700 --memory 300 --tags other && pct set 702 --hostname drifted && pct snapshot 702 before && " +
          "pveum group modify tfteam --comment drift",
      );
      expect((await planned()).sort()).toEqual([
        "proxmox_virtual_environment_container.base will be updated in-place",
        "proxmox_virtual_environment_container.copy will be updated in-place",
        "proxmox_virtual_environment_group.team will be updated in-place",
      ]);
      const values = JSON.parse(readFileSync(join(room, "second.auto.tfvars.json"), "utf8")) as object;
      await apply({ ...values });
      expect(await planned()).toEqual([]);
      expect(await lab("ssh", "pct config 700 && pct listsnapshot 702")).toMatch(
        /^memory: 384$[^]*^tags: one;three$[^]*before/m,
      );
    },
    5 * MINUTES,
  );

  it(
    "are destroyed, and the node is as it was before",
    async () => {
      const { code, text } = await terraform("destroy", "-auto-approve", "-no-color");
      expect(code, text).toBe(0);
      expect(await look()).toBe(before);
    },
    5 * MINUTES,
  );
});
