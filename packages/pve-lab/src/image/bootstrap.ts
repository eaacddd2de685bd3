import { spawn } from "node:child_process";
import { searchPath } from "../machine/run.ts";
import type { Say } from "../machine/steps.ts";
import { Failure } from "../machine/steps.ts";
import type { Recipe } from "./recipe.ts";

export interface BootstrapOptions {
  readonly recipe: Recipe;
  readonly packages: readonly string[];
  /** A directory, or a file that ends in .tar. */
  readonly target: string;
  readonly hooks: readonly string[];
  readonly say: Say;
}

/**
 * 2023-06-10, the day Debian 12 appeared. No file in an image is younger, so that the same package versions give
 * the same bytes.
 */
export const sourceDateEpoch = 1_686_355_200;

/** Runs mmdebstrap and relays its own progress lines. */
export function bootstrap(options: BootstrapOptions): Promise<void> {
  const args = [
    "--mode=root",
    "--variant=minbase",
    "--architectures=" + options.recipe.architecture,
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=APT::Install-Recommends "false"',
    ...options.recipe.aptOptions.map((option) => `--aptopt=${option}`),
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    `--include=${options.packages.join(",")}`,
    ...options.hooks.map((hook) => `--customize-hook=${hook}`),
    "bookworm",
    options.target,
    ...options.recipe.sources,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn("mmdebstrap", args, {
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        ...process.env,
        PATH: searchPath(),
        LC_ALL: "C.UTF-8",
        SOURCE_DATE_EPOCH: String(sourceDateEpoch),
      },
    });
    let log = "";
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (chunk: string) => {
      log = (log + chunk).slice(-64 * 1024);
      const lines = chunk.split("\n").filter((line) => line.startsWith("I: "));
      const last = lines.at(-1);
      if (last !== undefined) options.say(last.slice(3));
    });
    child.on("error", (error) => reject(new Failure(`mmdebstrap does not run: ${error.message}`)));
    child.on("exit", (code) => {
      if (code === 0) resolve();
      else {
        const words = log
          .trim()
          .split("\n")
          .filter((line) => /^(E|W|Err)/.test(line))
          .slice(-5)
          .join("\n  ");
        reject(
          new Failure(
            `mmdebstrap ended with ${code ?? "a signal"}:\n  ${words === "" ? log.slice(-800) : words}`,
            "check that `apt-get update` works on this machine, then run `lab up` again",
          ),
        );
      }
    });
  });
}
