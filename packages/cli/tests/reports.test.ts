import { expect, test } from "vitest";
import { goReport, missing, summary, toolReport, vitestReport } from "../src/testing/reports.ts";

const vitest = (files: { status: string; message?: string; tests: [string, string][] }[]) =>
  JSON.stringify({
    testResults: files.map(({ status, message, tests }, index) => ({
      name: `f${index}.test.ts`,
      status,
      message,
      assertionResults: tests.map(([name, verdict]) => ({ fullName: name, status: verdict })),
    })),
  });

test("vitest: passed, failed, skipped and todo are told apart", () => {
  const text = vitest([
    {
      status: "failed",
      tests: [
        ["a", "passed"],
        ["b", "failed"],
        ["c", "pending"],
        ["d", "todo"],
      ],
    },
  ]);
  const report = vitestReport("v", text, 1);
  expect(report.passed).toBe(1);
  expect(report.failures).toEqual(["f0.test.ts: b"]);
  expect(report.skipped).toEqual(["f0.test.ts: c", "f0.test.ts: d"]);
});

test("vitest: a file that cannot be loaded is a failure", () => {
  const text = vitest([
    { status: "passed", tests: [["a", "passed"]] },
    { status: "failed", message: "no such import", tests: [] },
  ]);
  expect(vitestReport("v", text, 1).failures).toEqual(["f1.test.ts: no such import"]);
});

test("vitest: a bad exit code is a failure even when every test passed", () => {
  const text = vitest([{ status: "passed", tests: [["a", "passed"]] }]);
  expect(vitestReport("v", text, 0).failures).toEqual([]);
  expect(vitestReport("v", text, 1).failures).toEqual(["v ended with exit code 1"]);
});

test("no report, and a report without a test, are failures", () => {
  expect(vitestReport("v", undefined, 0).failures).toEqual(["v left no report (exit code 0)"]);
  expect(vitestReport("v", vitest([]), 0).failures).toEqual(["v ran no test (exit code 0)"]);
  expect(goReport("g", "", 0).failures).toEqual(["g ran no test (exit code 0)"]);
});

test("go: tests are counted, and a package that does not build is a failure", () => {
  const events = [
    { Action: "pass", Package: "p", Test: "TestA" },
    { Action: "skip", Package: "p", Test: "TestB" },
    { Action: "fail", Package: "p", Test: "TestC" },
    { Action: "fail", Package: "p" },
    { Action: "fail", Package: "q" },
  ];
  const report = goReport("g", events.map((event) => JSON.stringify(event)).join("\n"), 1);
  expect(report.passed).toBe(1);
  expect(report.failures).toEqual(["p: TestC", "q: failed without a test"]);
  expect(report.skipped).toEqual(["p: TestB"]);
});

test("the last line sums all runners, and a skipped test counts as failed", () => {
  const { lines, failed } = summary([
    toolReport("tsc", 0),
    toolReport("eslint", 2),
    missing("go test", 127),
    { runner: "v", passed: 5, failures: [], skipped: ["x"] },
  ]);
  expect(lines.at(-1)).toBe("6 passed, 3 failed");
  expect(failed).toBe(3);
  expect(lines).toContain("SKIPPED  x (counts as a failure)");
  expect(lines).toContain("FAILED   eslint (exit code 2)");
});
