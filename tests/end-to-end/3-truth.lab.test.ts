import { expect, inject, test } from "vitest";
import { Checkout } from "./checkout.ts";
import { urns } from "./facts.ts";

const checkout = new Checkout(inject("room"));

interface Drift {
  readonly findings: readonly {
    container: string;
    feature: string;
    inherited: boolean;
    verdict: string;
    reasons: string[];
  }[];
}

const drift = async () => {
  const { code, stdout } = await checkout.phoenix("drift", "--json");
  return { code, findings: (JSON.parse(stdout) as Drift).findings };
};

/** What an `apply` leaves: the lock that each takes, and in 910 the time at which the page was started. */
const traces = async () =>
  (await checkout.node("stat -c '%n %y' /run/lock/phoenix-dev-*.lock")).trim().split("\n");
const pageSince = () =>
  checkout.guest(910, "systemctl show -p ActiveEnterTimestampMonotonic phoenix-page.socket");

test("a node as it was built has no drift, and every check can be made", async () => {
  const { code, findings } = await drift();
  expect(findings.filter(({ verdict }) => verdict !== "clean")).toEqual([]);
  expect(code).toBe(0);
  const seen = findings.map(({ container, feature }) => `${container} ${feature}`);
  for (const one of ["host pool-quickOS", "910 settings", "910 base_setup", "910 docker", "910 serve_page"]) {
    expect(seen).toContain(one);
  }
});

test("docker, which 910 has from 902, disabled by hand: drift names it, repair mends exactly it", async () => {
  await checkout.guest(910, "systemctl disable --now docker.socket docker.service 2>/dev/null");
  const text = await checkout.phoenix("drift");
  expect(text.code).toBe(2);
  expect(text.stdout).toMatch(/910\s+docker \(inherited\)\s+.*docker/);
  const { code, findings } = await drift();
  expect(code).toBe(2);
  const off = findings.filter(({ verdict }) => verdict !== "clean");
  expect(off).toHaveLength(1);
  expect(off[0]).toMatchObject({ container: "910", feature: "docker", inherited: true });
  expect(off[0]?.reasons.join(" ")).toMatch(/not enabled/);

  const before = await urns(checkout);
  const [tracesBefore, pageBefore] = [await traces(), await pageSince()];
  const repaired = await checkout.phoenix("repair");
  expect(repaired.code).toBe(0);
  expect(repaired.stdout.match(/^✓ .*$/gm)).toEqual(["✓ 910 docker applied"]);
  const changed = (await traces()).filter((line) => !tracesBefore.includes(line));
  expect(changed.map((line) => line.replace(/ .*/, ""))).toEqual(["/run/lock/phoenix-dev-910.lock"]);
  expect(await pageSince()).toBe(pageBefore);
  expect((await checkout.guest(910, "systemctl is-enabled docker; systemctl is-active docker")).trim()).toBe(
    "enabled\nactive",
  );
  expect(await urns(checkout)).toEqual(before);
  expect((await drift()).code).toBe(0);
  expect((await checkout.phoenix("repair")).stdout).toContain("Nothing has drifted");
});

test("910 stopped by hand: repair starts it, and finds what is off behind that", async () => {
  await checkout.guest(910, "systemctl disable phoenix-page.socket 2>/dev/null");
  await checkout.node("pct stop 910");
  expect((await checkout.phoenix("drift", "910")).code).toBe(2);
  expect((await checkout.phoenix("repair", "910")).code).toBe(0);
  expect(await checkout.node("pct status 910")).toContain("running");
  expect((await drift()).code).toBe(0);
});

test("910 destroyed by hand: drift says so, refresh and up bring it back whole", async () => {
  await checkout.node("pct stop 910; pct destroy 910");
  const lost = await checkout.phoenix("drift");
  expect(lost.code).toBe(2);
  expect(lost.stdout).toMatch(/910\s+guest/);
  expect((await checkout.phoenix("refresh")).code).toBe(0);
  const up = await checkout.phoenix("up");
  expect(up.code).toBe(0);
  expect(await checkout.guest(910, "systemctl is-active docker phoenix-page.socket")).toBe(
    "active\nactive\n",
  );
  expect((await drift()).code).toBe(0);
  expect((await checkout.pulumi("preview", "--expect-no-changes")).code).toBe(0);
});
