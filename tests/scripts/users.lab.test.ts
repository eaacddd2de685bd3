import { afterAll, beforeAll, expect, test } from "vitest";
import { LabNode } from "./lab-node.ts";

const script = "hypervisor/feature_manage_user.sh";
const hash = "$6$salt$8nQ9wYkpJd2Lr0mUqVvB7cT1xZ5sEoGhAiFyRbWtNzKuPlMjXgSdHfCvQeOaIwLkTrYnUbZmVxPsDqJhGc2fE.";
const key = (name: string) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${name} ${name}@home`;
const user = (more: object = {}) => ({
  stack: "scripts",
  parameters: { username: "keeper", passwordHash: hash, sudo: true, sshPublicKey: key("one"), ...more },
});

let node: LabNode;
beforeAll(async () => {
  node = await LabNode.start();
}, 900_000);
afterAll(() => node.stop());

const keys = () => node.good("cat /home/keeper/.ssh/authorized_keys");
const rights = () => node.good("pveum acl list --output-format json");

test("create_admin_user: a user with password, key, sudo and the rights of an administrator, and no second time", async () => {
  expect(await node.converge(script, user())).toEqual(["user keeper does not exist"]);
  expect(await node.good("getent shadow keeper | cut -d: -f2")).toBe(hash);
  expect(await keys()).toContain(key("one"));
  expect(await node.good("stat -c '%a %U' /home/keeper/.ssh /home/keeper/.ssh/authorized_keys")).toBe(
    "700 keeper\n600 keeper",
  );
  expect(await node.good("sudo -l -U keeper")).toContain("(ALL : ALL) ALL");
  expect(await rights()).toContain('"keeper@pam"');
}, 300_000);

test("each edit is its own change, and what a person wrote stays", async () => {
  await node.good(`echo '${key("mine")}' >> /home/keeper/.ssh/authorized_keys`);
  await node.clean(script, user());
  expect(await node.converge(script, user({ sshPublicKey: key("two") }))).toEqual([
    "the key of keeper is not as configured",
  ]);
  expect((await keys()).split("\n").filter((line) => line.startsWith("ssh-"))).toEqual([
    key("mine"),
    key("two"),
  ]);
  const changed = user({ passwordHash: `${hash.slice(0, -1)}/`, sshPublicKey: key("two") });
  expect(await node.converge(script, changed)).toEqual(["the password of keeper is another one"]);
  const fewer = user({ passwordHash: undefined, sudo: false, sshPublicKey: key("two") });
  expect(await node.converge(script, fewer)).toEqual(["keeper may use sudo"]);
  expect(await rights()).not.toContain('"keeper@pam"');
}, 120_000);

test("no process shows the password, and no message a hash that is none", async () => {
  const seen = node.good(
    "for i in $(seq 400); do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; sleep 0.005; done",
  );
  expect((await node.run(script, "apply", user())).code).toBe(0);
  expect(await seen).not.toContain("8nQ9wYkpJd2Lr0mUqVvB7c");
  const refused = await node.fails(script, "apply", user({ passwordHash: "hunter2 in the clear" }));
  expect(refused).toContain("not in crypt(3)'s form");
  expect(refused).not.toContain("hunter2");
}, 60_000);

test("somebody else's sudo rule is not touched", async () => {
  await node.good("rm -f /etc/sudoers.d/phoenix-keeper; echo '# mine' > /etc/sudoers.d/phoenix-keeper");
  expect(await node.fails(script, "apply", user())).toContain("was not written by this stack");
  expect(await node.good("cat /etc/sudoers.d/phoenix-keeper")).toBe("# mine");
  await node.good("rm /etc/sudoers.d/phoenix-keeper");
});

test("a user that goes keeps the account and loses what was given", async () => {
  expect((await node.run(script, "apply", user())).code).toBe(0);
  const { code, stderr } = await node.run(script, "remove", user());
  expect(`${code} ${stderr}`).toMatch(/^0 .*user keeper and its files stay/s);
  expect(await node.good("getent passwd keeper")).toContain("/home/keeper");
  expect(await keys()).toBe(key("mine"));
  expect(await rights()).not.toContain('"keeper@pam"');
  expect(await node.good("ls /etc/sudoers.d")).not.toContain("phoenix");
  expect((await node.run(script, "remove", user())).code).toBe(0);
});
