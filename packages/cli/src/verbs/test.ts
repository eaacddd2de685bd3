import { Command } from "commander";
import { ensureEngine } from "../lib/engine.ts";
import { Failure } from "../lib/failure.ts";
import { Progress, duration } from "../lib/progress.ts";
import { summary, toolReport } from "../testing/reports.ts";
import type { Report } from "../testing/reports.ts";
import { goTests, shellChecks, staticChecks, vitest } from "../testing/runners.ts";

const labTests = "**/*.lab.test.ts";

/** Minutes after which whatever runs is ended and counted as failed: a CI that ends at 90 says nothing of its own. */
const wholeRun = 84;

export const verb = () =>
  new Command("test")
    .description("the project's own checks; sets up what they need. The last line is `N passed, N failed`")
    .option("--fast", "only what needs neither root nor engine")
    .option("--full", "also the long sweeps")
    .action(async (options: { fast?: boolean; full?: boolean }) => {
      if (options.fast && options.full)
        throw new Failure("--fast and --full exclude each other.", { code: 2 });
      const since = Date.now();
      const reports = options.fast ? await fast() : await all(options.full === true, since);
      const { lines, failed } = summary(reports);
      process.stdout.write(`\nafter ${duration(Date.now() - since)}\n${lines.join("\n")}\n`);
      process.exitCode = failed === 0 ? 0 : 1;
    });

async function fast(): Promise<Report[]> {
  const progress = new Progress();
  return [...(await staticChecks(progress)), ...(await shellChecks(progress, false)), await unitTests()];
}

const unitTests = (): Promise<Report> =>
  vitest({ name: "fast", args: [`--exclude=${labTests}`, "--exclude=.phoenix/**"], minutes: 20 });

async function all(full: boolean, since: number): Promise<Report[]> {
  const progress = new Progress();
  const left = (minutes: number): number =>
    full ? minutes * 6 : Math.max(1, Math.min(minutes, wholeRun - (Date.now() - since) / 60_000));
  if (process.getuid?.() !== 0) {
    throw new Failure("the whole test needs root: it starts lab nodes.", { next: "bin/phoenix test --fast" });
  }
  // Read by the tests that have a longer form.
  if (full) process.env["PHOENIX_TEST_FULL"] = "1";
  const reports = [
    ...(await staticChecks(progress)),
    ...(await shellChecks(progress, true)),
    await unitTests(),
  ];
  reports.push(await engine(progress));
  reports.push(...(await goTests(progress)));
  // Each of these starts machines: one file at a time.
  const oneByOne = ["--no-file-parallelism", "--testTimeout=600000", "--hookTimeout=1800000"];
  const elsewhere = ["--exclude=.phoenix/**", "--exclude=tests/end-to-end/**"];
  reports.push(
    await vitest({ name: "lab", args: [".lab.test.ts", ...elsewhere, ...oneByOne], minutes: left(60) }),
  );
  const config = "--config=tests/end-to-end/vitest.config.ts";
  reports.push(await vitest({ name: "end-to-end", args: [config], minutes: left(45) }));
  return reports;
}

async function engine(progress: Progress): Promise<Report> {
  try {
    await progress.step("the Pulumi engine and its plugins", (step) =>
      ensureEngine((line) => step.note(line)),
    );
    return toolReport("offline-engine ensure", 0);
  } catch (error) {
    progress.say(error instanceof Failure ? `${error.message}\n  full log: ${error.log}` : String(error));
    return toolReport("offline-engine ensure", 1);
  }
}
