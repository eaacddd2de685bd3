import { rmSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { Checkout } from "./checkout.ts";
import { stackFacts, urns } from "./facts.ts";

const checkout = new Checkout(inject("room"));

/** Another incarnation, another process or another dataset would show here. */
const identities = () =>
  checkout.node(
    [
      "for ctid in 900 902 910; do pct config $ctid; done",
      "zfs list -H -o name,guid,creation -r quickOS",
      "pct exec 910 -- cut -d ' ' -f 22 /proc/1/stat",
      "pct exec 910 -- systemctl show -p ActiveEnterTimestampMonotonic docker phoenix-page.socket",
    ].join("; "),
  );

/** The state file goes, with Pulumi's own copy; the stack is made again, empty, as the error says. */
async function loseState(): Promise<void> {
  const folder = checkout.path(".phoenix/backend/.pulumi/stacks/phoenix");
  for (const file of readdirSync(folder)) rmSync(join(folder, file));
  const none = await checkout.phoenix("recover", "--stack", "dev");
  expect(none.code).not.toBe(0);
  expect(none.stderr).toContain("try next:  pulumi stack init dev");
  expect((await checkout.pulumi("stack", "init", "dev")).code).toBe(0);
}

let known: string[] = [];

test("recover refuses a state that is not lost", async () => {
  known = await urns(checkout);
  const { code, stderr } = await checkout.phoenix("recover");
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/state of stack dev is not lost: it has \d+ resources. Nothing was touched/);
});

test("the state lost and the configuration edited: the guests come back as they stand, and the difference is told", async () => {
  const [facts, before] = [await stackFacts(checkout), await identities()];
  await loseState();
  const edit = (text: string) => `${text}\n# another version\n`;
  await checkout.withEdit("bin/lxc/feature_install_docker.sh", edit, async () => {
    const { code, stdout, stderr } = await checkout.phoenix("recover");
    expect(stderr).toBe("");
    expect(stdout).toMatch(/Today's configuration is another one[^]*template 902 is built anew/);
    expect(code).toBe(0);
  });
  expect(await identities()).toBe(before);
  expect((await stackFacts(checkout)).configs).toEqual(facts.configs);
});

test("the state lost: one command brings everything back, and the preview is empty, also after refresh", async () => {
  const before = await identities();
  const facts = await stackFacts(checkout);
  await loseState();
  const { code, stdout, stderr } = await checkout.phoenix("recover");
  expect(stderr).toBe("");
  for (const line of ["template 900", "template 902", "container 910", "storage quickOS-lxc-disks"])
    expect(stdout).toContain(`  ${line}`);
  expect(stdout).toContain("Everything is back in the state, and the preview is empty.");
  expect(code).toBe(0);
  expect(await identities()).toBe(before);
  expect(await stackFacts(checkout)).toEqual({ ...facts, urns: known });
  const refreshed = await checkout.pulumi("preview", "--refresh", "--expect-no-changes");
  expect(refreshed.code).toBe(0);
  expect((await checkout.phoenix("drift")).code).toBe(0);
  // Pulumi writes the stack's file anew on `init`, without what people wrote around it.
  await checkout.shell("git checkout -q Pulumi.dev.yaml");
});
