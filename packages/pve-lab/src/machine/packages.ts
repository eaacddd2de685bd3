import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { searchPath } from "./run.ts";
import type { Say } from "./steps.ts";
import { Failure } from "./steps.ts";

/** Commands that `up` runs on this machine, and the Debian packages that bring them. */
const needed: readonly { readonly file: readonly string[]; readonly name: string }[] = [
  { file: ["/usr/bin/lxc-start"], name: "lxc" },
  { file: ["/usr/bin/mmdebstrap"], name: "mmdebstrap" },
  { file: ["/usr/sbin/iptables", "/sbin/iptables"], name: "iptables" },
  { file: ["/usr/bin/zstd"], name: "zstd" },
  { file: ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"], name: "iproute2" },
  { file: ["/usr/bin/ssh-keygen"], name: "openssh-client" },
  { file: ["/usr/share/keyrings/debian-archive-keyring.gpg"], name: "debian-archive-keyring" },
];

export function missingPackages(): string[] {
  return needed.filter((entry) => !entry.file.some((file) => existsSync(file))).map((entry) => entry.name);
}

const record = (cache: string): string => path.join(cache, "lab-packages");

/** Packages that some `up` on this machine has installed. */
export function recordedPackages(cache: string): string[] {
  try {
    return readFileSync(record(cache), "utf8")
      .split("\n")
      .filter((name) => name !== "");
  } catch {
    return [];
  }
}

/** The line that says how to remove installed packages; none if there are none. */
export function removalHint(names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`packages: apt-get purge --autoremove ${names.join(" ")}`];
}

const policyFile = "/usr/sbin/policy-rc.d";

function apt(args: readonly string[], say: Say): Promise<{ code: number; tail: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("apt-get", [...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PATH: searchPath(), DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
    });
    let tail = "";
    const take = (chunk: string): void => {
      tail = (tail + chunk).slice(-4000);
      const line = chunk.split("\n").findLast((text) => /^(Get:|Unpacking|Setting up|Fetched)/.test(text));
      if (line !== undefined) say(line.slice(0, 60));
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.on("error", (error) => reject(new Failure(`apt-get does not run: ${error.message}`)));
    child.on("exit", (code) => resolve({ code: code ?? 1, tail }));
  });
}

/**
 * Installs packages without starting their services: lxc would otherwise bring a bridge of its own up, which no lab
 * needs.
 */
export async function installPackages(cache: string, names: readonly string[], say: Say): Promise<void> {
  const ownPolicy = !existsSync(policyFile);
  if (ownPolicy) {
    writeFileSync(policyFile, "#!/bin/sh\nexit 101\n");
    chmodSync(policyFile, 0o755);
  }
  try {
    const install = ["install", "--yes", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", ...names];
    let result = await apt(install, say);
    if (result.code !== 0) {
      say("apt-get update");
      await apt(["update"], say);
      result = await apt(install, say);
    }
    if (result.code !== 0) {
      const errors = result.tail
        .split("\n")
        .filter((line) => line.startsWith("E:"))
        .join("\n  ");
      throw new Failure(
        `apt-get could not install ${names.join(" ")}:\n  ${errors}`,
        "make apt work here, then try again",
      );
    }
    const all = new Set([...recordedPackages(cache), ...names]);
    mkdirSync(cache, { recursive: true });
    writeFileSync(record(cache), [...all, ""].join("\n"));
  } finally {
    if (ownPolicy) rmSync(policyFile, { force: true });
  }
}
