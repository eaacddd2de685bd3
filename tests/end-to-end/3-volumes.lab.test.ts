import { expect, inject, test } from "vitest";
import { Checkout } from "./checkout.ts";
import { readStack } from "../reader/read.ts";
import { changes, nameOf, urns } from "./facts.ts";

const checkout = new Checkout(inject("room"));

type Json = Record<string, unknown>;
const volume = (name: string, more: Json = {}) => ({
  name,
  pool: "quickOS-lxc-disks",
  size_gb: 1,
  mount_point: `/${name}`,
  ...more,
});
const kept = volume("kept", { owner_uid: 33, owner_gid: 33 });
const scratch = volume("scratch", { allow: ["destroy"] });
const dataset = (name: string) => `quickOS/lxc-disks/volume-912-${name}`;

/** A container of its own: what it is given and loses touches nobody else. */
const container = (volumes: Json[], more: Json) => ({
  name: "holder",
  clone_from_ctid: "902",
  network_config: { ip: "10.0.0.112/24" },
  networks: [{ name: "eth1", vlan: 7, ip: "192.168.7.2/24" }],
  tags: ["kept", "tested"],
  cpu_limit: 0.5,
  volumes,
  firewall: { enabled: true, rules: [{ type: "in", action: "ACCEPT", proto: "tcp", port: "22" }] },
  snapshots: ["final-form"],
  ...more,
});

/** While `work` runs the stack has 912 and the folder that it shares with the host. */
function with912<T>(volumes: Json[], work: () => Promise<T>, more: Json = {}): Promise<T> {
  const lxc = (text: string) => {
    const config = JSON.parse(text) as { lxc_configs: Json };
    config.lxc_configs["912"] = container(volumes, more);
    return JSON.stringify(config);
  };
  const host = (text: string) => {
    const shared_volumes = {
      certs: { host_path: "/quickOS/shared-iso/certs", mounts: { "912": "/certs" }, owner_uid: 33 },
    };
    return JSON.stringify({ ...(JSON.parse(text) as Json), shared_volumes });
  };
  return checkout.withEdit("etc/dev/hypervisor.json", host, () =>
    checkout.withEdit("etc/dev/lxc.json", lxc, work),
  );
}

async function up(): Promise<void> {
  const { code, stdout, stderr } = await checkout.phoenix("up");
  expect(code, stdout + stderr).toBe(0);
}

const inGuest = async (command: string): Promise<string> => (await checkout.guest(912, command)).trim();
const onNode = async (command: string): Promise<string> => (await checkout.node(command)).trim();
const identity = () => inGuest("cat /etc/machine-id");
const sumOf = async (): Promise<string> => {
  const [sum = ""] = (await inGuest("sha256sum /kept/file")).split(" ");
  expect(sum).toMatch(/^[0-9a-f]{64}$/);
  return sum;
};

test("volumes, shared folder, second network, limits, firewall and snapshot are there, and nothing is left to do", async () => {
  await with912([kept, scratch], async () => {
    await up();
    await inGuest("mountpoint /kept && mountpoint /scratch && mountpoint /certs");
    expect(await inGuest("stat -c %u:%g /kept /certs")).toBe("33:33\n33:0");
    expect(await onNode(`stat -c %u:%g /${dataset("kept")} /quickOS/shared-iso/certs`)).toBe(
      "100033:100033\n100033:100000",
    );
    expect(await onNode(`zfs get -Hp -o value quota ${dataset("kept")}`)).toBe(String(1024 ** 3));
    // As its owner: the lab's ZFS knows no root of a guest (docs/lab.md).
    await inGuest(
      "setpriv --reuid 33 --regid 33 --clear-groups dd if=/dev/urandom of=/kept/file bs=1M count=1",
    );
    await inGuest("touch /scratch/file");
    const config = await onNode("pct config 912");
    expect(config).toMatch(/^net1: .*bridge=vmbr0.*firewall=1.*ip=192\.168\.7\.2\/24.*tag=7/m);
    expect(config).toMatch(/^tags: kept;tested$/m);
    expect(config).toMatch(/^cpulimit: 0\.5$/m);
    expect(await inGuest("ip -4 -o address show eth1")).toContain("192.168.7.2/24");
    const firewall = "pvesh get /nodes/$(hostname)/lxc/912/firewall";
    expect(await onNode(`${firewall}/options --output-format json`)).toMatch(/"enable": ?"?1/);
    const rules = JSON.parse(await onNode(`${firewall}/rules --output-format json`)) as Json[];
    expect(rules).toEqual([
      expect.objectContaining({ type: "in", action: "ACCEPT", proto: "tcp", dport: "22" }),
    ]);
    expect(await onNode("pct listsnapshot 912")).toContain("final-form");
    expect(await readStack(checkout, [912])).toEqual([]);
    expect((await checkout.pulumi("preview", "--expect-no-changes")).code).toBe(0);
    const refreshed = await checkout.phoenix("refresh", "--expect-no-changes");
    expect(refreshed.code, refreshed.stdout + refreshed.stderr).toBe(0);
    expect((await checkout.pulumi("preview", "--expect-no-changes")).code).toBe(0);
  });
});

test("another order and one more volume: the container and its data stay what they are", async () => {
  const [same, before] = [await identity(), await sumOf()];
  await with912([scratch, kept], async () => {
    expect((await checkout.pulumi("preview", "--expect-no-changes")).code).toBe(0);
  });
  await with912([volume("added"), scratch, kept], async () => {
    const steps = changes((await checkout.pulumi("preview", "--json")).stdout);
    expect(steps.filter(({ urn }) => urn.includes("containerLegacy"))).toEqual([]);
    expect(steps.filter(({ op }) => !["create", "update"].includes(op))).toEqual([]);
    expect(steps.map(({ urn }) => nameOf(urn))).toContain("912-settings");
    await up();
    expect(await inGuest("findmnt -no TARGET /added")).toBe("/added");
    expect(await identity()).toBe(same);
    expect(await sumOf()).toBe(before);
  });
});

test("another id map, with which its files would belong to nobody, is refused in the preview", async () => {
  const maps = { id_maps: [{ type: "uid", container_id: 1000, host_id: 1000 }] };
  const preview = () => checkout.phoenix("preview");
  const { code, stdout, stderr } = await with912([kept, scratch], preview, maps);
  expect(code, stdout + stderr).not.toBe(0);
  expect(stdout + stderr).toContain("its files would belong to nobody");
});

test("the container goes, and the volume that may; the others stay byte for byte and come back with it", async () => {
  const before = await sumOf();
  await up();
  expect(await onNode("pct list | awk '{ print $1 }'")).not.toContain("912");
  expect(await onNode("zfs list -H -o name -r quickOS/lxc-disks | grep volume-912 | sort")).toBe(
    [dataset("added"), dataset("kept")].join("\n"),
  );
  expect(await onNode(`sha256sum /${dataset("kept")}/file`)).toContain(before);
  await with912([kept, scratch], async () => {
    await up();
    expect(await sumOf()).toBe(before);
    expect(await inGuest("ls /scratch")).toBe("");
  });
});

test("rollback brings the container back, leaves its volumes alone, and marks what the next run applies again", async () => {
  const before = await sumOf();
  await inGuest("touch /root/later");
  await with912([kept, scratch], async () => {
    const { code, stdout, stderr } = await checkout.phoenix("rollback", "912", "final-form");
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/^CT 912 is as in final-form\. Marked to be applied again: .*settings/m);
    expect(await inGuest("ls /root")).not.toContain("later");
    const steps = changes((await checkout.pulumi("preview", "--json")).stdout);
    expect(steps.map(({ op, urn }) => `${op} ${nameOf(urn)}`)).toContain("update 912-settings");
    expect(new Set(steps.map(({ op }) => op))).toEqual(new Set(["update"]));
    await up();
    expect(await sumOf()).toBe(before);
    expect((await checkout.pulumi("preview", "--expect-no-changes")).code).toBe(0);
    expect((await checkout.phoenix("drift", "912")).code).toBe(0);
  });
});

test("what is protected stops a destroy before it touches anything, whoever calls it", async () => {
  const protect = { protect: true };
  await with912([kept, scratch], up, protect);
  const there = await urns(checkout);
  const refused = await checkout.phoenix("destroy");
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("nothing was touched: 912 is protected");
  expect(refused.stderr).toContain("pulumi state unprotect");
  const plain = await checkout.pulumi("destroy", "--yes");
  expect(plain.code, plain.stdout + plain.stderr).not.toBe(0);
  expect(await urns(checkout)).toEqual(there);
  // A run that would take it away does not, either.
  const gone = await checkout.phoenix("up");
  expect(gone.code).not.toBe(0);
  expect(gone.stderr).toContain('set "protect": false there');
  expect(await urns(checkout)).toEqual(there);
  await with912([kept, scratch], up);
});

test("what nothing may destroy is still there when the container has gone", async () => {
  await up();
  // What nothing may destroy is taken away by hand, so that the node is as the other files expect it.
  await onNode(
    `zfs destroy ${dataset("kept")} && zfs destroy ${dataset("added")} && rmdir /quickOS/shared-iso/certs`,
  );
});
