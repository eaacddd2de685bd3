import { expect, test } from "vitest";
import type { Stack } from "../src/drift/inspect.ts";
import type { RunSteps } from "../src/drift/node.ts";
import type { Run } from "../src/drift/state.ts";
import { lookAt } from "../src/status/look.ts";
import { statusCode, statusTable } from "../src/status/table.ts";

const scripts = "/var/lib/phoenix/dev/scripts/d1";
const step = (feature: string, script: string): Run => ({
  ctid: "910",
  feature,
  script: `${scripts}/${script}`,
  input: '{"stack":"dev","ctid":910,"parameters":{}}',
  inherited: false,
  checkable: true,
});
const stack: Stack = {
  name: "dev",
  connection: { host: "node" },
  runs: [
    step("settings", "configure_container.sh"),
    step("serve_page", "feature_serve_page.sh"),
    step("health", "check_health.sh"),
  ],
  containers: ["910"],
  sources: new Map([["910", "902"]]),
  variables: {},
};

const config = (vmid: number, recipe: string) =>
  `description: phoenix stack=dev vmid=${vmid} incarnation=0123456789abcdef recipe=${recipe}%0A\nhostname: hello\n`;

/** A node that answers by command; what it does not know succeeds without a word. */
const nodeWith =
  (answers: Record<string, { code?: number; stdout?: string }>): RunSteps =>
  (groups) =>
    Promise.resolve(
      new Map(
        groups.flat().map(({ id, command }) => {
          const { code = 0, stdout = "" } = answers[command] ?? {};
          return [id, { id, code, stdout, stderr: "" }];
        }),
      ),
    );

const well = {
  "pct status 910": { stdout: "status: running\n" },
  "pct config 910": { stdout: config(910, "aa11") },
  "pct config 902": { stdout: config(902, "aa11") },
  "cat /var/lib/phoenix/dev/generations/aa11.json": {
    stdout: JSON.stringify({
      features: [
        { name: "docker", script: `${scripts}/feature_install_docker.sh`, input: { parameters: {} } },
      ],
    }),
  },
  [`cat ${scripts}/feature_serve_page.json`]: { stdout: '{"version":"1.2.0"}' },
  [`cat ${scripts}/feature_install_docker.json`]: { stdout: '{"version":"1.0.0"}' },
};
const look = (answers: Parameters<typeof nodeWith>[0]) =>
  lookAt(nodeWith(answers), stack, ["910"], new Map());

test("a container that is well", async () => {
  const found = await look(well);
  expect(statusTable(found)[1]).toBe(
    "910   hello  running  healthy  current (902, aa11)  docker 1.0.0, serve_page 1.2.0  none",
  );
  expect(statusCode(found)).toBe(0);
});

test.each([
  [
    "unhealthy, with the reason",
    { [`${scripts}/check_health.sh check`]: { code: 10, stdout: "health: http port 80, /: refused\n" } },
    /running {2}unhealthy[^]*910 health: http port 80, \/: refused/,
  ],
  [
    "a feature that drifted, with the reason",
    { [`${scripts}/feature_serve_page.sh check`]: { code: 10, stdout: "the text differs\n" } },
    / serve_page\n {2}910 serve_page: the text differs/,
  ],
  ["stopped", { "pct status 910": { stdout: "status: stopped\n" } }, /stopped/],
  ["gone", { "pct status 910": { code: 2 }, "pct config 910": { code: 2 } }, /gone/],
])("%s: exit code 2", async (_, answers, text) => {
  const found = await look({ ...well, ...answers });
  expect(statusTable(found).join("\n")).toMatch(text);
  expect(statusCode(found)).toBe(2);
});

test("a template that was built anew leaves the container of an older generation; that alone is no fault", async () => {
  const found = await look({ ...well, "pct config 902": { stdout: config(902, "bb22") } });
  expect(statusTable(found)[1]).toContain("older (902, aa11)");
  expect(statusCode(found)).toBe(0);
});
