/** What one runner says about itself. */
export interface Report {
  readonly runner: string;
  readonly passed: number;
  readonly failures: readonly string[];
  /** Each counts as a failure: what is not run is not known to work. */
  readonly skipped: readonly string[];
}

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Reads vitest's JSON. A file that could not even be loaded is a failure; so is a bad exit code without any. */
export function vitestReport(runner: string, text: string | undefined, code: number): Report {
  if (text === undefined) return missing(runner, code);
  let passed = 0;
  const failures: string[] = [];
  const skipped: string[] = [];
  for (const file of (JSON.parse(text) as VitestReport).testResults) {
    const failedBefore = failures.length;
    for (const { status, fullName } of file.assertionResults) {
      const name = `${file.name}: ${fullName}`;
      if (status === "passed") passed += 1;
      else if (status === "failed") failures.push(name);
      else skipped.push(name);
    }
    if (file.status === "failed" && failures.length === failedBefore)
      failures.push(`${file.name}: ${file.message ?? ""}`);
  }
  return withExitCode({ runner, passed, failures, skipped }, code);
}

interface GoEvent {
  readonly Action: string;
  readonly Package?: string;
  readonly Test?: string;
}

/** Reads the events of `go test -json`. A package that fails without a test (it does not build) is a failure. */
export function goReport(runner: string, text: string | undefined, code: number): Report {
  if (text === undefined) return missing(runner, code);
  let passed = 0;
  const failures: string[] = [];
  const skipped: string[] = [];
  const failedPackages = new Set<string>();
  for (const line of text.split("\n")) {
    if (!line.startsWith("{")) continue;
    const event = JSON.parse(line) as GoEvent;
    const name = `${event.Package ?? ""}: ${event.Test ?? ""}`;
    if (event.Test === undefined) {
      const known = failures.some((failure) => failure.startsWith(`${event.Package}: `));
      if (event.Action === "fail" && !known && event.Package) failedPackages.add(event.Package);
    } else if (event.Action === "pass") passed += 1;
    else if (event.Action === "fail") failures.push(name);
    else if (event.Action === "skip") skipped.push(name);
  }
  failures.push(...[...failedPackages].map((name) => `${name}: failed without a test`));
  return withExitCode({ runner, passed, failures, skipped }, code);
}

/** A tool that only says yes or no is one check. */
export function toolReport(runner: string, code: number): Report {
  return code === 0
    ? { runner, passed: 1, failures: [], skipped: [] }
    : { runner, passed: 0, failures: [`${runner} (exit code ${code})`], skipped: [] };
}

/** A runner that ended without a report. */
export const missing = (runner: string, code: number): Report => ({
  runner,
  passed: 0,
  failures: [`${runner} left no report (exit code ${code})`],
  skipped: [],
});

function withExitCode(report: Report, code: number): Report {
  const empty = report.passed + report.failures.length + report.skipped.length === 0;
  if (empty) return { ...report, failures: [`${report.runner} ran no test (exit code ${code})`] };
  // For instance an error outside of any test.
  if (code !== 0 && report.failures.length === 0)
    return { ...report, failures: [`${report.runner} ended with exit code ${code}`] };
  return report;
}

/** The closing lines; the last is `N passed, N failed`. */
export function summary(reports: readonly Report[]): { lines: string[]; failed: number } {
  const lines: string[] = [];
  let passed = 0;
  let failed = 0;
  for (const report of reports) {
    passed += report.passed;
    failed += report.failures.length + report.skipped.length;
    for (const failure of report.failures) lines.push(`FAILED   ${failure}`);
    for (const name of report.skipped) lines.push(`SKIPPED  ${name} (counts as a failure)`);
  }
  lines.push(`${passed} passed, ${failed} failed`);
  return { lines, failed };
}
