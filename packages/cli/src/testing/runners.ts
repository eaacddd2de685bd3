import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { newLog, places, root } from "../lib/checkout.ts";
import { capture } from "../lib/process.ts";
import type { Progress } from "../lib/progress.ts";
import { goReport, toolReport, vitestReport } from "./reports.ts";
import type { Report } from "./reports.ts";
import { existing, goModulesWithTests, shellFiles } from "./sources.ts";

const minute = 60_000;
const bin = (name: string): string => join(root, "node_modules/.bin", name);

/** Runs a tool quietly; its output is shown only when it finds something. */
async function tool(
  progress: Progress,
  name: string,
  command: string,
  args: readonly string[],
): Promise<Report> {
  let code = 1;
  let output = "";
  try {
    await progress.step(name, async () => {
      const result = await capture(command, args, { cwd: root });
      code = result.code;
      output = result.stdout + result.stderr;
      if (code !== 0) throw new Error(name);
    });
  } catch {
    progress.say(output.trimEnd());
  }
  return toolReport(name, code);
}

/** Formatter, linter and compiler: what `npm run lint` does. */
export async function staticChecks(progress: Progress): Promise<Report[]> {
  return [
    await tool(progress, "eslint", bin("eslint"), ["."]),
    await tool(progress, "prettier", bin("prettier"), ["--check", "--log-level=warn", "."]),
    await tool(progress, "tsc", bin("tsc"), ["--noEmit", "-p", "."]),
  ];
}

/** shellcheck and shfmt over every shell file; brought by apt where `install` allows it. */
export async function shellChecks(progress: Progress, install: boolean): Promise<Report[]> {
  const wanted = ["shellcheck", "shfmt"];
  const absent = wanted.filter((name) => !existing(name));
  if (absent.length > 0 && install && process.getuid?.() === 0) await bring(progress, absent);
  const still = wanted.filter((name) => !existing(name));
  // The fast part needs no root, so it takes what is there; the full run counts what is missing.
  if (still.length > 0 && !install)
    progress.say(`  ${still.join(", ")}: not installed here, the full run brings it`);
  const files = await shellFiles();
  const checks: Record<string, string[]> = {
    shellcheck: ["-x", ...files],
    shfmt: ["-d", "-i", "2", "-ci", ...files],
  };
  const reports: Report[] = [];
  for (const name of wanted) {
    if (install || !still.includes(name)) reports.push(await tool(progress, name, name, checks[name] ?? []));
  }
  return reports;
}

async function bring(progress: Progress, packages: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const log = newLog("apt.log");
  try {
    await progress.step(`apt-get install ${packages.join(" ")}`, async () => {
      await capture("apt-get", ["update", "-q"], { env, log });
      const args = ["install", "-y", "-q", "--no-install-recommends", ...packages];
      const { code } = await capture("apt-get", args, { env, log });
      if (code !== 0) throw new Error(log);
    });
  } catch {
    progress.say(`  apt-get failed, see ${log}`); // the missing tool then counts as a failure
  }
}

export interface VitestRun {
  readonly name: string;
  readonly args: readonly string[];
  readonly minutes: number;
}

/** Runs vitest on this terminal and reads its JSON; one that hangs is ended, and then has no report. */
export async function vitest(run: VitestRun): Promise<Report> {
  const folder = join(places.own, "test");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${run.name}.json`);
  rmSync(file, { force: true });
  const args = ["run", ...run.args, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const code = await limited(bin("vitest"), args, run.minutes * minute);
  const text = existsSync(file) ? readFileSync(file, "utf8") : undefined;
  return vitestReport(`vitest ${run.name}`, text?.replaceAll(`${root}/`, ""), code);
}

/** On this terminal, without standard input, in a process group of its own that is ended as a whole. */
function limited(command: string, args: readonly string[], limit: number): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
    });
    const end = (signal: NodeJS.Signals) => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal);
    };
    const timer = setTimeout(() => {
      process.stdout.write(`${command} ran longer than ${Math.round(limit / minute)} min and is ended\n`);
      end("SIGTERM");
      setTimeout(() => end("SIGKILL"), 20_000).unref();
    }, limit);
    const stop = () => end("SIGTERM");
    process.once("SIGINT", stop).once("SIGTERM", stop);
    const finish = (code: number) => {
      clearTimeout(timer);
      process.off("SIGINT", stop).off("SIGTERM", stop);
      resolve(code);
    };
    child.on("error", () => finish(127));
    child.on("close", (code) => finish(code ?? 1));
  });
}

/** The Go tests. offline-engine runs them: it knows, or brings, the Go, and its build has compiled most of it. */
export async function goTests(progress: Progress): Promise<Report[]> {
  const reports: Report[] = [];
  for (const module of await goModulesWithTests()) {
    const name = `go test ${relative(root, module)}`;
    const { code, stdout, stderr } = await progress.step(name, () =>
      capture("node", [join(root, "packages/offline-engine/src/main.ts"), "test", "--json"], { cwd: module }),
    );
    if (code !== 0) progress.say(stderr.trimEnd());
    reports.push(goReport(name, stdout === "" ? undefined : stdout, code));
  }
  return reports;
}
