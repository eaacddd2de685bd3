import { spawn } from "node:child_process";
import { expect, inject, test } from "vitest";
import { Checkout, collect } from "./checkout.ts";
import { changes, nameOf } from "./facts.ts";

const checkout = new Checkout(inject("room"));
const hash = (n: number) => `$6$salt$${n}TheHashThatNobodyMaySeeTheHashThatNobodyMaySee`;
const seen = /TheHashThatNobodyMaySee/;

const withUser = (text: string) => {
  const file = JSON.parse(text) as object;
  return JSON.stringify({ ...file, users: { username: "keeper", password_hash: { secret: "keeper_hash" } } });
};

/** On standard input, as a person does whose shell keeps a history. */
async function setSecret(value: string): Promise<void> {
  const script =
    'eval "$(bin/phoenix env)" && exec pulumi config set --secret phoenix:keeper_hash --stack dev';
  const child = spawn("bash", ["-c", script], { cwd: checkout.directory, env: checkout.environment });
  child.stdin.end(value);
  expect(await collect(child)).toMatchObject({ code: 0 });
}

const stored = async () => (await checkout.node("getent shadow keeper | cut -d: -f2")).trim();

/** Files in which a run left the secret: state, logs and configuration here; records and logs on the node. */
async function traces(): Promise<string> {
  const words = seen.source;
  // The lab's folder holds the node's own disk, where /etc/shadow is the place for it.
  const here = await checkout.shell(
    `grep -rlsIE '${words}' --exclude-dir=lab .phoenix Pulumi.dev.yaml .phoenix/lab/log || true`,
  );
  const node = await checkout.node(`grep -rlsIE '${words}' /var/lib/phoenix /var/log /etc/pve || true`);
  return here.stdout + node;
}

test("a secret goes from the encrypted configuration to its place on the node, and shows nowhere else", async () => {
  await checkout.withEdit(
    "Pulumi.dev.yaml",
    (text) => text,
    () =>
      checkout.withEdit("etc/dev/hypervisor.json", withUser, async () => {
        const missing = await checkout.phoenix("preview");
        expect(missing.code).not.toBe(0);
        expect(missing.stdout + missing.stderr).toMatch(
          /the secret `keeper_hash` is not set in this stack\s+→ pulumi config set --secret phoenix:keeper_hash/,
        );

        await setSecret(hash(1));
        const up = await checkout.phoenix("up");
        expect(up.stdout + up.stderr).not.toMatch(seen);
        expect(up.code).toBe(0);
        expect(await stored()).toBe(hash(1));
        expect((await checkout.pulumi("preview", "--expect-no-changes", "--diff")).code).toBe(0);
        const exported = await checkout.pulumi("stack", "export");
        expect(exported.stdout).toContain("user-keeper");
        expect(seen.test(exported.stdout)).toBe(false); // not toMatch: a failure would print the state
        expect(await traces()).toBe("");

        // Drift opens the secret to compare, repair to mend.
        await checkout.node("usermod -p '!' keeper");
        const drift = await checkout.phoenix("drift");
        expect(drift.stdout).toMatch(/host\s+user-keeper\s+the password of keeper is another one/);
        expect(drift.stdout + drift.stderr).not.toMatch(seen);
        expect((await checkout.phoenix("repair")).code).toBe(0);
        expect(await stored()).toBe(hash(1));

        await setSecret(hash(2));
        const { stdout } = await checkout.pulumi("preview", "--json");
        expect(seen.test(stdout)).toBe(false);
        expect(changes(stdout).map(({ op, urn }) => `${op} ${nameOf(urn)}`)).toEqual(["update user-keeper"]);
        const diff = await checkout.pulumi("preview", "--diff");
        expect(diff.stdout + diff.stderr).not.toMatch(seen);
        expect((await checkout.phoenix("up")).code).toBe(0);
        expect(await stored()).toBe(hash(2));
        expect(await traces()).toBe("");
      }),
  );
  const gone = await checkout.phoenix("up");
  expect(gone.code).toBe(0);
  expect(await checkout.node("getent passwd keeper")).toContain("keeper"); // with its files
  await checkout.node("userdel -r keeper 2>/dev/null; pveum user delete keeper@pam");
});
