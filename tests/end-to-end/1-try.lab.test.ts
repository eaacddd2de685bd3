import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { Checkout } from "./checkout.ts";
import { readStack } from "../reader/read.ts";
import { readTry } from "./setup.ts";

const room = inject("room");
const checkout = new Checkout(room);
const tried = readTry(room);

const page = (): string => /curl (http:\/\/\S+)/.exec(tried.stdout)?.[1] ?? "no address to curl";

test("try says first what it changes and what undoes it, then marks its steps, and ends with what is there", () => {
  const { stdout } = tried;
  const places = [
    "This will change on this machine",
    "What undoes it",
    "lab down",
    "✓ ",
    "✓ pulumi up",
    "All of this stands",
  ];
  const found = places.map((text) => stdout.indexOf(text));
  expect(found).not.toContain(-1);
  expect(found.toSorted((a, b) => a - b)).toEqual(found);
  expect(stdout).toMatch(/910\s+running.*hello.*10\.0\.0\.110\/24/);
  expect(stdout).toContain("bin/phoenix preview");
  expect(stdout).not.toContain("\u001b[");
});

test("the checkout is clean afterwards, and the person's own Pulumi was not touched", () => {
  expect(tried.gitStatus).toBe("");
  expect(existsSync(join(checkout.home, ".pulumi"))).toBe(false);
});

test("the page that 910 serves answers at the address that try gives, and from the node", async () => {
  const response = await fetch(page());
  expect(await response.text()).toBe("hello from Phoenix\n");
  const fromNode = "exec 3<>/dev/tcp/10.0.0.110/80 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3";
  expect(
    await checkout.node(`bash -c "${fromNode.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`),
  ).toContain("hello from Phoenix");
});

test("docker run of an image imported on the spot prints a nonce", async () => {
  const nonce = randomUUID();
  const script = [
    "set -e; room=$(mktemp -d); cd $room; mkdir -p bin lib lib64",
    "cp /bin/echo bin/; for file in $(ldd /bin/echo | grep -o '/[^ ]*'); do mkdir -p .$(dirname $file); cp -L $file .$file; done",
    "tar -c . | docker import - phoenix-nonce >/dev/null",
    `docker run --rm --network none phoenix-nonce /bin/echo ${nonce}`,
    "docker rmi -f phoenix-nonce >/dev/null; rm -r $room",
  ].join("; ");
  expect((await checkout.guest(910, script)).trim()).toBe(nonce);
});

test("910 has what the configuration says, 900 and 902 are sealed templates", async () => {
  const config = await checkout.node("pct config 910");
  for (const line of ["hostname: hello", "memory: 512", "cores: 1"]) expect(config).toContain(line);
  expect(config).toMatch(/net0: .*bridge=vmbr0.*ip=10\.0\.0\.110\/24/);
  expect(config).toMatch(/onboot: 1/);
  for (const ctid of [900, 902]) expect(await checkout.node(`pct config ${ctid}`)).toMatch(/^template: 1$/m);
  expect(await checkout.guest(910, "hostname")).toBe("hello\n");
  const pool = await checkout.node("zpool status quickOS");
  expect(pool).toContain("mirror");
});

test("an independent reader finds every key of the configuration on the node and in the guest", async () => {
  expect(await readStack(checkout, [900, 902, 910])).toEqual([]);
});

test("plain Pulumi knows the stack, and bin/phoenix names backend, stack and node in its first line", async () => {
  const stack = await checkout.pulumi("stack", "--show-name");
  expect(stack.stdout.trim()).toBe("dev");
  const preview = await checkout.phoenix("preview");
  expect(preview.stdout.split("\n")[0]).toMatch(
    /^backend file:\/\/.*\.phoenix\/backend · stack dev · node pve \(https:/,
  );
  expect(preview.code).toBe(0);
});

test("a backend that the caller names is the one that counts, and no stack is made in it", async () => {
  const script = 'mkdir -p "$1" && PULUMI_BACKEND_URL="file://$1" bin/phoenix preview';
  const { code, stderr } = await checkout.shell(script, join(room, "callers"));
  expect(code).not.toBe(0);
  expect(stderr).toContain(`file://${room}/callers`);
  expect(stderr).toMatch(/no stack is selected/);
});
