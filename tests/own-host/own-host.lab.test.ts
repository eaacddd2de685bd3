import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import mergePatch from "json-merge-patch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { privileges } from "../../packages/cli/src/access/privileges.ts";
import type { Result } from "../end-to-end/checkout.ts";
import { readGuide } from "./guide.ts";
import { Owner } from "./owner.ts";
import type { LoggedRequest } from "./owner.ts";
import type { Shell } from "./shell.ts";

// docs/guides/your-own-host.md, typed as it stands there by somebody who owns a node. In this order: one story.

const guide = readGuide("your-own-host.md");
let owner: Owner;
let shell: Shell;
/** Read on the node's own screen. */
let hostKey = "";
/** What the stack's token asked during `up`. */
let asked: LoggedRequest[] = [];
const ofToken = ({ identity }: LoggedRequest): boolean => identity === "phoenix@pve!pulumi-home";

beforeAll(async () => {
  owner = await Owner.arrive();
  shell = owner.terminal();
  hostKey = (await owner.console("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub")).trim();
}, 900_000);
afterAll(async () => {
  await shell.close();
  await owner.leave();
});

/** Types a command of the guide with what the guide says is to be put in its place. */
const type = (command: string): Promise<Result> =>
  shell.type(
    command
      .replaceAll("192.168.1.10", owner.address)
      .replace("ssh-ed25519 AAAA…", hostKey)
      .replace(/^pulumi login --local$/, 'pulumi login "file://$HOME"'),
  );

/** The commands of a chapter up to one that is to be looked at, which must all succeed. */
async function follow(title: string, before?: string): Promise<Map<string, Result>> {
  const chapter = guide.find((one) => one.title === title);
  const commands = chapter?.commands ?? [];
  expect(commands.length, title).toBeGreaterThan(0);
  const end = before === undefined ? commands.length : commands.findIndex((line) => line.startsWith(before));
  expect(end, before).toBeGreaterThan(-1);
  const results = new Map<string, Result>();
  for (const command of commands.slice(0, end)) {
    const result = await type(command);
    expect(`${result.code}\n${result.stderr}`, command).toMatch(/^0\n/);
    results.set(command, result);
  }
  return results;
}

interface Report {
  readonly node?: {
    readonly disks: readonly { readonly identity: string; readonly found: string[] }[];
    readonly version: string;
  };
  readonly problems: readonly { readonly severity: string; readonly what: string; readonly remedy: string }[];
}

async function doctor(more = ""): Promise<Report & { code: number }> {
  const { code, stdout, stderr } = await shell.type(`${more} bin/phoenix doctor --json`);
  expect(stderr).toBe("");
  return { code, ...(JSON.parse(stdout) as Report) };
}
const problems = (report: Report): string =>
  report.problems.map(({ what, remedy }) => `${what} → ${remedy}`).join("\n");

test("doctor without any stack tells about the engine and that there is none", async () => {
  const { code, stdout } = await shell.type("bin/phoenix doctor");
  expect(stdout).toMatch(/^engine +pulumi 3\.259\.0 \((your own|rebuilt here|official)\)/m);
  expect(stdout).toContain("! no stack is selected");
  expect(stdout).toContain("no node was looked at");
  expect(code).toBe(0);
});

test("chapter 1: a stack of its own from the example", async () => {
  await follow("1. The program");
  const report = await doctor();
  expect(report.code).toBe(1);
  expect(problems(report)).toContain("there is no ssh-agent");
});

test("what is wrong with the connection is told line by line", async () => {
  const noKey = problems(await doctor());
  expect(noKey).toContain("SSH"); // the example's host key is none
  await shell.type(`pulumi config set phoenix:sshHostKey '${hostKey.slice(0, -4)}AAAA'`);
  expect(problems(await doctor())).toMatch(/another host key than phoenix:sshHostKey/);
  expect(problems(await doctor("SSH_AUTH_SOCK=/nonexistent"))).toContain(
    "no ssh-agent answers at SSH_AUTH_SOCK (/nonexistent)",
  );
  await shell.type("pulumi config rm phoenix:sshHostKey");
  expect(problems(await doctor())).toContain("phoenix:sshHostKey is not set");
});

test("chapter 2: the host key as ssh-keyscan shows it is the one on the node's screen", async () => {
  const results = await follow("2. The node's identity, and yours");
  const scan = [...results].find(([command]) => command.startsWith("ssh-keyscan"));
  expect(scan?.[1].stdout).toContain(hostKey);
  expect(problems(await doctor())).toContain("there is no API token → bin/phoenix access --stack home");
});

test("a user, a port, an address and a token that are wrong, each in one clear line", async () => {
  const wrong = async (key: string, value: string, more = ""): Promise<string> => {
    const before = (await shell.type(`pulumi config get phoenix:${key}`)).stdout.trim();
    await shell.type(`pulumi config set phoenix:${key} ${value}`);
    const report = await doctor(more);
    expect(report.code, key).toBe(1);
    await shell.type(
      before === "" ? `pulumi config rm phoenix:${key}` : `pulumi config set phoenix:${key} '${before}'`,
    );
    return problems(report);
  };
  expect(await wrong("sshUser", "nobody")).toMatch(
    /refuses nobody with the keys of the ssh-agent → ssh-copy-id/,
  );
  expect(await wrong("sshPort", "9")).toMatch(/nothing listens on \S+:9/);
  expect(await wrong("sshHost", "no-such-host.invalid")).toContain(
    "nobody knows the name no-such-host.invalid",
  );
  expect(await wrong("node", "other")).toContain("the node's name is 'pve', the stack says 'other'");
  const token = "PROXMOX_VE_API_TOKEN=phoenix@pve!x=00000000-0000-0000-0000-000000000000";
  expect(problems(await doctor(token))).toMatch(
    /the API refuses the token: .* → bin\/phoenix access --stack home --renew/,
  );
  expect(await wrong("endpoint", `https://${owner.address}:9/`, token)).toContain("nothing listens at");
  expect(await wrong("insecure", "false", token)).toMatch(/the certificate of .* phoenix:insecure true/);
});

test("chapter 3: role, user and token by one command; the secret is shown nowhere and stored encrypted", async () => {
  await owner.requests();
  const results = await follow("3. A token with few rights");
  const said = [...results.values()].map(({ stdout, stderr }) => stdout + stderr).join("");
  expect(said).toContain("✓ token phoenix@pve!pulumi-home made");
  const secret = (await shell.type("pulumi config get phoenix:apiToken")).stdout.trim();
  expect(secret).toMatch(/^phoenix@pve!pulumi-home=[0-9a-f-]{36}$/);
  const value = secret.split("=")[1] ?? "";
  expect(said).not.toContain(value);
  expect(readFileSync(owner.checkout.path("Pulumi.home.yaml"), "utf8")).not.toContain(value);
  expect(readFileSync(owner.checkout.path("Pulumi.home.yaml"), "utf8")).toMatch(
    /phoenix:apiToken:\n\s+secure: /,
  );

  const again = await shell.type("bin/phoenix access");
  expect(again.stdout).toContain("was there already and is as it was");
  expect((await shell.type("pulumi config get phoenix:apiToken")).stdout.trim()).toBe(secret);
  const renewed = await shell.type("bin/phoenix access --renew");
  expect(renewed.stdout).toContain("✓ old token phoenix@pve!pulumi-home taken away");
  expect((await shell.type("pulumi config get phoenix:apiToken")).stdout.trim()).not.toBe(secret);
});

test("access --print says the same commands, and they work by hand", async () => {
  const { stdout } = await shell.type("bin/phoenix access --print --stack by-hand");
  const commands = stdout.split("\n").filter((line) => line.startsWith("pveum"));
  expect(commands).toHaveLength(4);
  const renamed = commands.map((line) =>
    line.replaceAll("Phoenix", "ByHand").replaceAll("phoenix@pve", "hand@pve"),
  );
  await owner.console(renamed.join(" && "));
  const roles = JSON.parse(await owner.console("pveum role list --output-format json")) as {
    roleid: string;
    privs: string;
  }[];
  const privileges = (role: string): string | undefined => roles.find(({ roleid }) => roleid === role)?.privs;
  expect(privileges("ByHand")).toBe(privileges("Phoenix"));
  await owner.console("pveum user delete hand@pve && pveum role delete ByHand");
});

test("chapter 4: files of one's own, with disks as `bin/phoenix disks` prints them", async () => {
  await owner.console("mkfs.ext4 -q -L photos /dev/disk/by-id/scsi-PHOENIX_LAB_DISK_3");
  const results = await follow("4. The description");
  const { stdout, stderr } =
    [...results].find(([command]) => command.startsWith("bin/phoenix disks"))?.[1] ?? {};
  expect(stderr).toMatch(/DISK_3 .*signature ext4 \(photos\)/);
  const { disks } = JSON.parse(`{${stdout ?? ""}}`) as { disks: string[] };
  expect(disks).toEqual([1, 2, 4].map((n) => `/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_${n}`));

  const report = await doctor();
  expect(report.code).toBe(1);
  expect(problems(report)).toMatch(/pool quickOS: there is no disk \S+SERIAL_0001 → bin\/phoenix disks/);
  // What an owner writes: here, what stack dev says, with the disks just pasted.
  const dev = (name: string): object =>
    JSON.parse(readFileSync(owner.checkout.path("etc/dev", name), "utf8")) as object;
  owner.edit("hypervisor.json", (value) => mergePatch.apply(value, dev("hypervisor.json")));
  owner.edit("containers.json", (value) => mergePatch.apply(value, dev("lxc.json")));
  // Another size than the provider's own default, which it leaves out of the request.
  owner.edit("containers.json", (value) =>
    mergePatch.apply(value, { lxc_configs: { 900: { storage_size_gb: 5 } } }),
  );
  owner.edit("hypervisor.json", (value) => {
    const { zfs } = value as { zfs: { pools: { disks: string[] }[] } };
    for (const pool of zfs.pools) pool.disks = disks.slice(0, 2);
    return value;
  });
});

test("doctor names what stands in the way, and changes nothing on the node", async () => {
  const used = "/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_2";
  await owner.console(
    `mkswap -q ${used} && pct create 910 local:vztmpl/none.tar.zst --hostname theirs --rootfs local:1 >/dev/null 2>&1; ` +
      "printf 'arch: amd64\\nhostname: theirs\\nrootfs: local:910/vm-910-disk-0.raw,size=1G\\n' >/etc/pve/lxc/910.conf; " +
      "pvesm add dir quickOS-shared-iso --path /mnt/theirs --content iso",
  );
  await owner.requests();
  const before = await owner.nodeDump();
  const report = await doctor();
  expect(report.code).toBe(1);
  const text = problems(report);
  expect(text).toMatch(/pool quickOS: \S+DISK_2 \(.*\) is not empty: signature swap/);
  expect(text).toMatch(
    /CT 910 \(hello\): the number is taken by the container 'theirs', not made by Phoenix/,
  );
  expect(text).toMatch(/the storage quickOS-shared-iso is there already \(dir \/mnt\/theirs\)/);
  expect(report.problems.filter(({ severity }) => severity === "error")).toHaveLength(3);
  expect(report.problems.every(({ remedy }) => remedy !== "")).toBe(true);

  expect(await owner.nodeDump()).toBe(before);
  const requests = await owner.requests();
  expect(requests.length).toBeGreaterThan(3);
  expect([...new Set(requests.map(({ method }) => method))]).toEqual(["GET"]);
  await owner.console(
    `wipefs -qa ${used}; rm /etc/pve/lxc/910.conf; pvesm remove quickOS-shared-iso; rm -rf /mnt/theirs`,
  );
});

test("chapter 5: nothing is in the way, the preview shows it, up makes it, with the least rights", async () => {
  await owner.requests();
  const results = await follow("5. Look, then leap");
  const page = results.get("bin/phoenix doctor")?.stdout ?? "";
  expect(page).toMatch(/^version +pve-manager\/8\./m);
  expect(page).toMatch(/^Nothing is in the way: pulumi preview$/m);
  expect(results.get("pulumi preview --diff")?.stdout).toContain("phoenix:lxc:Container");
  expect(await owner.console("pct exec 910 -- hostname")).toBe("hello\n");
  expect((await shell.type("pulumi preview --expect-no-changes")).code).toBe(0);
  const after = await doctor();
  expect(after.problems).toEqual([]);
});

test("each privilege of the role is used: without it, something that `up` did is refused", async () => {
  asked = (await owner.requests()).filter(ofToken);
  expect(asked.filter(({ status }) => status === 403)).toEqual([]);
  // The request of that run which needs the privilege; guests that it made get a number that is free.
  const needs: Record<string, [method: string, path: RegExp]> = {
    "VM.Allocate": ["POST", /\/lxc$/],
    "VM.Clone": ["POST", /\/902\/clone$/],
    "VM.Audit": ["GET", /\/910\/config$/],
    "VM.Config.CPU": ["PUT", /\/910\/config$/],
    "VM.Config.Memory": ["PUT", /\/910\/config$/],
    "VM.Config.Network": ["PUT", /\/910\/config$/],
    "VM.Config.Options": ["PUT", /\/910\/config$/],
    "VM.Config.Disk": ["POST", /\/lxc$/],
    "Datastore.Allocate": ["POST", /^\/storage$/],
    "Datastore.AllocateSpace": ["POST", /\/902\/clone$/],
    "Datastore.AllocateTemplate": ["POST", /\/download-url$/],
    "SDN.Use": ["PUT", /\/910\/config$/],
    "Sys.AccessNetwork": ["GET", /\/query-url-metadata$/],
  };
  const all = Object.keys(privileges);
  // Only `destroy` stops a guest: that it does is seen in the next chapter.
  expect([...Object.keys(needs), "VM.PowerMgmt"].sort()).toEqual(all.toSorted());
  await owner.console(
    "pveum role add Less --privs VM.Audit && pveum user add less@pve && pveum acl modify / --users less@pve --roles Less",
  );
  const made = await owner.console("pveum user token add less@pve table --privsep 0 --output-format json");
  const token = `less@pve!table=${(JSON.parse(made) as { value: string }).value}`;
  const free = { vmid: "990", newid: "990" };
  const without = async (privilege: string, request: LoggedRequest): Promise<string> => {
    const rest = all.filter((one) => one !== privilege).join(" ");
    await owner.console(`pveum role modify Less --privs '${rest}'`);
    const own = request.parameters;
    const parameters = Object.fromEntries(
      Object.entries(own).map(([key, value]) => [key, key in free ? "990" : value]),
    );
    return owner.ask(token, { ...request, parameters: request.path.endsWith("/config") ? own : parameters });
  };
  for (const [privilege, [method, path]] of Object.entries(needs)) {
    const request = asked.find((one) => one.method === method && path.test(one.path) && one.status === 200);
    expect(request, privilege).toBeDefined();
    if (request) expect(await without(privilege, request), `${privilege}: ${request.path}`).toMatch(/^403 /);
  }
  const stop = { method: "POST", path: "/nodes/pve/lxc/910/status/shutdown", parameters: {}, status: 200 };
  expect(await without("VM.PowerMgmt", stop)).toMatch(/^403 .*VM\.PowerMgmt/);
  // What only some configurations need is not in the role of this one.
  const create = asked.find(({ method, path }) => method === "POST" && path.endsWith("/lxc"));
  const privileged = { ...create?.parameters, unprivileged: "0" };
  expect(create && (await without("none of them", { ...create, parameters: privileged }))).toMatch(
    /^403 .*Sys\.Modify/,
  );
  await owner.console("pveum user delete less@pve && pveum role delete Less");
});

test("a step that fails is quoted with its last words and a hint, and no secret is in them", async () => {
  const secret = 'tell"no one 5f0c27';
  const forms = [secret, JSON.stringify(secret).slice(1, -1), "5f0c27"];
  const folder = owner.file("features");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "feature_leak_token.json"),
    JSON.stringify({
      name: "leak_token",
      version: "1.0.0",
      description: "Fails, and says more than it should.",
      target: "lxc",
      parameters: {
        type: "object",
        additionalProperties: false,
        required: ["token"],
        properties: { token: { $ref: "phoenix:secret", description: "A token." } },
      },
      verbs: ["check", "apply"],
    }),
  );
  const script = [
    "#!/usr/bin/env bash",
    "set -Eeuo pipefail",
    'here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")',
    'source "$here/lib/phoenix_common.sh"',
    "do_check() { reason 'never'; finish_check; }",
    "do_apply() {",
    '  for i in {1..40}; do note "line $i"; done',
    '  note "the token is $(param token)"',
    "  ls /no/such/folder",
    "}",
    'phoenix_main guest "$@"',
    "",
  ].join("\n");
  writeFileSync(join(folder, "feature_leak_token.sh"), script, { mode: 0o755 });
  const before = readFileSync(owner.file("containers.json"), "utf8");
  owner.edit("containers.json", (value) => {
    const { lxc_configs: configs } = value as { lxc_configs: Record<string, { features: unknown[] }> };
    configs["910"]?.features.push({ name: "leak_token", parameters: { token: { secret: "leak" } } });
    return value;
  });
  await shell.type(`pulumi config set --path 'phoenix:featureFolders[0]' ${folder}`);
  await shell.type(`printf %s '${secret}' | pulumi config set --secret phoenix:leak`);
  const { code, stdout, stderr } = await shell.type("bin/phoenix up");
  expect(code).not.toBe(0);
  const failure = stderr.slice(stderr.indexOf("phoenix: pulumi up failed"));
  expect(failure).toMatch(/910-leak_token: .*feature_leak_token\.sh/);
  expect(failure).toContain("cannot access '/no/such/folder'");
  expect(failure).not.toContain("line 3\n");
  expect(failure).toMatch(/hint: |try next: /);
  for (const form of forms) expect((stdout + stderr).includes(form), form.slice(0, 4)).toBe(false);
  const logs = await shell.type("cat .phoenix/log/*");
  for (const form of forms) expect(logs.stdout.includes(form), "in a log").toBe(false);
  writeFileSync(owner.file("containers.json"), before);
});

test("afterwards: drift and repair find nothing, destroy takes away what up made", async () => {
  await owner.requests();
  const results = await follow("Afterwards");
  expect(results.get("bin/phoenix drift")?.stdout).toMatch(/as configured\.$/m);
  const requests = (await owner.requests()).filter(ofToken);
  const stops = requests.filter(({ path }) => /\/910\/status\/(shutdown|stop)$/.test(path));
  expect(stops.map(({ status }) => status)).toContain(200);
  expect(requests.filter(({ status }) => status === 403)).toEqual([]);
  expect(
    await owner.console("pct list; zpool list -H -o name; ls /var/lib/phoenix 2>/dev/null || true"),
  ).toBe("");
});
